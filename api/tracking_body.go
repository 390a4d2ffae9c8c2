package api

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
)

// trackingBody is a body in memory. It is used again for other requests.
type trackingBody struct {
	bytes.Buffer
	cut   bool  // the body was longer than the limit
	bytes int64 // counted against the sum of all bodies
}

// maxKeptBody bounds the buffers that are kept for other requests.
const maxKeptBody = 1 << 20

// bodyPool keeps buffers of bodies, and inflaters, and knows how much is in use.
type bodyPool struct {
	buffers, inflaters sync.Pool
	inUse              atomic.Int64 // bytes
}

// get returns an empty body.
func (p *bodyPool) get() *trackingBody {
	b, ok := p.buffers.Get().(*trackingBody)
	if !ok {
		return &trackingBody{}
	}
	b.Reset()
	b.cut = false
	return b
}

// forget ends the count of a body. What else uses it may go on.
func (p *bodyPool) forget(b *trackingBody) {
	p.inUse.Add(-b.bytes)
	b.bytes = 0
}

// put gives a body that nothing uses any more to other requests.
func (p *bodyPool) put(b *trackingBody) {
	p.forget(b)
	if b.Cap() <= maxKeptBody {
		p.buffers.Put(b)
	}
}

// fill reads r into the body, as long as all bodies together fit into limit.
func (p *bodyPool) fill(b *trackingBody, r io.Reader, limit int64) (int64, error) {
	return b.ReadFrom(counted{r, b, p, limit})
}

// counted counts what is read.
type counted struct {
	io.Reader
	body  *trackingBody
	pool  *bodyPool
	limit int64
}

// Read implements io.Reader.
func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.body.bytes += int64(n)
	if c.pool.inUse.Add(int64(n)) > c.limit {
		return n, Busy{After: time.Second}
	}
	return n, err
}

// readTracking reads the whole body, whatever its media type says: browsers send
// text/plain to do without a preflight. What exceeds the limit is cut. Errors
// are problems.
func (s *Server) readTracking(c *gin.Context) (*trackingBody, error) {
	encoding := strings.ToLower(strings.TrimSpace(c.GetHeader("Content-Encoding")))
	switch encoding {
	case "", "identity", "gzip", "x-gzip":
	default:
		return nil, newProblem(http.StatusUnsupportedMediaType, "unsupported-encoding", "The content encoding is not known",
			"send the body as it is or with Content-Encoding: gzip")
	}
	body := s.bodies.get()
	if n := c.Request.ContentLength; n > 0 && n <= s.cfg.MaxTracking {
		body.Grow(int(n) + bytes.MinRead)
	}
	_, err := s.bodies.fill(body, c.Request.Body, s.cfg.MaxTrackingBytes)
	var tooLarge *http.MaxBytesError
	var busy Busy
	switch {
	case errors.As(err, &tooLarge):
		body.cut = true
	case err != nil:
		s.bodies.put(body)
		if errors.As(err, &busy) {
			return nil, busy
		}
		return nil, badRequest("the body could not be read to its end")
	}
	if zipped := encoding != "" && encoding != "identity"; zipped || isGzip(body.Bytes()) {
		if body.cut {
			s.bodies.put(body)
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
	defer s.bodies.put(zipped)
	z, ok := s.bodies.inflaters.Get().(*gzip.Reader)
	if !ok {
		z = new(gzip.Reader)
	}
	if z.Reset(&zipped.Buffer) != nil {
		return nil, notGzip()
	}
	defer s.bodies.inflaters.Put(z)
	body := s.bodies.get()
	n, err := s.bodies.fill(body, io.LimitReader(z, s.cfg.MaxTracking+1), s.cfg.MaxTrackingBytes)
	if err != nil {
		s.bodies.put(body)
		var busy Busy
		if errors.As(err, &busy) {
			return nil, busy
		}
		return nil, notGzip()
	}
	if n > s.cfg.MaxTracking {
		body.cut = true
		body.Truncate(int(s.cfg.MaxTracking))
	}
	return body, nil
}

func notGzip() *problem { return badRequest("the body is not gzip to its end") }
