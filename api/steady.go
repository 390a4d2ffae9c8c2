package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// steady is a body that may be as long as it likes and must go on: a pause of
// the client longer than ReadTimeout ends its connection, and one of the intake
// longer than RequestTimeout ends the request.
type steady struct {
	ctx   context.Context // of the work on the body; ends with a pause
	stop  func()
	r     io.Reader
	touch func()
	lost  bool // the client went away
}

func (s *Server) steadyBody(c *gin.Context) *steady {
	ctx, cancel := context.WithCancelCause(c.Request.Context())
	timer := time.AfterFunc(s.cfg.RequestTimeout, func() { cancel(context.DeadlineExceeded) })
	control := http.NewResponseController(c.Writer)
	return &steady{
		ctx: ctx, r: c.Request.Body,
		stop: func() { timer.Stop(); cancel(nil) },
		touch: func() {
			timer.Reset(s.cfg.RequestTimeout)
			now := s.deps.Now()
			// Writers of tests have no deadlines; those of net/http do.
			_ = control.SetReadDeadline(now.Add(s.cfg.ReadTimeout))
			_ = control.SetWriteDeadline(now.Add(s.cfg.ReadTimeout + 2*s.cfg.RequestTimeout))
		},
	}
}

// Read implements io.Reader.
func (b *steady) Read(p []byte) (int, error) {
	b.touch()
	n, err := b.r.Read(p)
	b.lost = b.lost || err != nil && !errors.Is(err, io.EOF)
	return n, err
}

// cause tells a client that went away from an intake that took too long.
func (b *steady) cause(err error) error {
	switch {
	case b.lost:
		return fmt.Errorf("%w: the body broke off", context.Canceled)
	case errors.Is(context.Cause(b.ctx), context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return err
}
