package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/text"
)

// Segments keeps live segments. Implementations are safe for concurrent use.
type Segments interface {
	segments.Memberships
	// Change makes, changes or archives a segment and returns its revision when the
	// change stands. It returns a *segments.Invalid, a *Refused or ErrPending as well.
	Change(ctx context.Context, workspace, actor string, id segments.ID, change SegmentChange) (uint64, error)
}

// SegmentChange is a new state of a segment.
type SegmentChange struct {
	// Expected is the revision that the caller has seen, 0 for a new segment.
	Expected    uint64
	Archive     bool // then the rest is empty
	Description string
	Definition  json.RawMessage
}

// Bounds of the pages of members and changes.
const (
	maxMembers     = 1000
	defaultMembers = 100
)

const oneSegment = "/v1/segments/:segment"

// liveRoutes are the operations on live segments.
func (s *Server) liveRoutes() []route {
	with := func(handle func(*gin.Context) error) func(*gin.Context) error {
		return func(c *gin.Context) error {
			if segments.ID(c.Param("segment")).Path() {
				c.Header("Allow", http.MethodPost)
				return methodNotAllowed()
			}
			if s.deps.Segments == nil {
				return noRoute()
			}
			return handle(c)
		}
	}
	return []route{
		{http.MethodGet, "/v1/segments", RoleRead, with(s.listSegments)},
		{http.MethodGet, oneSegment, RoleRead, with(s.getSegment)},
		{http.MethodPut, oneSegment, RoleAdmin, with(s.putSegment)},
		{http.MethodDelete, oneSegment, RoleAdmin, with(s.deleteSegment)},
		{http.MethodGet, oneSegment + "/versions", RoleRead, with(s.getSegmentVersions)},
		{http.MethodGet, oneSegment + "/members", RoleRead, with(s.getSegmentMembers)},
		{http.MethodGet, oneSegment + "/changes", RoleRead, with(s.getSegmentChanges)},
		{http.MethodGet, oneSegment + "/insights", RoleRead, with(s.getSegmentInsights)},
		{http.MethodGet, exportPattern, RoleRead, with(s.exportSegment)},
		{http.MethodGet, oneProfile + "/segments", RoleRead, with(s.getProfileSegments)},
	}
}

type segmentResponse struct {
	ID          segments.ID     `json:"id"`
	Revision    uint64          `json:"revision"`
	ChangedAt   time.Time       `json:"changed_at"`
	ChangedBy   string          `json:"changed_by"`
	Description string          `json:"description"`
	Definition  json.RawMessage `json:"definition,omitempty"` // not in lists
	Text        string          `json:"text,omitempty"`       // the definition once more
	Archived    bool            `json:"archived,omitempty"`   // of versions
	State       *stateResponse  `json:"state,omitempty"`      // not of versions
}

// stateResponse says as of when the members are.
type stateResponse struct {
	EvaluatedAt *time.Time `json:"evaluated_at"`
	GoodAt      *time.Time `json:"good_at"`
	Revision    uint64     `json:"revision"`
	Members     uint64     `json:"members"`
	Error       string     `json:"error"`
}

func shownSegment(g segments.Segment) segmentResponse {
	words := ""
	if d, err := segments.Parse(g.Definition); err == nil { // Else it is of another release.
		words, _ = text.Format(d)
	}
	return segmentResponse{
		Text: words,
		ID:   g.ID, Revision: g.Revision, ChangedAt: g.ChangedAt, ChangedBy: g.Actor, Description: g.Description,
		Definition: g.Definition, Archived: g.Archived,
	}
}

func shownState(t segments.State) *stateResponse {
	r := &stateResponse{Revision: t.Revision, Members: t.Members, Error: t.Error}
	if !t.EvaluatedAt.IsZero() {
		r.EvaluatedAt = &t.EvaluatedAt
	}
	if !t.GoodAt.IsZero() {
		r.GoodAt = &t.GoodAt
	}
	return r
}

