package api

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// Limits of the pages below.
const (
	maxPage     = 500
	defaultPage = 50
)

const (
	oneProfile      = "/v1/profiles/:id"
	identifiersPart = "/identifiers"
)

// profileRoutes are the operations on profiles and accounts.
func (s *Server) profileRoutes() []route {
	history := func(handle func(*gin.Context) error) func(*gin.Context) error {
		return func(c *gin.Context) error {
			if s.deps.History == nil {
				return noRoute()
			}
			return handle(c)
		}
	}
	return []route{
		{http.MethodGet, oneProfile, RoleRead, s.getProfile},
		{http.MethodGet, oneProfile + "/traits", RoleRead, s.getTraits},
		{http.MethodGet, oneProfile + "/scores", RoleRead, s.getScores},
		{http.MethodGet, oneProfile + "/household", RoleRead, s.getHousehold},
		{http.MethodGet, oneProfile + "/accounts", RoleRead, s.getProfileAccounts},
		{http.MethodGet, oneProfile + identifiersPart, RoleRead, history(s.getIdentifiers)},
		{http.MethodGet, oneProfile + "/timeline", RoleRead, history(s.getTimeline)},
		{http.MethodGet, oneProfile + "/products", RoleRead, history(s.getProducts)},
		{http.MethodGet, oneProfile + "/contacts", RoleRead, history(s.getContacts)},
		{http.MethodPost, "/v1/profiles/batch", RoleRead, s.postProfileBatch},
		{http.MethodGet, "/v1/profiles", RoleRead, s.searchProfiles},
		{http.MethodGet, "/v1/accounts/:id", RoleRead, s.getAccount},
	}
}

// named returns the profile that the path names, and says where it is by its id.
func (s *Server) named(c *gin.Context, part string) (*profiles.Profile, error) {
	key, _, err := s.profileKey(workspaceOf(c), c.Param("id"))
	if err != nil {
		return nil, err
	}
	p, err := profiles.Find(c.Request.Context(), s.store(c), workspaceOf(c), key)
	if err == nil {
		c.Header("Content-Location", "/v1/profiles/"+p.ID.String()+part)
	}
	return p, err
}

// readNamed reads something of the profile that the path names by its present id.
func readNamed[T any](s *Server, c *gin.Context, part string, read func(identity.ProfileID) (T, error)) (identity.ProfileID, T, error) {
	var id identity.ProfileID
	key, _, err := s.profileKey(workspaceOf(c), c.Param("id"))
	if err != nil {
		var none T
		return 0, none, err
	}
	found, err := profiles.Follow(c.Request.Context(), s.store(c), workspaceOf(c), key, func(present identity.ProfileID) (T, error) {
		id = present
		// Whom a restriction is about is told to those who can end it.
		if part != identifiersPart || !s.veil(c).off {
			if err := s.permit(c, present); err != nil {
				var none T
				return none, err
			}
		}
		return read(present)
	})
	if err == nil {
		c.Header("Content-Location", "/v1/profiles/"+id.String()+part)
	}
	return id, found, err
}

type traitsResponse struct {
	ID     identity.ProfileID       `json:"id"`
	Traits map[string]traitResponse `json:"traits"`
}

// getTraits answers GET /v1/profiles/{id}/traits, all of them or those of include.
func (s *Server) getTraits(c *gin.Context) error {
	p, err := s.named(c, "/traits")
	if err != nil {
		return err
	}
	include := c.QueryArray("include")
	r := traitsResponse{ID: p.ID, Traits: map[string]traitResponse{}}
	for _, t := range p.Traits {
		if len(include) == 0 || slices.Contains(include, t.Name) {
			r.Traits[t.Name] = newTraitResponse(t)
		}
	}
	return send(c, r)
}

type scoresResponse struct {
	ID     identity.ProfileID       `json:"id"`
	Scores map[string]scoreResponse `json:"scores"`
}

// getScores answers GET /v1/profiles/{id}/scores.
func (s *Server) getScores(c *gin.Context) error {
	p, err := s.named(c, "/scores")
	if err != nil {
		return err
	}
	return send(c, scoresResponse{p.ID, newScoresResponse(p.Scores)})
}

type profileHouseholdResponse struct {
	ID        identity.ProfileID `json:"id"`
	Household *householdResponse `json:"household"` // null for none
}

// getHousehold answers GET /v1/profiles/{id}/household.
func (s *Server) getHousehold(c *gin.Context) error {
	p, err := s.named(c, "/household")
	if err != nil {
		return err
	}
	return send(c, profileHouseholdResponse{p.ID, newHouseholdResponse(p.Household)})
}

type profileAccountsResponse struct {
	ID       identity.ProfileID    `json:"id"`
	Accounts []accountLinkResponse `json:"accounts"`
}

// getProfileAccounts answers GET /v1/profiles/{id}/accounts.
func (s *Server) getProfileAccounts(c *gin.Context) error {
	p, err := s.named(c, "/accounts")
	if err != nil {
		return err
	}
	return send(c, profileAccountsResponse{p.ID, newAccountLinks(p.Accounts)})
}

type identifiersResponse struct {
	ID          identity.ProfileID   `json:"id"`
	Identifiers []identifierResponse `json:"identifiers"`
	Count       int                  `json:"identifier_count"`
	Next        string               `json:"next,omitempty"`
}

// getIdentifiers answers GET /v1/profiles/{id}/identifiers: all of them, page by
// page, where the whole view has the earliest hundred.
func (s *Server) getIdentifiers(c *gin.Context) error {
	scope := cursorScope{"identifiers"}
	q, err := s.pageQuery(c, scope, maxPage, 100)
	if err != nil {
		return err
	}
	id, all, err := readNamed(s, c, identifiersPart, func(id identity.ProfileID) ([]profiles.Identifier, error) {
		return s.deps.History.AllIdentifiers(c.Request.Context(), workspaceOf(c), id)
	})
	if err != nil {
		return err
	}
	r := identifiersResponse{ID: id, Count: len(all)}
	all = identifiersAfter(all, q.After)
	page := all[:min(len(all), q.Limit)]
	if masks(c) {
		page = profiles.MaskIdentifiers(page)
	}
	r.Identifiers = newIdentifiers(page)
	if len(all) > len(page) {
		last := page[len(page)-1]
		r.Next = s.writeCursor(c, scope, placeInTime{last.FirstSeen, identity.ProfileID(last.Key).String()})
	}
	return send(c, r)
}

// identifiersAfter returns those after a place, which names the key of the last one:
// a value would be told to those who may not see it. Where that one has left the
// profile the page begins with what was first seen later.
func identifiersAfter(all []profiles.Identifier, place profiles.Position) []profiles.Identifier {
	if place.Key == "" {
		return all
	}
	at := slices.IndexFunc(all, func(i profiles.Identifier) bool { return identity.ProfileID(i.Key).String() == place.Key })
	if at < 0 {
		at = slices.IndexFunc(all, func(i profiles.Identifier) bool { return i.FirstSeen.After(place.Time) }) - 1
		if at < -1 {
			return nil
		}
	}
	return all[at+1:]
}
