package api

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

// Tracker takes the calls of Segment's HTTP Tracking API in.
type Tracker interface {
	// WriteKey returns the "writeKey" of a body, "" when it has none.
	WriteKey(body []byte) string
	// PixelBody returns the body that the "data" parameter of a pixel holds, or
	// an error that does not repeat it.
	PixelBody(data string) ([]byte, error)
	// Track returns when every event of the call is kept durably, as an event or
	// as a dead letter. On an error any number of them may be kept; the caller
	// tries the whole call again. It returns Busy and ErrClosing as such. The
	// body may be used again only when the error is nil.
	Track(ctx context.Context, call TrackingCall) (TrackingReceipt, error)
}

// ErrClosing refuses events during a shutdown.
var ErrClosing = errors.New("the intake is closing")

// TrackingCall is one call with its body, inflated.
type TrackingCall struct {
	Workspace, Source string // of the API key
	Method            string // "batch", "import", or the type of a single event
	Received          time.Time
	Address           string // IP address of the caller
	UserAgent         string
	Pixel             bool
	Cut               bool // Body is only the beginning of a body over the limit
	Body              []byte
}

// TrackingReceipt is what became of the events of a call.
type TrackingReceipt struct {
	Received, Accepted int
	Refused            []TrackingVerdict
	Warnings           []TrackingVerdict // of events that were accepted
	// Positions are where the events are, for a Consistency.
	Positions string
	// Whole is set when the call was refused as a whole.
	Whole *TrackingVerdict
}

// TrackingVerdict says why an event was refused, or what was left out of it. It
// holds no value of the event but its message id.
type TrackingVerdict struct {
	Index     int    `json:"index"` // in the batch, from 0
	MessageID string `json:"messageId,omitempty"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
}

// codeTooLarge is the code of a whole call over a limit.
const codeTooLarge = "too_large"

// trackingAnswer is the body of a call's answer.
type trackingAnswer struct {
	Success  bool              `json:"success"`
	Received int               `json:"received"`
	Accepted int               `json:"accepted"`
	Errors   []TrackingVerdict `json:"errors"`
	Warnings []TrackingVerdict `json:"warnings,omitempty"`
}

// trackingPaths maps the paths of the tracking API, long and short, to methods.
var trackingPaths = []struct{ path, method string }{
	{"/v1/track", "track"},
	{"/v1/t", "track"},
	{"/v1/page", "page"},
	{"/v1/p", "page"},
	{"/v1/screen", "screen"},
	{"/v1/s", "screen"},
	{"/v1/identify", "identify"},
	{"/v1/i", "identify"},
	{"/v1/group", "group"},
	{"/v1/g", "group"},
	{"/v1/alias", "alias"},
	{"/v1/a", "alias"},
	{"/v1/batch", "batch"},
	{"/v1/b", "batch"},
	{"/v1/import", "import"},
}

// Patterns of the tracking API's other routes.
const (
	pixelPattern    = "/v1/pixel/:method"
	settingsPattern = "/v1/projects/:key/settings"
	clientMetrics   = "/v1/m"
)

// trackingRoutes are those that need a write key, which may stand in the body.
func (s *Server) trackingRoutes() []route {
	var list []route
	for _, p := range trackingPaths {
		list = append(list, route{http.MethodPost, p.path, RoleWrite, s.postTracking(p.method)})
	}
	return append(list, route{http.MethodGet, pixelPattern, RoleWrite, s.getPixel})
}

// isTracking reports whether browsers of other origins may use a path.
func isTracking(path string) bool {
	if path == clientMetrics || slices.ContainsFunc(trackingPaths, func(p struct{ path, method string }) bool { return p.path == path }) {
		return true
	}
	return under(path, "/v1/pixel/") || under(path, "/v1/projects/")
}

func under(path, folder string) bool { return len(path) > len(folder) && path[:len(folder)] == folder }

// postTracking answers the calls of one method. Clients expect 200 unless the
// body as a whole is unusable: what became of each event is in the answer, and
// X-Strict-Mode: 1 turns a refusal into 400.
func (s *Server) postTracking(method string) func(*gin.Context) error {
	return func(c *gin.Context) error {
		call := TrackingCall{Method: method, Received: s.deps.Now()}
		if s.deps.Tracking == nil {
			return ErrNotServed
		}
		body, err := s.readTracking(c)
		if err != nil {
			return err
		}
		call.Body, call.Cut = body.Bytes(), body.cut
		receipt, err := s.track(c, call)
		if err != nil {
			s.bodies.forget(body) // The buffer may still be in use and goes to the collector.
			return err
		}
		s.bodies.put(body)
		return s.answerTracking(c, receipt)
	}
}

// track authorizes a call and hands it on.
func (s *Server) track(c *gin.Context, call TrackingCall) (TrackingReceipt, error) {
	key, err := s.writer(c, call)
	if err != nil {
		return TrackingReceipt{}, err
	}
	call.Workspace, call.Source = key.Workspace, key.source()
	call.Address, _, _ = net.SplitHostPort(c.Request.RemoteAddr)
	return s.deps.Tracking.Track(c.Request.Context(), call)
}

// writer finds the key of a call: in the Authorization header, or else in the
// body. A bearer token that is no key of ours gives way to the body's write key,
// as with Segment's OAuth, whose tokens Kindred does not issue.
func (s *Server) writer(c *gin.Context, call TrackingCall) (Key, error) {
	var key Key
	secret, found := secretOf(c.Request)
	if found {
		key, found = s.lookup(secret)
	}
	if !found && !call.Cut {
		if secret = s.deps.Tracking.WriteKey(call.Body); secret != "" {
			key, found = s.lookup(secret)
		}
	}
	if !found {
		return Key{}, s.unknown("send the write key as user name of Basic authorization, as Bearer, or as \"writeKey\" in the body")
	}
	if err := s.admit(c, key); err != nil {
		return Key{}, err
	}
	if !key.Role.may(RoleWrite) {
		return Key{}, forbidden(RoleWrite)
	}
	return key, nil
}

func (s *Server) answerTracking(c *gin.Context, r TrackingReceipt) error {
	s.acknowledge(c, r.Positions)
	if w := r.Whole; w != nil {
		if w.Code == codeTooLarge {
			return newProblem(http.StatusRequestEntityTooLarge, "body-too-large", "The body is too large", w.Detail)
		}
		return badRequest(w.Detail)
	}
	if len(r.Refused) == 0 && len(r.Warnings) == 0 {
		// Almost every answer: no need for reflection.
		b := append(make([]byte, 0, 80), `{"success":true,"received":`...)
		b = append(strconv.AppendInt(b, int64(r.Received), 10), `,"accepted":`...)
		b = append(strconv.AppendInt(b, int64(r.Accepted), 10), `,"errors":[]}`...)
		c.Data(http.StatusOK, "application/json", b)
		return nil
	}
	answer := trackingAnswer{
		Success: true, Received: r.Received, Accepted: r.Accepted,
		Errors: append([]TrackingVerdict{}, r.Refused...), Warnings: r.Warnings,
	}
	if len(r.Refused) > 0 && strict(c) {
		answer.Success = false
		p := newProblem(http.StatusBadRequest, "events-refused", "Not every event was accepted",
			"the verdict says why; every refused event is kept as a dead letter")
		p.Verdict = &answer
		return p
	}
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, "application/json", body)
	return nil
}

// strict reports whether the caller wants refusals as errors.
func strict(c *gin.Context) bool { return c.GetHeader("X-Strict-Mode") == "1" }