func (s *Server) listSegments(c *gin.Context) error {
	list, err := s.deps.Segments.List(c.Request.Context(), workspaceOf(c))
	if err != nil {
		return err
	}
	answer := struct {
		Segments []segmentResponse `json:"segments"`
	}{make([]segmentResponse, len(list))}
	for i, g := range list {
		g.Definition = nil
		answer.Segments[i] = shownSegment(g)
		answer.Segments[i].State = shownState(g.State)
	}
	return send(c, answer)
}

// segmentOf returns the live segment that the path names.
func (s *Server) segmentOf(c *gin.Context) (*segments.Segment, error) {
	return s.deps.Segments.Get(c.Request.Context(), workspaceOf(c), segments.ID(c.Param("segment")))
}

func (s *Server) getSegment(c *gin.Context) error {
	g, err := s.segmentOf(c)
	if err != nil {
		return err
	}
	answer := shownSegment(*g)
	answer.State = shownState(g.State)
	return send(c, answer)
}

func (s *Server) getSegmentVersions(c *gin.Context) error {
	list, err := s.deps.Segments.Versions(c.Request.Context(), workspaceOf(c), segments.ID(c.Param("segment")))
	if err != nil {
		return err
	}
	answer := struct {
		Versions []segmentResponse `json:"versions"`
	}{make([]segmentResponse, len(list))}
	for i, g := range list {
		answer.Versions[i] = shownSegment(g)
	}
	return send(c, answer)
}

type segmentRequest struct {
	// Expected is a pointer, because a forgotten revision must not mean a new
	// segment.
	Expected    *uint64         `json:"expected_revision"`
	Description string          `json:"description"`
	Definition  json.RawMessage `json:"definition"`
	Text        *string         `json:"text"` // the definition as text, in its place
}

func (s *Server) putSegment(c *gin.Context) error {
	var r segmentRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	if r.Expected == nil {
		return badRequest("the body is incomplete", fault{"/expected_revision", "is missing: the revision that you have seen, 0 for a new segment"})
	}
	said, err := said(r.Definition, r.Text)
	if err != nil {
		return err
	}
	if err := s.affordable(c, said.definition); err != nil {
		return err
	}
	definition, err := said.definition.MarshalJSON()
	if err != nil {
		return err
	}
	return s.changeSegment(c, SegmentChange{Expected: *r.Expected, Description: r.Description, Definition: definition})
}

func (s *Server) deleteSegment(c *gin.Context) error {
	expected, err := numberQuery(c, "expected_revision", 1, math.MaxInt64, 0)
	if err != nil {
		return err
	}
	if expected == 0 {
		return badRequest("the query parameter \"expected_revision\" is missing: the revision that you have seen")
	}
	return s.changeSegment(c, SegmentChange{Expected: expected, Archive: true})
}

func (s *Server) changeSegment(c *gin.Context, change SegmentChange) error {
	revision, err := s.deps.Segments.Change(c.Request.Context(), workspaceOf(c), actorOf(c), segments.ID(c.Param("segment")), change)
	if err != nil {
		return err
	}
	return send(c, changeResponse{revision})
}

type memberResponse struct {
	Profile identity.ProfileID `json:"profile"`
	Since   time.Time          `json:"since"`
}

// placeInSegment is where a page of members or changes ended. Profile ids are whole
// numbers of 64 bits, and never meet a reader that would round them.
type placeInSegment struct {
	Block   uint64 `json:"b,omitempty"`
	Profile uint64 `json:"p"`
}

// livePage reads what both lists of a segment take, and looks whether it is there.
func (s *Server) livePage(c *gin.Context, scope cursorScope) (limit int, from placeInSegment, err error) {
	n, err := numberQuery(c, "limit", 1, maxMembers, defaultMembers)
	if err != nil {
		return 0, from, err
	}
	if _, err = s.readCursor(c, "cursor", scope, &from); err != nil {
		return 0, from, err
	}
	_, err = s.segmentOf(c)
	return int(n), from, err
}

