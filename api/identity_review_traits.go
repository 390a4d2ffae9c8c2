package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// ReviewTrait is what the two profiles of a pair say of one trait. Values are
// masked for keys of role read, like those of identifiers, and left out where a
// profile has none.
type ReviewTrait struct {
	Trait string `json:"trait"`
	// Relation is differ, agree, only_a or only_b. Texts agree that differ by case
	// and outer spaces alone.
	Relation string          `json:"relation"`
	A        json.RawMessage `json:"a,omitempty"`
	B        json.RawMessage `json:"b,omitempty"`
}

// The relations, in the order in which traits are listed.
var traitRelations = []string{"differ", "agree", "only_a", "only_b"}

// reviewReads bounds how many profiles are read at once for one request.
const reviewReads = 4

// reviewTraits compares the profiles of each pair, each profile read once. One
// that is not there to read, because it changes at this moment or its processing is
// restricted, says nothing.
func (s *Server) reviewTraits(c *gin.Context, v veil, questions []identity.Question) ([][]ReviewTrait, error) {
	place := map[identity.ProfileID]int{}
	var ids []identity.ProfileID
	for _, q := range questions {
		for _, id := range []identity.ProfileID{q.A.Profile, q.B.Profile} {
			if _, there := place[id]; !there {
				place[id] = len(ids)
				ids = append(ids, id)
			}
		}
	}
	said := make([][]profiles.Trait, len(ids))
	store := s.deps.Profiles // Values are masked below, for who may not see them.
	if s.deps.Restrictions != nil {
		store = restrictedStore{store, s.deps.Restrictions}
	}
	group, ctx := errgroup.WithContext(c.Request.Context())
	group.SetLimit(reviewReads)
	for i, id := range ids {
		group.Go(func() error {
			p, err := profiles.Find(ctx, store, workspaceOf(c), identity.Key(id))
			if err == nil {
				said[i] = p.Traits
			} else if !errors.Is(err, profiles.ErrNotFound) && !isRestricted(err) {
				return err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	list := make([][]ReviewTrait, len(questions))
	for i, q := range questions {
		list[i] = v.compare(said[place[q.A.Profile]], said[place[q.B.Profile]])
	}
	return list, nil
}

// compare lists what two profiles say, what differs first.
func (v veil) compare(a, b []profiles.Trait) []ReviewTrait {
	values := [2]map[string]json.RawMessage{{}, {}}
	all := map[string]bool{}
	for i, traits := range [2][]profiles.Trait{a, b} {
		for _, t := range traits {
			values[i][t.Name], all[t.Name] = t.Value, true
		}
	}
	list := []ReviewTrait{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		x, y := values[0][name], values[1][name]
		t := ReviewTrait{Trait: name, Relation: relation(x, y), A: v.trait(name, x), B: v.trait(name, y)}
		list = append(list, t)
	}
	slices.SortStableFunc(list, func(a, b ReviewTrait) int {
		return cmp.Compare(slices.Index(traitRelations, a.Relation), slices.Index(traitRelations, b.Relation))
	})
	return list
}

func relation(a, b json.RawMessage) string {
	switch {
	case b == nil:
		return "only_a"
	case a == nil:
		return "only_b"
	case bytes.Equal(a, b):
		return "agree"
	}
	var x, y string
	if json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && strings.EqualFold(strings.TrimSpace(x), strings.TrimSpace(y)) {
		return "agree"
	}
	return "differ"
}

// hidden is what is shown of a value that is no text.
var hidden = json.RawMessage(`"***"`)

// trait shows a value of a trait, or what of it may be shown.
func (v veil) trait(name string, value json.RawMessage) json.RawMessage {
	if v.off || value == nil {
		return value
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return hidden
	}
	shown, err := json.Marshal(profiles.MaskIdentifier(identity.Identifier{Namespace: identity.Namespace(name), Value: text}))
	if err != nil {
		return hidden // Impossible: a text always marshals.
	}
	return shown
}
