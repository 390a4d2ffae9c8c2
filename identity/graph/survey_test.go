package graph

import (
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
)

// TestSurveyInSteps: steps of any size find what one step finds.
func TestSurveyInSteps(t *testing.T) {
	for seed := range (testCount(t) + 2) / 3 {
		r := rand.New(rand.NewPCG(uint64(seed), 14))
		w := randomWorld(r, 1+r.IntN(80))
		g := w.graph()
		for _, e := range erasuresFirst(slices.Clone(w.entries)) {
			e.tell(g)
		}
		g.Flush()
		s := g.Survey(1000, true)
		for !s.Step(1 + r.IntN(9)) {
		}
		if diff := gocmp.Diff(g.Health(1000), s.Health()); diff != "" {
			t.Fatalf("seed %d: health in steps differs: %s", seed, diff)
		}
		stats := g.Stats()
		if i, p, m := s.Totals(); i != stats.Identifiers || p != stats.Profiles || m != stats.Merges {
			t.Fatalf("seed %d: totals %d, %d, %d differ from %+v", seed, i, p, m, stats)
		}
	}
}

// TestSurveyAmidFlushes: figures agree with each other whatever comes between
// two steps.
func TestSurveyAmidFlushes(t *testing.T) {
	for seed := range (testCount(t) + 2) / 3 {
		r := rand.New(rand.NewPCG(uint64(seed), 15))
		w := randomWorld(r, 1+r.IntN(80))
		g := w.graph()
		s := g.Survey(5, true)
		for _, e := range erasuresFirst(slices.Clone(w.entries)) {
			e.tell(g)
			if g.Flush(); r.IntN(20) == 0 {
				s = g.Survey(5, true)
			}
			s.Step(r.IntN(4))
		}
		s.finish()
		h, classes := s.Health(), 0
		for _, n := range h.Sizes {
			classes += n
		}
		if classes != h.Profiles || h.Merges < 0 || len(h.Largest) > min(5, h.Profiles) {
			t.Fatalf("seed %d: figures contradict each other: %+v", seed, h)
		}
		if err := check(g); err != nil {
			t.Fatalf("seed %d: reading changed the graph: %v", seed, err)
		}
	}
}

// TestSurveyCountsJoinedProfilesOnce: two profiles of which one was met before
// they were joined, and the other after.
func TestSurveyCountsJoinedProfilesOnce(t *testing.T) {
	g := New(identity.DefaultRules())
	const people = 10
	for p := range people {
		g.See(seen("server", start+int64(p), nodeOf(1, p)))
	}
	g.Flush()
	s := g.Survey(5, false)
	s.Step(people / 2)
	for p := range people / 2 {
		g.See(seen("server", start-int64(p), nodeOf(0, p), nodeOf(1, p), nodeOf(1, p+people/2)))
	}
	g.Flush()
	s.finish()
	if c, want := s.Counts(), g.Counts(); c.Profiles != want.Profiles || c.Largest != 2 {
		t.Errorf("%d profiles, the largest of %d; want %d of 2 met", c.Profiles, c.Largest, want.Profiles)
	}
}
