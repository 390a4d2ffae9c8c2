package graph

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"
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

func TestStreamEqualsOracle(t *testing.T) { streamEqualsOracle(t, 1, randomWorld) }

// TestLinkageEqualsOracle is the same with mostly scored pairs and small caps.
func TestLinkageEqualsOracle(t *testing.T) {
	streamEqualsOracle(t, 6, func(r *rand.Rand, size int) *world { return worldOf(r, size, mostlyScores) })
}

// TestHouseholdsEqualOracle is the same with mostly household values.
func TestHouseholdsEqualOracle(t *testing.T) {
	streamEqualsOracle(t, 7, func(r *rand.Rand, size int) *world { return worldOf(r, size, mostlyHouseholds) })
}

func streamEqualsOracle(t *testing.T, sequence uint64, worlds func(*rand.Rand, int) *world) {
	t.Helper()
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), sequence))
		w := worlds(r, 1+r.IntN(60))
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

// mergedRows returns the rows of a world as its tables would hold them, and what
// was erased.
func (w *world) mergedRows() (rows map[mergedRow]identity.Span, erased map[identity.Key]int64) {
	rows, erased = map[mergedRow]identity.Span{}, map[identity.Key]int64{}
	for _, e := range w.entries {
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
	return rows, erased
}

// TestRebuildEqualsOracle loads merged rows, identifiers and pairs in any order,
// decisions before, between or after them.
func TestRebuildEqualsOracle(t *testing.T) {
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		w := randomWorld(r, 1+r.IntN(80))
		o := oracle.New(w.rules)
		for _, e := range w.entries {
			e.tell(o)
		}
		rows, erased := w.mergedRows()
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
		if err := rebuilt(g); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := same(g, nil, o.Evaluate(), w); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// rebuilt flushes g. A state that cannot be is an error of the test, which knows the
// seed.
func rebuilt(g *Graph) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v\n%s", p, debug.Stack())
		}
	}()
	g.Flush()
	return nil
}
