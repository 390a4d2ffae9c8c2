package api

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/activation"
)

type destinationTestRequest struct {
	Profile    json.RawMessage `json:"profile"` // text, namespace:value or the id of a profile, or an object
	Segment    segments.ID     `json:"segment"`
	Change     string          `json:"change"`     // entered (default) or exited
	Definition json.RawMessage `json:"definition"` // in place of the one that stands
}

type destinationTestResponse struct {
	Outcome   string            `json:"outcome"`
	Method    string            `json:"method,omitempty"`
	URL       string            `json:"url,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	Recipient string            `json:"recipient,omitempty"`
	// Body is JSON where it is, else text.
	Body any `json:"body,omitempty"`
}

// testDestination answers with what would be sent of a person, and sends nothing.
func (s *Server) testDestination(c *gin.Context) error {
	var r destinationTestRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	name, err := identifierText(r.Profile)
	if err != nil {
		return badRequest("the request breaks rules", fault{"/profile", err.Error()})
	}
	if r.Change == "" {
		r.Change = Direction(true)
	}
	if r.Change != Direction(true) && r.Change != Direction(false) || !r.Segment.Valid() {
		return badRequest("the request breaks rules", fault{"/segment", "must be the name of a segment"}, fault{"/change", "must be entered or exited"})
	}
	key, _, err := s.keyOf(workspaceOf(c), name)
	if err != nil {
		return err
	}
	concerns(c, key)
	p, err := profiles.Find(c.Request.Context(), s.store(c), workspaceOf(c), key)
	if err != nil {
		return err
	}
	made, err := s.deps.Destinations.Preview(c.Request.Context(), workspaceOf(c), activation.ID(c.Param("destination")), r.Definition, p, r.Segment, r.Change == Direction(true))
	if err != nil {
		return err
	}
	answer := destinationTestResponse{Outcome: made.Outcome, Method: made.Method, URL: made.URL, Recipient: made.Recipient}
	if len(made.Header) > 0 {
		answer.Headers = map[string]string{}
		for name, values := range made.Header {
			answer.Headers[name] = strings.Join(values, ", ")
		}
	}
	if json.Valid(made.Body) {
		answer.Body = json.RawMessage(made.Body)
	} else if len(made.Body) > 0 {
		answer.Body = string(made.Body)
	}
	if key, ok := c.Get(contextKey); !ok || key.(Key).Role != RoleAdmin { // See shownDefinition.
		answer.URL, answer.Headers = "", nil
	}
	return send(c, answer)
}

type destinationLetterResponse struct {
	ID        string             `json:"id"`
	State     string             `json:"state"`
	Time      time.Time          `json:"time"`
	Segment   segments.ID        `json:"segment"`
	Profile   identity.ProfileID `json:"profile"`
	Change    string             `json:"change"`
	ChangedAt time.Time          `json:"changed_at"`
	Reason    string             `json:"reason"`
	Status    uint16             `json:"status,omitempty"`
	Attempts  uint32             `json:"attempts"`
	Answer    string             `json:"answer,omitempty"`
}

// placeInLetters is where a page of letters ended.
type placeInLetters struct {
	ID string `json:"i"`
}

func (s *Server) getDestinationLetters(c *gin.Context) error {
	scope := cursorScope{"destination letters", c.Param("destination"), c.Query("state")}
	limit, err := numberQuery(c, "limit", 1, maxMembers, defaultMembers)
	if err != nil {
		return err
	}
	var from placeInLetters
	if _, err = s.readCursor(c, "cursor", scope, &from); err != nil {
		return err
	}
	if _, err = s.destinationOf(c); err != nil {
		return err
	}
	list, err := s.deps.Destinations.Letters(c.Request.Context(), workspaceOf(c), activation.ID(c.Param("destination")), c.Query("state"), from.ID, int(limit))
	if err != nil {
		return err
	}
	answer := struct {
		Letters []destinationLetterResponse `json:"letters"`
		Next    string                      `json:"next,omitempty"`
	}{Letters: make([]destinationLetterResponse, len(list))}
	for i, l := range list {
		answer.Letters[i] = destinationLetterResponse{
			l.ID, l.State, l.Time, l.Change.Segment, l.Change.Profile, Direction(l.Change.Entered), l.Change.Time, l.Reason, l.Status, l.Attempts, l.Answer,
		}
		concerns(c, identity.Key(l.Change.Profile))
	}
	if len(list) == int(limit) {
		answer.Next = s.writeCursor(c, scope, placeInLetters{list[limit-1].ID})
	}
	return send(c, answer)
}

// redeliver has letters sent again.
func (s *Server) redeliver(c *gin.Context) error {
	var r struct {
		Letters []string `json:"letters"`
	}
	if c.Request.ContentLength != 0 {
		if err := decode(c, &r); err != nil {
			return err
		}
	}
	if _, err := s.destinationOf(c); err != nil {
		return err
	}
	n, err := s.deps.Destinations.Redeliver(c.Request.Context(), workspaceOf(c), actorOf(c), activation.ID(c.Param("destination")), r.Letters)
	if err != nil {
		return err
	}
	return send(c, struct {
		Letters int `json:"letters"`
	}{n})
}

// syncDestination has a destination told what it does not know.
func (s *Server) syncDestination(c *gin.Context) error {
	var r struct {
		Everybody bool `json:"everybody"`
	}
	if c.Request.ContentLength != 0 {
		if err := decode(c, &r); err != nil {
			return err
		}
	}
	if _, err := s.destinationOf(c); err != nil {
		return err
	}
	revision, err := s.deps.Destinations.Sync(c.Request.Context(), workspaceOf(c), actorOf(c), activation.ID(c.Param("destination")), activation.Sync{Everybody: r.Everybody})
	if err != nil {
		return err
	}
	return send(c, changeResponse{revision})
}
