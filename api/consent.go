package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/privacy"
)

// ConsentStatement is one statement of a person, with its proof: the message that
// carried it, and what the person was shown.
type ConsentStatement struct {
	Purpose   string    `json:"purpose"`
	Channel   string    `json:"channel,omitempty"` // empty for all
	Address   string    `json:"address,omitempty"` // of the channel; empty for all
	Granted   bool      `json:"granted"`
	Time      time.Time `json:"time"`
	Source    string    `json:"source"`
	Origin    string    `json:"origin"` // traits, context, event or contact
	Proof     string    `json:"proof,omitempty"`
	MessageID string    `json:"message_id"`
}

// ConsentAnswer is what a person has stated: what stands, and all of it.
type ConsentAnswer struct {
	Current []ConsentStatement `json:"current"`
	History []ConsentStatement `json:"history"`
	More    bool               `json:"history_cut,omitempty"` // there is more history than is listed
}

func (s *Server) getConsent(c *gin.Context) error {
	p, err := s.profileOf(c)
	if err != nil {
		return err
	}
	if err := s.permit(c, p.ID); err != nil {
		return err
	}
	found, err := s.deps.Privacy.Consent(c.Request.Context(), workspaceOf(c), p)
	if err != nil {
		return err
	}
	admin := s.veil(c).off
	return send(c, ConsentAnswer{Current: shownConsent(found.Current, admin), History: shownConsent(found.History, admin), More: found.More})
}

// shownConsent shows addresses to admins only.
func shownConsent(list []privacy.Statement, admin bool) []ConsentStatement {
	out := make([]ConsentStatement, len(list))
	for i, x := range list {
		out[i] = ConsentStatement(x)
		if !admin {
			out[i].Address = ""
		}
	}
	return out
}

// consentRequest states a consent or a refusal.
type consentRequest struct {
	Purpose string    `json:"purpose"`
	Channel string    `json:"channel"`
	Address string    `json:"address"` // namespace:value of the channel
	Granted *bool     `json:"granted"`
	Proof   string    `json:"proof"` // what the person was shown, such as the version of a text
	Time    time.Time `json:"time"`
}

// postConsent sends the statement the way of all events, so that it has one place in
// the order of what the person said, and its message is its proof.
func (s *Server) postConsent(c *gin.Context) error {
	if s.deps.Events == nil {
		return ErrNotServed
	}
	var r consentRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	var faults faultList
	name := func(pointer, value string, needed bool) {
		if needed && value == "" || len(value) > 100 || strings.ContainsAny(value, "\x00\n") {
			faults.add(pointer, "must be a name of at most 100 bytes")
		}
	}
	name("/purpose", r.Purpose, true)
	name("/channel", r.Channel, false)
	if r.Granted == nil {
		faults.add("/granted", "is missing: true for a consent, false for a refusal")
	}
	if len(r.Proof) > 1000 {
		faults.add("/proof", "must be at most 1000 bytes")
	}
	if len(faults) > 0 {
		return badRequest("the statement breaks rules", faults...)
	}
	text, err := url.PathUnescape(c.Param("id"))
	if err != nil {
		return badRequest("the identifier must be percent-encoded UTF-8")
	}
	who, err := s.nameOf(c, text)
	if err != nil {
		return err
	}
	statement := map[string]any{"purpose": r.Purpose, "channel": r.Channel, "granted": *r.Granted, "proof": r.Proof}
	if r.Address != "" {
		address, err := s.identifier(r.Address)
		if err != nil {
			return badRequest("the statement breaks rules", fault{"/address", err.Error()})
		}
		statement["address"] = address.String()
	}
	if r.Time.IsZero() {
		r.Time = s.deps.Now()
	}
	return s.tell(c, who, "/v1/profiles/"+url.PathEscape(who.String())+"/consent", map[string]any{
		"name": "Consent Stated", "time": r.Time.UTC(), "properties": map[string]any{"consent": []any{statement}},
	})
}

// tell sends an event about a person the way of all events, and answers with the id of
// its message and the place where its effect will be.
func (s *Server) tell(c *gin.Context, who identity.Identifier, place string, event map[string]any) error {
	id := newCommandID()
	event["id"], event["identifiers"] = id, []map[string]string{{"namespace": string(who.Namespace), "value": who.Value}}
	body, err := json.Marshal(event)
	if err != nil {
		return err
	}
	key, _ := c.Get(contextKey)
	out, err := s.deps.Events.Take(c.Request.Context(), EventBody{
		Workspace: workspaceOf(c), Source: key.(Key).source(), Kind: "behaviour", Reader: bytes.NewReader(body),
	})
	if err != nil {
		return err
	}
	if out.Accepted != 1 {
		return newProblem(http.StatusBadRequest, "bad-request", "The request is not valid", "what is stated could not be made an event")
	}
	return acceptedAt(c, place, map[string]string{"message_id": id})
}
