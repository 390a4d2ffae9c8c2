package graph

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// testCount is the number of random ledgers of each differential test.
func testCount(t *testing.T) int {
	s := os.Getenv("KINDRED_TEST_COUNT")
	if s == "" {
		return 600
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("KINDRED_TEST_COUNT: %v", err)
	}
	return n
}

// replica is what a reader of changes alone would know.
type replica struct {
	profile  map[identity.Key]identity.ProfileID
	tenures  map[identity.Key][]Tenure
	sets     [][]identity.Node
	deciding []identity.Key
	issued   map[identity.ProfileID]bool
	housed   map[identity.ProfileID]identity.HouseholdID
}

func newReplica() *replica {
	return &replica{
		profile: map[identity.Key]identity.ProfileID{},
		tenures: map[identity.Key][]Tenure{},
		issued:  map[identity.ProfileID]bool{},
		housed:  map[identity.ProfileID]identity.HouseholdID{},
	}
}

func (p *replica) of(k identity.Key) identity.ProfileID {
	if id, ok := p.profile[k]; ok {
		return id
	}
	return identity.ProfileID(k)
}

// apply replays what a flush reported, and decides again only the new sets and
// those of flipped identifiers.
func (p *replica) apply(g *Graph, c Changes, seen []entry) error {
	for i, m := range c.Moves {
		if i > 0 && c.Moves[i-1].Identifier >= m.Identifier {
			return fmt.Errorf("moves are not ascending at %x", m.Identifier)
		}
		if p.of(m.Identifier) != m.Old || m.Old == m.New {
			return fmt.Errorf("move of %x from %v to %v, was %v", m.Identifier, m.Old, m.New, p.of(m.Identifier))
		}
		p.profile[m.Identifier] = m.New
		p.issued[m.New] = true
	}
	for i, h := range c.Rehoused {
		if i > 0 && c.Rehoused[i-1].Profile >= h.Profile {
			return fmt.Errorf("rehousings are not ascending at %v", h.Profile)
		}
		if p.housed[h.Profile] != h.Old || h.Old == h.New {
			return fmt.Errorf("%v rehoused from %v to %v, was in %v", h.Profile, h.Old, h.New, p.housed[h.Profile])
		}
		if p.housed[h.Profile] = h.New; h.New == 0 {
			delete(p.housed, h.Profile)
		}
	}
	for _, k := range c.Retold {
		p.tenures[k] = g.Tenures(k)
	}
	for i, set := range p.sets {
		if slices.ContainsFunc(set, func(n identity.Node) bool { return slices.Contains(c.Flipped, n.Key) }) {
			p.deciding[i], _ = g.Deciding(set)
		}
	}
	for _, e := range seen {
		if e.sighting != nil && !e.pairOnly {
			p.sets = append(p.sets, e.sighting.Members)
			k, _ := g.Deciding(e.sighting.Members)
			p.deciding = append(p.deciding, k)
		}
	}
	return nil
}

