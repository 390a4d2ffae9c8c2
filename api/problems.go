package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/forecast"
	"github.com/kindred-cdp/kindred/profiles/privacy"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/activation"
	"github.com/kindred-cdp/kindred/segments/text"
)

// problem is the body of every error, as RFC 9457 has it. Its texts name the
// rule that was broken and never repeat a value from the request.
type problem struct {
	Type      string  `json:"type"`
	Title     string  `json:"title"`
	Status    int     `json:"status"`
	Detail    string  `json:"detail,omitempty"`
	RequestID string  `json:"request_id,omitempty"`
	Errors    []fault `json:"errors,omitempty"`
	// TextErrors are the errors of a text with their places.
	TextErrors []remark `json:"text_errors,omitempty"`
	// Code says more finely why, for programs; Command is the id of the command
	// that was refused.
	Code    string `json:"code,omitempty"`
	Command string `json:"command,omitempty"`
	// Events counts what a refused body of events has left behind.
	Events *eventsResponse `json:"events,omitempty"`
	// Verdict is what became of each event of a refused tracking call.
	Verdict *trackingAnswer `json:"verdict,omitempty"`

	retryAfter string // header Retry-After; seconds
}

// fault points at one wrong part of a request body.
type fault struct {
	Pointer string `json:"pointer"` // RFC 6901
	Detail  string `json:"detail"`
}

// Error implements error, so that handlers return problems like any error.
func (p *problem) Error() string { return p.Title }

// newProblem returns a problem whose type is a stable name for programs.
func newProblem(status int, slug, title, detail string) *problem {
	return &problem{Type: "urn:kindred:problem:" + slug, Title: title, Status: status, Detail: detail}
}

func badRequest(detail string, faults ...fault) *problem {
	p := newProblem(http.StatusBadRequest, "bad-request", "The request is not valid", detail)
	p.Errors = faults
	return p
}

func unauthorized(detail string) *problem {
	return newProblem(http.StatusUnauthorized, "unauthorized", "An API key is needed", detail)
}

func forbidden(need Role) *problem {
	return newProblem(http.StatusForbidden, "forbidden", "The API key may not do this",
		"a key of role "+string(need)+" or admin is needed")
}

func noRoute() *problem {
	return newProblem(http.StatusNotFound, "no-such-route", "There is no such resource",
		"see /openapi.json; a slash within an identifier is written %2F")
}

func methodNotAllowed() *problem {
	return newProblem(http.StatusMethodNotAllowed, "method-not-allowed", "The method is not allowed here",
		"the Allow header lists the methods of this resource")
}

func unsupportedMedia() *problem {
	return newProblem(http.StatusUnsupportedMediaType, "unsupported-media-type", "The body must be JSON",
		"send Content-Type: application/json, uncompressed")
}

func urlTooLong() *problem {
	return newProblem(http.StatusRequestURITooLong, "url-too-long", "The URL is too long", "")
}

func internalError() *problem {
	return newProblem(http.StatusInternalServerError, "internal", "Something went wrong on our side",
		"the request id finds it in the log")
}

