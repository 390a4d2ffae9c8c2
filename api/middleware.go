package api

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/gin-gonic/gin"
)

// Names of what middleware leaves in the gin context.
const (
	contextRequestID = "kindred.request_id"
	contextKey       = "kindred.key"
)

const headerRequestID = "X-Request-Id"

// identify gives the request its id: the caller's when it is harmless, a new
// one otherwise.
func (s *Server) identify(c *gin.Context) {
	id := c.GetHeader(headerRequestID)
	if !isRequestID(id) {
		var b [12]byte
		_, _ = rand.Read(b[:]) // Never fails: crypto/rand ends the process instead.
		id = hex.EncodeToString(b[:])
	}
	c.Set(contextRequestID, id)
	c.Header(headerRequestID, id)
	c.Next()
}

func isRequestID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.' {
			return false
		}
	}
	return true
}

func requestID(c *gin.Context) string { return c.GetString(contextRequestID) }

// routeOf returns the pattern of the route, which holds no values.
func routeOf(c *gin.Context) string {
	if p := c.FullPath(); p != "" {
		return p
	}
	return "unmatched"
}

// methodOf bounds the label: a client can invent methods.
func methodOf(c *gin.Context) string {
	switch m := c.Request.Method; m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// observe logs and counts the request when it is done.
func (s *Server) observe(c *gin.Context) {
	start := s.deps.Now()
	s.metrics.inFlight.Inc()
	defer s.metrics.inFlight.Dec()
	c.Next()
	took := s.deps.Now().Sub(start)
	route, method, status := routeOf(c), methodOf(c), c.Writer.Status()
	if method == http.MethodGet {
		s.reads.Add(1)
	}
	s.metrics.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	s.metrics.seconds.WithLabelValues(route, method).Observe(took.Seconds())
	if !s.log.Enabled(c.Request.Context(), slog.LevelInfo) {
		return // The rest is only for the log.
	}
	attrs := []any{
		"request_id", requestID(c), "method", method, "route", route, "status", status,
		"bytes", max(0, c.Writer.Size()), "took", took,
	}
	if key, ok := c.Get(contextKey); ok {
		k := key.(Key)
		attrs = append(attrs, "key", k.Name, "key_id", k.id(), "workspace", k.Workspace)
	}
	s.log.Info("request", attrs...)
}

// recoverPanic answers 500 and logs where it happened. The panic's value is
// logged only when the runtime made it: others may hold personal data.
func (s *Server) recoverPanic(c *gin.Context) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler {
			panic(v)
		}
		s.metrics.panics.Inc()
		what := fmt.Sprintf("%T", v)
		if err, ok := v.(runtime.Error); ok {
			what = err.Error()
		}
		s.log.Error("panic in a handler", "request_id", requestID(c), "route", routeOf(c),
			"panic", what, "stack", string(debug.Stack()))
		if c.Writer.Written() {
			panic(http.ErrAbortHandler) // Half an answer must not look whole.
		}
		s.fail(c, internalError())
	}()
	c.Next()
}

// guards are headers of every answer, by their canonical names. Whoever sets one of them
// to something else puts another list in the place of this one, which is shared.
var guards = []struct {
	name  string
	value []string
}{
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"X-Frame-Options", []string{"DENY"}},
	{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
	{"Referrer-Policy", []string{"no-referrer"}},
	{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
	{"Cache-Control", []string{"no-store"}},
}

// guard sets the security headers, the limits and the deadline of a request.
func (s *Server) guard(c *gin.Context) {
	h := c.Writer.Header()
	for i := range guards {
		h[guards[i].name] = guards[i].value[:1:1]
	}
	if c.Request.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if len(c.Request.RequestURI) > s.cfg.MaxURL {
		s.fail(c, urlTooLong())
		return
	}
	if streams(c.FullPath()) {
		c.Next()
		return
	}
	if c.Request.Body != http.NoBody {
		limit := s.cfg.MaxBody
		if isTracking(c.Request.URL.Path) {
			limit = s.cfg.MaxTracking
		}
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
	}
	timeout := s.cfg.RequestTimeout
	if c.FullPath() == dryRunPattern && c.Request.Method == http.MethodPost {
		timeout = s.cfg.DryRunTimeout
		// Writers of tests have no deadlines; those of net/http do.
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(s.deps.Now().Add(s.cfg.ReadTimeout + timeout))
	}
	ctx := newDeadline(c.Request.Context(), timeout)
	defer ctx.stop()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
}

// workspaceOf returns the workspace of the request's key. Routes without a
// role have none.
func workspaceOf(c *gin.Context) string {
	key, ok := c.Get(contextKey)
	if !ok {
		return ""
	}
	return key.(Key).Workspace
}