// same compares a graph, and what its changes told, with the definition.
func same(g *Graph, p *replica, want oracle.Result, w *world) error {
	for _, n := range w.nodes {
		id, known := want.Profile[n.Key]
		if !known || w.rules.Rule(n.Namespace).Household && want.Gone[n.Key] {
			continue
		}
		if got := g.Profile(n.Key); got != id {
			return fmt.Errorf("profile of %s %x is %v, want %v", n.Namespace, n.Key, got, id)
		}
		if got, ok := g.Household(id); got != want.Household[id] || ok != (got != 0) {
			return fmt.Errorf("household of %v is %v, want %v", id, got, want.Household[id])
		}
		x := g.find(n.Key)
		flags := uint32(0)
		if x != 0 {
			flags = g.nodes.at(x).flags
		}
		if isGone := flags&alive == 0; isGone != want.Gone[n.Key] {
			return fmt.Errorf("gone %s %x is %v", n.Namespace, n.Key, isGone)
		}
		if isGeneric := flags&generic != 0; isGeneric != want.Generic[n.Key] {
			return fmt.Errorf("generic %s %x is %v", n.Namespace, n.Key, isGeneric)
		}
		if isBlocked := flags&blocked != 0; flags&alive != 0 && isBlocked != want.Blocked[n.Key] {
			return fmt.Errorf("blocked %s %x is %v", n.Namespace, n.Key, isBlocked)
		}
		crowds := map[identity.Namespace]bool{}
		for _, s := range g.crowded[x] {
			crowds[g.spaces[s].name] = true
		}
		if fmt.Sprint(crowds) != fmt.Sprint(want.Crowded[n.Key]) {
			return fmt.Errorf("crowded %s %x is %v, want %v", n.Namespace, n.Key, crowds, want.Crowded[n.Key])
		}
		if err := sameTenures(g.Tenures(n.Key), want.Tenures[n.Key]); err != nil {
			return fmt.Errorf("tenures of %s %x: %w", n.Namespace, n.Key, err)
		}
		if p == nil {
			continue
		}
		if err := sameTenures(p.tenures[n.Key], want.Tenures[n.Key]); err != nil {
			return fmt.Errorf("told tenures of %s %x: %w", n.Namespace, n.Key, err)
		}
		if p.of(n.Key) != id {
			return fmt.Errorf("told profile of %s %x is %v, want %v", n.Namespace, n.Key, p.of(n.Key), id)
		}
	}
	if s := g.Stats(); s.Profiles != want.Profiles || s.Merges != want.Merges ||
		s.Generic != len(want.Generic) || s.Identifiers != len(want.Profile)-len(want.Gone) {
		return fmt.Errorf("stats %+v, want %d profiles, %d merges", s, want.Profiles, want.Merges)
	}
	if p == nil {
		return nil
	}
	if !maps.Equal(p.housed, want.Household) {
		return fmt.Errorf("told households %v, want %v", p.housed, want.Household)
	}
	for i, set := range p.sets {
		if k, _ := want.Deciding(set); k != p.deciding[i] {
			return fmt.Errorf("set %v is decided by %x, want %x", set, p.deciding[i], k)
		}
	}
	for id := range p.issued {
		if id != 0 && g.Profile(identity.Key(id)) != want.Profile[identity.Key(id)] {
			return fmt.Errorf("issued id %v resolves to %v", id, g.Profile(identity.Key(id)))
		}
	}
	return nil
}

func sameTenures(got []Tenure, want []oracle.Tenure) error {
	if len(got) != len(want) {
		return fmt.Errorf("%v, want %v", got, want)
	}
	for i := range got {
		if got[i].Until != want[i].Until || got[i].Owner != want[i].Owner {
			return fmt.Errorf("%v, want %v", got, want)
		}
	}
	return nil
}

// stream tells entries to a graph in batches and compares after each.
func stream(w *world, entries []entry, batches []int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
			if os.Getenv("KINDRED_TEST_PANIC") != "" {
				panic(r)
			}
		}
	}()
	g, o, p := w.graph(), oracle.New(w.rules), newReplica()
	for i, b := 0, 0; i < len(entries); b++ {
		to := min(len(entries), i+batches[b%len(batches)])
		for _, e := range entries[i:to] {
			e.tell(g)
			e.tell(o)
		}
		c := g.Flush()
		if err := p.apply(g, c, entries[i:to]); err != nil {
			return fmt.Errorf("after %d entries: %w", to, err)
		}
		if err := same(g, p, o.Evaluate(), w); err != nil {
			return fmt.Errorf("after %d entries: %w", to, err)
		}
		if err := check(g); err != nil {
			return fmt.Errorf("after %d entries: %w", to, err)
		}
		i = to
	}
	return nil
}

// shrink drops entries as long as the failure stays.
func shrink(w *world, entries []entry, batches []int) []entry {
	for step := len(entries) / 2; step > 0; step /= 2 {
		for i := 0; i+step <= len(entries); {
			rest := slices.Concat(entries[:i], entries[i+step:])
			if stream(w, rest, batches) != nil {
				entries = rest
			} else {
				i += step
			}
		}
	}
	return entries
}

func TestStreamEqualsOracle(t *testing.T) {
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		w := randomWorld(r, 1+r.IntN(60))
		entries := erasuresFirst(slices.Clone(w.entries))
		batches := []int{1}
		if r.IntN(2) == 0 {
			batches = []int{1 + r.IntN(4), 1 + r.IntN(12)}
		}
		if err := stream(w, entries, batches); err != nil {
			small := shrink(w, entries, batches)
			t.Errorf("seed %d: %v", seed, err)
			report(t, w, small, batches)
			return
		}
	}
}

