package api

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// segmentIdentifier is an external id. Kindred does not keep which message named
// an identifier first: see /v1/identity/why for the evidence.
type segmentIdentifier struct {
	SourceID     string    `json:"source_id"`
	Collection   string    `json:"collection"`
	ID           string    `json:"id"`
	Type         string    `json:"type"`
	CreatedAt    time.Time `json:"created_at"`
	Encoding     string    `json:"encoding"`
	FirstMessage string    `json:"first_message_id"`
}

func newSegmentIdentifier(i profiles.Identifier) segmentIdentifier {
	id := segmentIdentifier{Collection: collectionUsers, ID: i.Value, Type: string(i.Namespace), CreatedAt: i.FirstSeen, Encoding: "none"}
	if len(i.Sources) > 0 {
		id.SourceID = i.Sources[0]
	}
	return id
}

func (s *Server) segmentIdentifiers(c *gin.Context) error {
	include := c.Query("include")
	q, scope, err := s.segmentPage(c, "external_ids", 200, 25, include)
	if err != nil {
		return err
	}
	all, err := segmentRead(s, c, func(id identity.ProfileID) ([]profiles.Identifier, error) {
		return s.deps.History.AllIdentifiers(c.Request.Context(), workspaceOf(c), id)
	})
	if err != nil {
		return err
	}
	wanted := listOf(include)
	all = slices.DeleteFunc(all, func(i profiles.Identifier) bool {
		return wanted != nil && !slices.Contains(wanted, string(i.Namespace))
	})
	from := 0
	if q.After.Key != "" { // The list only grows, at its end mostly.
		from, _ = strconv.Atoi(q.After.Key)
	}
	from = min(from, len(all))
	until := min(from+q.Limit, len(all))
	r := segmentList[segmentIdentifier]{Data: []segmentIdentifier{}}
	for _, i := range all[from:until] {
		r.Data = append(r.Data, newSegmentIdentifier(i))
	}
	r.Cursor = s.segmentCursor(c, scope, q, until < len(all), profiles.Position{Key: strconv.Itoa(until)})
	return send(c, r)
}

// segmentEvent is an event. What has no call of Segment is a track.
type segmentEvent struct {
	ExternalIDs []segmentIdentifier `json:"external_ids"`
	Context     json.RawMessage     `json:"context"`
	Type        string              `json:"type"`
	MessageID   string              `json:"message_id"`
	SourceID    string              `json:"source_id"`
	Timestamp   time.Time           `json:"timestamp"`
	Properties  json.RawMessage     `json:"properties"`
	Event       string              `json:"event"`
	Related     map[string]string   `json:"related"`
}

func (s *Server) segmentTimeline(c *gin.Context) error {
	sort := c.DefaultQuery("sort", "desc")
	if sort != "desc" && sort != "asc" {
		return badRequest("the query parameter \"sort\" must be desc or asc")
	}
	t := profiles.TimelineQuery{Names: listOf(c.Query("include")), Except: listOf(c.Query("exclude")), Ascending: sort == "asc"}
	var err error
	if t.From, err = timeQuery(c, "start", s.deps.Now().Add(-segmentEvents).UTC()); err != nil {
		return err
	}
	if t.To, err = timeQuery(c, "end", time.Time{}); err != nil {
		return err
	}
	q, scope, err := s.segmentPage(c, "events", 100, 10, sort, c.Query("include"), c.Query("exclude"), c.Query("start"), c.Query("end"))
	if err != nil {
		return err
	}
	t.PageQuery = q
	t.Limit++ // One more tells whether there is more.
	var id identity.ProfileID
	events, err := segmentRead(s, c, func(present identity.ProfileID) ([]profiles.Event, error) {
		id = present
		return s.deps.History.Timeline(c.Request.Context(), workspaceOf(c), present, t)
	})
	if err != nil {
		return err
	}
	page := events[:min(len(events), q.Limit)]
	r := segmentList[segmentEvent]{Data: []segmentEvent{}}
	var last profiles.Position
	for _, e := range page {
		r.Data = append(r.Data, newSegmentEvent(e, id))
		last = e.Position
	}
	r.Cursor = s.segmentCursor(c, scope, q, len(events) > len(page), last)
	return send(c, r)
}

func newSegmentEvent(e profiles.Event, id identity.ProfileID) segmentEvent {
	out := segmentEvent{
		ExternalIDs: []segmentIdentifier{}, Context: orObject(e.Context), Type: e.Type, MessageID: e.MessageID, SourceID: e.Source,
		Timestamp: e.Time, Properties: orObject(e.Properties), Event: e.Name, Related: map[string]string{collectionUsers: "use_" + id.String()},
	}
	if out.Type == "" {
		out.Type = "track"
	}
	for _, text := range e.Identifiers {
		namespace, value, _ := strings.Cut(text, ":")
		out.ExternalIDs = append(out.ExternalIDs, segmentIdentifier{
			SourceID: e.Source, Collection: collectionUsers, ID: value, Type: namespace, CreatedAt: e.Time, Encoding: "none", FirstMessage: e.MessageID,
		})
	}
	return out
}

func orObject(text json.RawMessage) json.RawMessage {
	if text == nil {
		return json.RawMessage("{}")
	}
	return text
}

type segmentMetadataResponse struct {
	Metadata segmentMeta `json:"metadata"`
}

// segmentMeta has no end: profiles do not expire.
type segmentMeta struct {
	CreatedAt     *time.Time `json:"created_at"`
	UpdatedAt     *time.Time `json:"updated_at"`
	ExpiresAt     *time.Time `json:"expires_at"`
	FirstMessage  string     `json:"first_message_id"`
	FirstSourceID string     `json:"first_source_id"`
	LastMessage   string     `json:"last_message_id"`
	LastSourceID  string     `json:"last_source_id"`
}

func (s *Server) segmentMetadata(c *gin.Context) error {
	ends, err := segmentRead(s, c, func(id identity.ProfileID) (ends [2][]profiles.Event, err error) {
		for i, ascending := range []bool{true, false} {
			q := profiles.TimelineQuery{PageQuery: profiles.PageQuery{Limit: 1}, Ascending: ascending}
			if ends[i], err = s.deps.History.Timeline(c.Request.Context(), workspaceOf(c), id, q); err != nil {
				return ends, err
			}
		}
		return ends, nil
	})
	if err != nil {
		return err
	}
	var m segmentMeta
	if first, last := ends[0], ends[1]; len(first) > 0 && len(last) > 0 {
		m.CreatedAt, m.FirstMessage, m.FirstSourceID = &first[0].Time, first[0].MessageID, first[0].Source
		m.UpdatedAt, m.LastMessage, m.LastSourceID = &last[0].Time, last[0].MessageID, last[0].Source
	}
	return send(c, segmentMetadataResponse{m})
}