func (s *Server) getSegmentMembers(c *gin.Context) error {
	at, err := timeQuery(c, "at", time.Time{})
	if err != nil {
		return err
	}
	scope := cursorScope{"segment members", c.Param("segment"), c.Query("at")}
	limit, from, err := s.livePage(c, scope)
	if err != nil {
		return err
	}
	list, err := s.deps.Segments.Members(c.Request.Context(), workspaceOf(c), segments.ID(c.Param("segment")), at, identity.ProfileID(from.Profile), limit)
	if err != nil {
		return err
	}
	ids := make([]identity.ProfileID, len(list))
	for i, m := range list {
		ids[i] = m.Profile
	}
	limited, err := s.limited(c, ids)
	if err != nil {
		return err
	}
	answer := struct {
		Members []memberResponse `json:"members"`
		Next    string           `json:"next,omitempty"`
	}{Members: make([]memberResponse, 0, len(list))}
	for _, m := range list {
		if limited[m.Profile] {
			continue
		}
		answer.Members = append(answer.Members, memberResponse(m))
		concerns(c, identity.Key(m.Profile))
	}
	if len(list) == limit {
		answer.Next = s.writeCursor(c, scope, placeInSegment{Profile: uint64(list[limit-1].Profile)})
	}
	return send(c, answer)
}

// Direction is the word for a change.
func Direction(entered bool) string {
	if entered {
		return "entered"
	}
	return "exited"
}

type segmentChangeResponse struct {
	Profile  identity.ProfileID `json:"profile"`
	Change   string             `json:"change"`
	Time     time.Time          `json:"time"`
	Cause    segments.Cause     `json:"cause"`
	Leaves   []string           `json:"leaves"`
	Revision uint64             `json:"revision"`
}

func (s *Server) getSegmentChanges(c *gin.Context) error {
	scope := cursorScope{"segment changes", c.Param("segment")}
	limit, from, err := s.livePage(c, scope)
	if err != nil {
		return err
	}
	list, err := s.deps.Segments.Changes(c.Request.Context(), workspaceOf(c), segments.ID(c.Param("segment")), from.Block, identity.ProfileID(from.Profile), limit)
	if err != nil {
		return err
	}
	var entered []identity.ProfileID
	for _, g := range list {
		if g.Entered {
			entered = append(entered, g.Profile)
		}
	}
	limited, err := s.limited(c, entered)
	if err != nil {
		return err
	}
	answer := struct {
		Changes []segmentChangeResponse `json:"changes"`
		Next    string                  `json:"next"`
	}{Changes: make([]segmentChangeResponse, 0, len(list))}
	for _, g := range list {
		from = placeInSegment{Block: g.Block, Profile: uint64(g.Profile)}
		if g.Entered && limited[g.Profile] {
			continue // That they left is told: whoever keeps a copy of the segment must take them out.
		}
		answer.Changes = append(answer.Changes, segmentChangeResponse{g.Profile, Direction(g.Entered), g.Time, g.Cause, append([]string{}, g.Leaves...), g.Revision})
		concerns(c, identity.Key(g.Profile))
	}
	// Also behind the last change there is: who follows a segment comes back with it.
	answer.Next = s.writeCursor(c, scope, from)
	return send(c, answer)
}

type membershipResponse struct {
	Segment segments.ID `json:"segment"`
	Since   time.Time   `json:"since"`
}

func (s *Server) getProfileSegments(c *gin.Context) error {
	id, list, err := readNamed(s, c, "/segments", func(id identity.ProfileID) ([]segments.Membership, error) {
		return s.deps.Segments.Of(c.Request.Context(), workspaceOf(c), id)
	})
	if err != nil {
		return err
	}
	answer := struct {
		ID       identity.ProfileID   `json:"id"`
		Segments []membershipResponse `json:"segments"`
	}{id, make([]membershipResponse, len(list))}
	for i, m := range list {
		answer.Segments[i] = membershipResponse(m)
	}
	return send(c, answer)
}
