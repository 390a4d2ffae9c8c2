package api

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// Limits of a search.
const (
	maxFound     = 100
	defaultFound = 20
	minPrefix    = 2 // characters
)

type searchResponse struct {
	Profiles []foundResponse `json:"profiles"`
	Next     string          `json:"next,omitempty"`
}

type foundResponse struct {
	ID         identity.ProfileID `json:"id"`
	Identifier *matchedIdentifier `json:"identifier,omitempty"` // by which it was found
	Trait      *matchedTrait      `json:"trait,omitempty"`
}

type matchedIdentifier struct {
	Namespace identity.Namespace `json:"namespace"`
	Value     string             `json:"value"`
}

type matchedTrait struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// searchProfiles answers GET /v1/profiles: those with an identifier that begins
// with a text, or with a trait of a value. A page may be short of its limit where
// what was found is nobody's or holds no more; the search ends where next does.
func (s *Server) searchProfiles(c *gin.Context) error {
	if s.deps.Searcher == nil {
		return noRoute()
	}
	limit, err := numberQuery(c, "limit", 1, maxFound, defaultFound)
	if err != nil {
		return err
	}
	prefix, byPrefix := c.GetQuery("identifier")
	trait, byTrait := c.GetQuery("trait")
	value, valued := c.GetQuery("value")
	if byPrefix == byTrait || valued != byTrait {
		return badRequest("a search has the query parameter \"identifier\", or \"trait\" and \"value\"")
	}
	if !utf8.ValidString(prefix) || !utf8.ValidString(trait) || !utf8.ValidString(value) || max(len(prefix), len(trait), len(value)) > maxIdentifier {
		return badRequest("what is searched for must be UTF-8 and at most 1024 bytes long")
	}
	q := profiles.SearchQuery{Limit: int(limit)}
	scope := cursorScope{"search", prefix, trait, value}
	if _, err := s.readCursor(c, "cursor", scope, &q.After); err != nil {
		return err
	}
	var r searchResponse
	var matches []profiles.Match
	if byPrefix {
		r.Profiles, matches, err = s.searchPrefix(c, prefix, q)
	} else {
		r.Profiles, matches, err = s.searchTrait(c, trait, value, q)
	}
	if err != nil {
		return err
	}
	if len(matches) == q.Limit {
		r.Next = s.writeCursor(c, scope, matches[len(matches)-1].Place)
	}
	return send(c, r)
}

func (s *Server) searchPrefix(c *gin.Context, text string, q profiles.SearchQuery) ([]foundResponse, []profiles.Match, error) {
	var ns identity.Namespace
	prefix := text
	if space, rest, ok := strings.Cut(text, ":"); ok && identity.Namespace(space).Validate() == nil {
		ns, prefix = identity.Namespace(space), rest
	}
	if utf8.RuneCountInString(prefix) < minPrefix {
		return nil, nil, badRequest("the beginning of an identifier must have two characters or more")
	}
	if ns == "email" || strings.Contains(prefix, "@") {
		prefix = strings.ToLower(prefix) // Addresses are kept so.
	}
	matches, err := s.deps.Searcher.ByPrefix(c.Request.Context(), workspaceOf(c), ns, prefix, q)
	if err != nil {
		return nil, nil, err
	}
	ids := make([]identity.ProfileID, 0, len(matches))
	for _, m := range matches {
		if m.Profile != 0 {
			ids = append(ids, m.Profile)
		}
	}
	free, err := s.permitted(c, ids)
	found := []foundResponse{}
	for _, m := range matches {
		if free[m.Profile] {
			found = append(found, foundResponse{ID: m.Profile, Identifier: &matchedIdentifier{m.Identifier.Namespace, m.Identifier.Value}})
		}
	}
	return found, matches, err
}

// searchTrait asks each profile of whom the value was once said whether it is
// still the one that stands.
func (s *Server) searchTrait(c *gin.Context, trait, value string, q profiles.SearchQuery) ([]foundResponse, []profiles.Match, error) {
	if trait == "" {
		return nil, nil, badRequest("a trait has a name")
	}
	values := []string{jsonText(value)}
	if json.Valid([]byte(value)) {
		values = append(values, value)
	}
	matches, err := s.deps.Searcher.ByTrait(c.Request.Context(), workspaceOf(c), trait, values, q)
	if err != nil {
		return nil, nil, err
	}
	stands := make([]json.RawMessage, len(matches))
	seen := map[identity.ProfileID]bool{}
	group, ctx := errgroup.WithContext(c.Request.Context())
	group.SetLimit(batchReads)
	store := s.store(c)
	for i, m := range matches {
		if m.Profile == 0 || seen[m.Profile] {
			continue
		}
		seen[m.Profile] = true
		group.Go(func() error {
			p, err := s.find(ctx, store, workspaceOf(c), m.Profile.String())
			if errors.Is(err, profiles.ErrNotFound) || isRestricted(err) {
				return nil // Gone since it was found, or not to be used.
			}
			if err == nil {
				stands[i] = standing(p, trait, values)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	found := []foundResponse{}
	for i, m := range matches {
		if stands[i] != nil {
			found = append(found, foundResponse{ID: m.Profile, Trait: &matchedTrait{trait, stands[i]}})
		}
	}
	return found, matches, nil
}

// standing returns the value of a trait where it is one of values, or a list that
// has one of them.
func standing(p *profiles.Profile, trait string, values []string) json.RawMessage {
	for _, t := range p.Traits {
		if t.Name != trait {
			continue
		}
		var list []json.RawMessage
		_ = json.Unmarshal(t.Value, &list) // What is no list has no elements.
		if slices.Contains(values, string(t.Value)) || slices.ContainsFunc(list, func(e json.RawMessage) bool { return slices.Contains(values, string(e)) }) {
			return t.Value
		}
	}
	return nil
}

// jsonText returns s as JSON, written as most clients write it.
func jsonText(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // A text can always be encoded.
	return strings.TrimSuffix(b.String(), "\n")
}
