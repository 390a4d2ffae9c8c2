package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"
)

// EventIntake takes native events in.
type EventIntake interface {
	// Take reads a body to its end and returns when every event of it is kept
	// durably, each as an event or as a dead letter. On an error the outcome
	// counts what was kept before. It returns ErrUnknownKind, ErrEncoding and
	// Busy as such, and reads the body no faster than it keeps events.
	Take(ctx context.Context, b EventBody) (EventOutcome, error)
}

// EventBody is the body of one request of native events.
type EventBody struct {
	Workspace, Source string // of the API key
	Kind              string // as the path has it
	Encoding          string // as the header Content-Encoding has it
	Lines             bool   // the media type says that each line is an event
	Reader            io.Reader
}

// EventOutcome is what became of the events of a body.
type EventOutcome struct {
	Accepted, Rejected int64
	// Refusals are those of the rejected events that are listed.
	Refusals []EventRefusal
	// Positions are where the accepted events are, for a Consistency.
	Positions string
	// Damage says why the body could not be read to its end; empty when it was.
	Damage string
}

// EventRefusal says why an event was not accepted. It never holds a value.
type EventRefusal struct {
	Index   int64  `json:"index"`        // from 0, in the order of the body
	ID      string `json:"id,omitempty"` // message id, when it could be read
	Code    string `json:"code"`
	Pointer string `json:"pointer,omitempty"` // RFC 6901, within the event
	Detail  string `json:"detail"`
}

// Refusals of an EventIntake as a whole.
var (
	ErrUnknownKind = errors.New("there is no such kind of events")
	ErrEncoding    = errors.New("content encoding must be gzip, zstd or identity")
	ErrNotServed   = errors.New("this process does not take events in")
)

// eventsPattern streams: its bodies have any length and take any time, as long
// as they go on.
const eventsPattern = "/v1/events/:kind"

// streams reports whether the limits of ordinary bodies do not fit a route.
func streams(pattern string) bool { return pattern == eventsPattern || pattern == exportPattern }

type eventsResponse struct {
	Accepted int64          `json:"accepted"`
	Rejected int64          `json:"rejected"`
	Errors   []EventRefusal `json:"errors,omitempty"`
	Omitted  int64          `json:"errors_omitted,omitempty"`
}

// postEvents answers 200 when at least one event was accepted or none was sent,
// and 400 when every one was refused, when the body was damaged, or, under
// X-Strict-Mode: 1, when any was refused. Refused events are dead letters.
func (s *Server) postEvents(c *gin.Context) error {
	if s.deps.Events == nil {
		return ErrNotServed
	}
	lines, ok := eventMedia(c.GetHeader("Content-Type"))
	if !ok {
		return newProblem(http.StatusUnsupportedMediaType, "unsupported-media-type", "The body must be JSON or lines of JSON",
			"send Content-Type: application/json or application/x-ndjson")
	}
	body := s.steadyBody(c)
	defer body.stop()
	out, err := s.deps.Events.Take(body.ctx, EventBody{
		Workspace: workspaceOf(c), Source: eventSource(c), Kind: c.Param("kind"),
		Encoding: c.GetHeader("Content-Encoding"), Lines: lines, Reader: body,
	})
	s.acknowledge(c, out.Positions)
	r := eventsResponse{Accepted: out.Accepted, Rejected: out.Rejected, Errors: out.Refusals, Omitted: out.Rejected - int64(len(out.Refusals))}
	switch {
	case err != nil:
		p := *problemOf(body.cause(err))
		p.Events = &r
		return &p
	case out.Damage != "":
		return r.problem("The body could not be read to its end", out.Damage+"; events before that are counted")
	case out.Accepted == 0 && out.Rejected > 0:
		return r.problem("No event was accepted", "the errors say why; every refused event is kept as a dead letter")
	case out.Rejected > 0 && c.GetHeader("X-Strict-Mode") == "1":
		return r.problem("Not every event was accepted", "the errors say why; every refused event is kept as a dead letter")
	}
	return send(c, r)
}

func (r *eventsResponse) problem(title, detail string) error {
	p := newProblem(http.StatusBadRequest, "events-refused", title, detail)
	p.Events = r
	return p
}

// eventMedia reports whether a media type is one of events, and whether it
// means lines.
func eventMedia(contentType string) (lines, ok bool) {
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil {
		switch media {
		case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
			return true, true
		}
	}
	return false, isJSON(contentType)
}

// eventSource names the source of the request's events: that of the key.
func eventSource(c *gin.Context) string {
	if key, ok := c.Get(contextKey); ok {
		return key.(Key).source()
	}
	return ""
}