func report(t *testing.T, w *world, entries []entry, batches []int) {
	t.Helper()
	t.Logf("shrunk to: %v", stream(w, entries, batches))
	for ns, r := range w.rules.Namespaces {
		t.Logf("rule %s %+v", ns, r)
	}
	t.Logf("C %d G %d thresholds %d %d batches %v", w.rules.UnitCap, w.rules.GroupCap,
		w.rules.ReviewThreshold, w.rules.LinkThreshold, batches)
	for _, e := range entries {
		switch {
		case e.sighting != nil:
			t.Logf("see %v pairOnly=%v", *e.sighting, e.pairOnly)
		case e.score != nil:
			t.Logf("score %+v", *e.score)
		case e.decision != nil:
			t.Logf("decide %+v", *e.decision)
		default:
			t.Logf("forget %+v", e)
		}
	}
}

func TestPermutationsEqual(t *testing.T) {
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 2))
		size := 60
		if seed%10 == 0 {
			size = 400
		}
		w := randomWorld(r, 1+r.IntN(size))
		o := oracle.New(w.rules)
		for _, e := range w.entries {
			e.tell(o)
		}
		want := o.Evaluate()
		for range 2 {
			entries, batches := w.permuted(r), []int{1 + r.IntN(9), 1 + r.IntN(9), 1 + r.IntN(9)}
			g := w.graph()
			for i, b := 0, 0; i < len(entries); b++ {
				to := min(len(entries), i+batches[b%len(batches)])
				for _, e := range entries[i:to] {
					e.tell(g)
				}
				g.Flush()
				i = to
			}
			if err := same(g, nil, want, w); err != nil {
				t.Errorf("seed %d: %v", seed, err)
				report(t, w, shrink(w, entries, batches), batches)
				return
			}
		}
	}
}

// mergedRow is a row of a table: what one source says in one period.
type mergedRow struct {
	low, high identity.Node
	source    string
	period    identity.Period
}

// TestRebuildEqualsOracle loads merged rows as a restart does, identifiers and
// pairs in any order, decisions before, between or after them.
func TestRebuildEqualsOracle(t *testing.T) {
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		w := randomWorld(r, 1+r.IntN(80))
		o := oracle.New(w.rules)
		rows := map[mergedRow]identity.Span{}
		erased := map[identity.Key]int64{}
		for _, e := range w.entries {
			e.tell(o)
			if e.erase != 0 {
				erased[e.erase] = max(erased[e.erase], e.at)
			}
		}
		add := func(m mergedRow, s identity.Span) {
			for _, n := range []identity.Node{m.low, m.high} {
				if at, ok := erased[n.Key]; ok && s.FirstReceived <= at {
					return
				}
			}
			s.FirstEvent, s.LastEvent = min(s.FirstEvent, s.FirstReceived), min(s.LastEvent, s.LastReceived)
			if old, ok := rows[m]; ok {
				s = s.Merge(old)
			}
			rows[m] = s
		}
		for _, e := range w.entries {
			s := e.sighting
			for i := 0; s != nil && i < len(s.Members); i++ {
				if !e.pairOnly {
					add(mergedRow{s.Members[i], identity.Node{}, s.Source, s.Period}, s.Span)
				}
				for _, b := range s.Members[i+1:] {
					add(mergedRow{s.Members[i], b, s.Source, s.Period}, s.Span)
				}
			}
		}
		g := w.graph()
		for k, at := range erased {
			g.Erase(k, at)
		}
		var load []func()
		for m, s := range rows {
			if m.high.Key == 0 {
				load = append(load, func() { g.SeeIdentifier(m.low, m.source, m.period, s) })
			} else {
				load = append(load, func() { g.SeePair(m.low, m.high, m.source, m.period, s) })
			}
		}
		for _, e := range w.entries {
			if e.sighting == nil && e.erase == 0 {
				load = append(load, func() { e.tell(g) })
			}
		}
		r.Shuffle(len(load), func(i, j int) { load[i], load[j] = load[j], load[i] })
		for _, f := range load {
			f()
		}
		g.Flush()
		if err := same(g, nil, o.Evaluate(), w); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}
