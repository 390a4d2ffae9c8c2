package api

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// crossOrigin lets pages call the tracking API, and it alone: its calls carry a write
// key in the open and no cookies. From which origins is a matter of the key, see
// Key.admits. A preflight comes without one: it is answered with what any key allows.
func (s *Server) crossOrigin(c *gin.Context) {
	if !isTracking(c.Request.URL.Path) {
		return
	}
	h := c.Writer.Header()
	h.Set("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Retry-After, X-RateLimit-Reset, X-Request-Id")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // The pixel is an image on other sites.
	if c.Request.Method != http.MethodOptions {
		return
	}
	if !s.opensTo(c.Request) {
		h.Del("Access-Control-Allow-Origin")
		h.Del("Access-Control-Expose-Headers")
		c.AbortWithStatus(http.StatusNoContent)
		return
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	// The star does not stand for Authorization.
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding, X-Retry-Count, X-Strict-Mode, *")
	h.Set("Access-Control-Max-Age", "86400")
	c.Abort()
	c.Writer.WriteHeader(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
}

// transparent is a GIF of one transparent pixel.
var transparent = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;")

// getPixel takes a single event from the address of an image. The image comes
// even when the event was refused, so that no page or mail shows a broken one;
// in strict mode the verdict comes instead.
func (s *Server) getPixel(c *gin.Context) error {
	call := TrackingCall{Method: c.Param("method"), Pixel: true, Received: s.deps.Now(), UserAgent: c.Request.UserAgent()}
	switch {
	case s.deps.Tracking == nil:
		return ErrNotServed
	case !isType(call.Method):
		return noRoute()
	}
	data := c.Query("data")
	body, err := s.deps.Tracking.PixelBody(data)
	if err != nil {
		// Kept as it is: a dead letter, when a key tells whose.
		body = []byte(data)
	}
	call.Body = body
	receipt, err := s.track(c, call)
	if err != nil {
		return err
	}
	if strict(c) {
		return s.answerTracking(c, receipt)
	}
	c.Data(http.StatusOK, "image/gif", transparent)
	return nil
}

func isType(method string) bool {
	switch method {
	case "track", "page", "screen", "identify", "group", "alias":
		return true
	}
	return false
}

// postClientMetrics takes what Segment's browser client measures of itself, and
// forgets it.
func (s *Server) postClientMetrics(c *gin.Context) error {
	c.Data(http.StatusOK, "application/json", []byte(`{"success":true}`))
	return nil
}

// projectSettings is what clients fetch before they send: where to send to.
type projectSettings struct {
	Integrations map[string]segmentIntegration `json:"integrations"`
	Plan         map[string]struct{}           `json:"plan"`
	EdgeFunction struct{}                      `json:"edgeFunction"`
	Metrics      struct {
		SampleRate float64 `json:"sampleRate"`
	} `json:"metrics"`
	NextEnabled bool `json:"analyticsNextEnabled"`
}

type segmentIntegration struct {
	APIKey   string `json:"apiKey"`
	APIHost  string `json:"apiHost"`  // host and path, without the scheme
	Protocol string `json:"protocol"` // http or https
}

// getProjectSettings answers 404 for an unknown key, as Segment does: a client
// with a wrong key fails at once and not event by event.
func (s *Server) getProjectSettings(c *gin.Context) error {
	secret, err := url.PathUnescape(c.Param("key"))
	if err != nil {
		return noRoute()
	}
	key, ok := s.lookup(secret)
	if !ok || !s.lives(key) || !key.Role.may(RoleWrite) {
		return newProblem(http.StatusNotFound, "no-such-project", "There is no such project", "the write key is not known")
	}
	if !key.admits(c.Request) {
		return s.closedTo(c)
	}
	answer := projectSettings{
		Integrations: map[string]segmentIntegration{"Segment.io": {APIKey: secret, APIHost: c.Request.Host + "/v1", Protocol: "http"}},
		Plan:         map[string]struct{}{"track": {}, "identify": {}, "group": {}}, NextEnabled: true,
	}
	if c.Request.TLS != nil || strings.EqualFold(c.GetHeader("X-Forwarded-Proto"), "https") {
		it := answer.Integrations["Segment.io"]
		it.Protocol = "https"
		answer.Integrations["Segment.io"] = it
	}
	return send(c, answer)
}
