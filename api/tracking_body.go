package api

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// trackingBody is a body in memory. It is used again for other requests.
type trackingBody struct {
	bytes.Buffer
	cut bool // the body was longer than the limit
}

// maxKeptBody bounds the buffers that are kept for other requests.
const maxKeptBody = 1 << 20

// bodyPool keeps buffers of bodies, and inflaters.
type bodyPool struct{ buffers, inflaters sync.Pool }

func (p *bodyPool) Put(b *trackingBody) {
	if b.Cap() <= maxKeptBody {
		p.buffers.Put(b)
	}
}

// readTracking reads the whole body, whatever its media type says: browsers send
// text/plain to do without a preflight. What exceeds the limit is cut. Errors
// are problems.
func (s *Server) readTracking(c *gin.Context) (*trackingBody, error) {
	body, ok := s.bodies.buffers.Get().(*trackingBody)
	if !ok {
		body = &trackingBody{}
	}
	body.Reset()
	body.cut = false
	encoding := strings.ToLower(strings.TrimSpace(c.GetHeader("Content-Encoding")))
	switch encoding {
	case "", "identity", "gzip", "x-gzip":
	default:
		return nil, newProblem(http.StatusUnsupportedMediaType, "unsupported-encoding", "The content encoding is not known",
			"send the body as it is or with Content-Encoding: gzip")
	}
	if n := c.Request.ContentLength; n > 0 && n <= s.cfg.MaxTracking {
		body.Grow(int(n) + bytes.MinRead)
	}
	_, err := body.ReadFrom(c.Request.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		body.cut = true
	case err != nil:
		return nil, badRequest("the body could not be read to its end")
	}
	if zipped := encoding != "" && encoding != "identity"; zipped || isGzip(body.Bytes()) {
		if body.cut {
			return nil, newProblem(http.StatusRequestEntityTooLarge, "body-too-large", "The body is too large", "")
		}
		return s.inflate(body)
	}
	return body, nil
}

// isGzip tells a compressed body by its first bytes: some clients forget the
// header, and no JSON begins like this.
func isGzip(b []byte) bool { return len(b) > 2 && b[0] == 0x1f && b[1] == 0x8b }

// inflate returns the inflated body in another buffer, cut at the limit: a few
// bytes can stand for gigabytes.
func (s *Server) inflate(zipped *trackingBody) (*trackingBody, error) {
	defer s.bodies.Put(zipped)
	bad := func() (*trackingBody, error) { return nil, badRequest("the body is not gzip to its end") }
	z, ok := s.bodies.inflaters.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	if z.Reset(&zipped.Buffer) != nil {
		return bad()
	}
	defer s.bodies.inflaters.Put(z)
	body, ok := s.bodies.buffers.Get().(*trackingBody)
	if !ok {
		body = &trackingBody{}
	}
	body.Reset()
	body.cut = false
	n, err := body.ReadFrom(io.LimitReader(z, s.cfg.MaxTracking+1))
	if err != nil {
		return bad()
	}
	if n > s.cfg.MaxTracking {
		body.cut = true
		body.Truncate(int(s.cfg.MaxTracking))
	}
	return body, nil
}
