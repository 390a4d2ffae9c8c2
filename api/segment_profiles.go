package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// Segment's Profile API, so that what reads profiles there can be pointed here. A
// space is a workspace. Where Segment keeps fourteen days of events and one
// response has ten entries, more may be asked for here.

const (
	segmentPrefix  = "/v1/spaces/"
	segmentProfile = segmentPrefix + ":space/collections/:collection/profiles/:id"
	segmentEvents  = 14 * 24 * time.Hour // without "start"
)

// Collections of Segment's Profile API.
const (
	collectionUsers    = "users"
	collectionAccounts = "accounts"
)

func (s *Server) segmentRoutes() []route {
	in := func(users, accounts func(*gin.Context) error) func(*gin.Context) error {
		return func(c *gin.Context) error {
			c.Header("Request-Id", requestID(c)) // Segment's name for it.
			switch {
			case s.deps.History == nil || s.deps.Accounts == nil || c.Param("space") != workspaceOf(c):
				return noRoute()
			case c.Param("collection") == collectionUsers:
				return users(c)
			case c.Param("collection") == collectionAccounts:
				return accounts(c)
			}
			return noRoute()
		}
	}
	return []route{
		{http.MethodGet, segmentProfile + "/traits", RoleRead, in(s.segmentTraits, s.segmentAccountTraits)},
		{http.MethodGet, segmentProfile + "/external_ids", RoleRead, in(s.segmentIdentifiers, s.segmentAccountIdentifiers)},
		{http.MethodGet, segmentProfile + "/events", RoleRead, in(s.segmentTimeline, s.segmentAccountEvents)},
		{http.MethodGet, segmentProfile + "/metadata", RoleRead, in(s.segmentMetadata, s.segmentAccountMetadata)},
		{http.MethodGet, segmentProfile + "/links", RoleRead, in(s.segmentLinks, s.segmentAccountLinks)},
	}
}

// segmentCursor is how lists are continued: with next=.
type segmentCursor struct {
	URL     string `json:"url"`
	HasMore bool   `json:"has_more"`
	Next    string `json:"next"`
	Limit   int    `json:"limit"`
}

type segmentList[T any] struct {
	Data   []T           `json:"data"`
	Cursor segmentCursor `json:"cursor"`
}

// segmentPage reads limit and next. The scope takes in the filters.
func (s *Server) segmentPage(c *gin.Context, what string, most, otherwise uint64, filters ...string) (q profiles.PageQuery, scope cursorScope, err error) {
	scope = append(cursorScope{"segment", what, c.Param("collection")}, filters...)
	limit, err := numberQuery(c, "limit", 1, most, otherwise)
	if err != nil {
		return q, nil, err
	}
	var place placeInTime
	_, err = s.readCursor(c, "next", scope, &place)
	return profiles.PageQuery{Limit: int(limit), After: profiles.Position{Time: place.Time, Key: place.Key}}, scope, err
}

func (s *Server) segmentCursor(c *gin.Context, scope cursorScope, q profiles.PageQuery, more bool, last profiles.Position) segmentCursor {
	cursor := segmentCursor{URL: c.Request.URL.EscapedPath(), Limit: q.Limit, HasMore: more}
	if more {
		cursor.Next = s.writeCursor(c, scope, placeInTime{last.Time, last.Key})
	}
	return cursor
}

// segmentKey returns the key of the path: type:id with Segment's types, or an id
// of a profile, also as use_….
func (s *Server) segmentKey(c *gin.Context) (identity.Key, error) {
	text, err := url.PathUnescape(c.Param("id"))
	if err != nil {
		return 0, badRequest("the identifier must be percent-encoded UTF-8")
	}
	space, value, named := strings.Cut(text, ":")
	if !named {
		text = strings.TrimPrefix(text, "use_")
	} else {
		text = segmentNamespace(strings.ToLower(space)) + ":" + value
	}
	key, _, err := s.keyOf(workspaceOf(c), text)
	return key, err
}

// segmentNamespace is the namespace of a type of external ids, as intake reads it.
func segmentNamespace(typ string) string {
	switch typ {
	case "android.id", "android.idfa", "ios.id", "ios.idfa":
		return "device"
	case "android.push_token", "ios.push_token":
		return "push_token"
	}
	return strings.NewReplacer(".", "_", "-", "_", " ", "_").Replace(typ)
}

// segmentRead is readNamed by the identifiers of Segment.
func segmentRead[T any](s *Server, c *gin.Context, read func(identity.ProfileID) (T, error)) (T, error) {
	key, err := s.segmentKey(c)
	if err != nil {
		var none T
		return none, err
	}
	return profiles.Follow(c.Request.Context(), s.store(c), workspaceOf(c), key, func(id identity.ProfileID) (T, error) {
		if err := s.permit(c, id); err != nil {
			var none T
			return none, err
		}
		return read(id)
	})
}

func (s *Server) segmentFind(c *gin.Context) (*profiles.Profile, error) {
	return segmentRead(s, c, func(id identity.ProfileID) (*profiles.Profile, error) {
		return s.store(c).Load(c.Request.Context(), workspaceOf(c), id)
	})
}

// segmentTrait is a trait with verbose=true.
type segmentTrait struct {
	Value     any       `json:"value"`
	SourceID  string    `json:"source_id"`
	UpdatedAt time.Time `json:"updated_at"`
}

type segmentTraitsResponse struct {
	Traits map[string]any `json:"traits"`
	Cursor segmentCursor  `json:"cursor"`
}

// named is a trait by any reader.
type namedTrait struct {
	name  string
	trait segmentTrait
}

func (s *Server) segmentTraits(c *gin.Context) error {
	p, err := s.segmentFind(c)
	if err != nil {
		return err
	}
	class := c.Query("class")
	var all []namedTrait
	for _, t := range p.Traits {
		if class == "" || class == segmentClass(t) {
			all = append(all, namedTrait{t.Name, segmentTrait{t.Value, t.Source, t.Time}})
		}
	}
	return s.sendSegmentTraits(c, all, class)
}

// segmentClass is Segment's class of a trait: audiences are no traits here yet.
func segmentClass(t profiles.Trait) string {
	if t.Rule == profiles.Computed {
		return "computed_trait"
	}
	return ""
}

func (s *Server) segmentAccountTraits(c *gin.Context) error {
	a, err := s.segmentAccount(c, 0)
	if err != nil {
		return err
	}
	var all []namedTrait
	for _, t := range a.Traits {
		all = append(all, namedTrait{t.Name, segmentTrait{t.Value, t.Source, t.Time}})
	}
	return s.sendSegmentTraits(c, all, c.Query("class"))
}

// sendSegmentTraits sends a page of traits, which are in the order of their names.
func (s *Server) sendSegmentTraits(c *gin.Context, all []namedTrait, class string) error {
	include := c.Query("include")
	q, scope, err := s.segmentPage(c, "traits", 200, 10, class, include)
	if err != nil {
		return err
	}
	wanted := listOf(include)
	all = slices.DeleteFunc(all, func(t namedTrait) bool {
		return wanted != nil && !slices.Contains(wanted, t.name) || q.After.Key != "" && t.name <= q.After.Key
	})
	page := all[:min(len(all), q.Limit)]
	r := segmentTraitsResponse{Traits: make(map[string]any, len(page))}
	var last profiles.Position
	for _, t := range page {
		last.Key = t.name
		if r.Traits[t.name] = t.trait.Value; c.Query("verbose") == "true" {
			r.Traits[t.name] = t.trait
		}
	}
	r.Cursor = s.segmentCursor(c, scope, q, len(all) > len(page), last)
	return send(c, r)
}
