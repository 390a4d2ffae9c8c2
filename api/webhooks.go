package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
)

// WebhookIntake takes deliveries of other systems in.
type WebhookIntake interface {
	// Deliver checks the signature of a delivery and returns when its events
	// are kept durably. It returns ErrUnknownWebhook, an error that wraps
	// ErrSignature, and Busy as such.
	Deliver(ctx context.Context, d WebhookDelivery) (WebhookReply, error)
}

// WebhookDelivery is one request to a webhook.
type WebhookDelivery struct {
	Name   string // of the webhook, as the path has it
	Method string // GET, by which some systems ask for a challenge, or POST
	Header http.Header
	Query  url.Values
	Body   []byte
}

// WebhookReply is the answer to a delivery: that to a challenge when
// ContentType is set, otherwise the counts.
type WebhookReply struct {
	ContentType        string
	Body               []byte
	Accepted, Rejected int
	// Duplicate says that the delivery was taken in before.
	Duplicate bool
}

// Refusals of a WebhookIntake. An error that wraps ErrSignature says which rule
// was broken, and nothing of the secret.
var (
	ErrUnknownWebhook = errors.New("there is no such webhook")
	ErrSignature      = errors.New("signature")
)

const webhooksPattern = "/v1/webhooks/:name"

type webhookResponse struct {
	Accepted  int  `json:"accepted"`
	Rejected  int  `json:"rejected"`
	Duplicate bool `json:"duplicate,omitempty"`
}

// postWebhook answers 200 once the events are kept, also when some of them are
// dead letters: sending them again would not mend them.
func (s *Server) postWebhook(c *gin.Context) error {
	body, err := io.ReadAll(c.Request.Body)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return fmt.Errorf("%w: the body broke off", context.Canceled)
	}
	return s.deliver(c, body)
}

// getWebhook answers challenges.
func (s *Server) getWebhook(c *gin.Context) error { return s.deliver(c, nil) }

func (s *Server) deliver(c *gin.Context, body []byte) error {
	if s.deps.Webhooks == nil {
		return ErrNotServed
	}
	r, err := s.deps.Webhooks.Deliver(c.Request.Context(), WebhookDelivery{
		Name: c.Param("name"), Method: c.Request.Method, Header: c.Request.Header, Query: c.Request.URL.Query(), Body: body,
	})
	switch {
	case err != nil:
		return err
	case r.ContentType != "":
		c.Data(http.StatusOK, r.ContentType, r.Body)
		return nil
	}
	return send(c, webhookResponse{Accepted: r.Accepted, Rejected: r.Rejected, Duplicate: r.Duplicate})
}