// problemOf maps every error that a handler can return. What it does not know
// is a 500 without a detail.
func problemOf(err error) *problem {
	var p *problem
	var invalid *segments.Invalid
	var unreadable *text.Invalid
	var large *segments.TooLarge
	var tooLarge *http.MaxBytesError
	var busy Busy
	var refused *Refused
	var destination *activation.Invalid
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &busy):
		return tooManyRequests(busy)
	case errors.Is(err, ErrUnknownKind), errors.Is(err, ErrNotServed), errors.Is(err, ErrUnknownWebhook):
		return noRoute()
	case errors.Is(err, ErrEncoding):
		return newProblem(http.StatusUnsupportedMediaType, "unsupported-encoding", "The content encoding is not known", err.Error())
	case errors.Is(err, ErrSignature):
		return newProblem(http.StatusUnauthorized, "bad-signature", "The signature of the webhook does not hold", err.Error())
	case errors.As(err, &invalid):
		faults := make([]fault, len(invalid.Faults))
		for i, f := range invalid.Faults {
			faults[i] = fault{Pointer: "/definition" + f.Pointer, Detail: f.Detail}
		}
		return badRequest("the segment definition breaks rules", faults...)
	case errors.As(err, &destination):
		faults := make([]fault, len(destination.Faults))
		for i, f := range destination.Faults {
			faults[i] = fault(f)
		}
		return badRequest("the destination breaks rules", faults...)
	case errors.Is(err, activation.ErrNoDestination):
		return newProblem(http.StatusNotFound, "destination-not-found", "There is no such destination", "it does not exist in this workspace, or was archived")
	case errors.As(err, &large):
		return readsTooMuch(large, "/definition"+large.Largest().Pointer)
	case errors.As(err, &unreadable):
		return unreadableText(unreadable)
	case errors.As(err, &tooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, "body-too-large", "The body is too large", "")
	case errors.Is(err, profiles.ErrNotFound):
		return newProblem(http.StatusNotFound, "profile-not-found", "There is no such profile",
			"no event of this workspace carried the identifier")
	case errors.Is(err, profiles.ErrNoAccount):
		return newProblem(http.StatusNotFound, "account-not-found", "There is no such account",
			"no group event of this workspace named it")
	case errors.Is(err, profiles.ErrTooExpensive):
		return newProblem(http.StatusUnprocessableEntity, "too-expensive", "The question is too expensive", "ask for less: a longer prefix, a rarer value, a shorter time")
	case errors.As(err, &refused):
		return refused.problem()
	case errors.Is(err, ErrIdentityNotHere):
		return identityNotHere()
	case errors.Is(err, identity.ErrTrialRunning):
		return dryRunRunning()
	case errors.Is(err, identity.ErrReviewCursor):
		return badRequest("the query parameter \"after\" " + identity.ErrReviewCursor.Error() + ": take it from \"next\"")
	case errors.Is(err, ErrCommandReused):
		return commandReused()
	case errors.Is(err, profiles.ErrNoCommand):
		return newProblem(http.StatusNotFound, "command-not-found", "There is no outcome of such a command",
			"nobody gave a command of that id in this workspace, or it is not applied yet")
	case errors.Is(err, ErrPending):
		return pending()
	case errors.Is(err, ErrNoPlan):
		return newProblem(http.StatusNotFound, "plan-not-found", "There is no such tracking plan", "it does not exist in this workspace, or was archived")
	case errors.Is(err, segments.ErrNoSegment):
		return newProblem(http.StatusNotFound, "segment-not-found", "There is no such segment", "it does not exist in this workspace, or was archived")
	case errors.Is(err, ErrNoKey):
		return newProblem(http.StatusNotFound, "key-not-found", "There is no such managed key", "GET /v1/keys lists them; those of KINDRED_API_KEYS are not managed")
	case errors.Is(err, ErrNoModel):
		return newProblem(http.StatusNotFound, "model-not-found", "There is no such model of linkage", "GET /v1/identity/models lists the versions there are")
	case errors.Is(err, forecast.ErrNoModel):
		return newProblem(http.StatusNotFound, "model-not-found", "There is no such model of propensity, or version of it", "GET /v1/models lists the models of this workspace")
	case errors.Is(err, privacy.ErrNoErasure):
		return noErasure()
	case errors.Is(err, ErrNoLetter):
		return newProblem(http.StatusNotFound, "letter-not-found", "There is no such dead letter", "letters are named by 32 hexadecimal digits")
	case errors.Is(err, segments.ErrTooExpensive):
		return newProblem(http.StatusUnprocessableEntity, "too-expensive", "The definition is too expensive to preview",
			"narrow it with shorter windows or fewer leaves")
	case errors.Is(err, ErrClosing):
		return newProblem(http.StatusServiceUnavailable, "closing", "The server is stopping", "send the same request again")
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(http.StatusServiceUnavailable, "timeout", "The answer took too long", "try again later")
	case errors.Is(err, context.Canceled):
		return newProblem(statusClientGone, "client-gone", "The client closed the request", "")
	}
	return internalError()
}

// segmentError is the body of errors in Segment's Profile API.
type segmentError struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// segment says p in the words of Segment's Profile API.
func (p *problem) segment() (e segmentError) {
	e.Error.Code, e.Error.Message = "internal_error", p.Title
	switch p.Status {
	case http.StatusNotFound:
		e.Error.Code, e.Error.Message = "not_found", "Profile was not found."
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Error.Code = "authentication_error"
	case http.StatusBadRequest:
		e.Error.Code, e.Error.Message = "validation_error", p.Detail
	case http.StatusTooManyRequests:
		e.Error.Code = "rate_limit_error"
	case http.StatusRequestURITooLong, http.StatusMethodNotAllowed:
		e.Error.Code = "invalid_request_error"
	}
	return e
}

// statusClientGone is what the log and metrics show when nobody waits for the
// answer any more.
const statusClientGone = 499

// fail sends err as problem+json and ends the handling of the request.
func (s *Server) fail(c *gin.Context, err error) {
	p := *problemOf(err)
	p.RequestID = requestID(c)
	if p.Status >= http.StatusInternalServerError {
		// The error is logged once, here; store errors carry no values.
		s.log.Error("request failed", "request_id", p.RequestID, "route", routeOf(c), "error", err)
	}
	h := c.Writer.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Del("ETag")
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="kindred"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
		h.Set("X-RateLimit-Reset", p.retryAfter) // Segment's name for it.
	}
	var wire any = p
	if strings.HasPrefix(c.FullPath(), segmentPrefix) {
		h.Set("Content-Type", "application/json")
		h.Set("Request-Id", p.RequestID)
		wire = p.segment()
	}
	body, err := json.Marshal(wire)
	if err != nil {
		body = []byte(`{"status":500}`) // Impossible: a problem holds strings and a number.
	}
	c.Abort()
	c.Writer.WriteHeader(p.Status)
	_, _ = c.Writer.Write(body)
}
