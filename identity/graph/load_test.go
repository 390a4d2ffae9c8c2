package graph

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// compareRows orders rows as a load wants them.
func compareRows(a, b mergedRow) int {
	return cmp.Or(cmp.Compare(a.low.Key, b.low.Key), cmp.Compare(a.high.Key, b.high.Key))
}

// load takes rows into g as a restart does, in batches of random size.
func load(g *Graph, r *rand.Rand, rows map[mergedRow]identity.Span) {
	var namespaces []identity.Namespace
	var sources []string
	for m := range rows {
		namespaces = append(namespaces, m.low.Namespace, m.high.Namespace)
		sources = append(sources, m.source)
	}
	slices.Sort(namespaces)
	slices.Sort(sources)
	namespaces, sources = slices.Compact(namespaces), slices.Compact(sources)
	namespace := func(n identity.Node) uint16 { return uint16(slices.Index(namespaces, n.Namespace)) }
	l := g.Load(namespaces, sources)
	var ids []StoredIdentifier
	var pairs []StoredPair
	ordered, named := map[mergedRow]identity.Span{}, map[identity.Key]identity.Namespace{}
	for m, span := range rows {
		if m.high.Key != 0 && m.high.Key < m.low.Key {
			m.low, m.high = m.high, m.low
		}
		if old, ok := ordered[m]; ok {
			span = span.Merge(old)
		}
		ordered[m] = span
		named[m.low.Key], named[m.high.Key] = m.low.Namespace, m.high.Namespace
	}
	for _, m := range slices.SortedFunc(maps.Keys(ordered), compareRows) {
		source := uint16(slices.Index(sources, m.source))
		if m.high.Key == 0 {
			ids = append(ids, StoredIdentifier{m.low.Key, namespace(m.low), source, m.low.Blocked, m.period, ordered[m]})
			continue
		}
		pairs = append(pairs, StoredPair{m.low.Key, m.high.Key, source, m.period, ordered[m], 0})
	}
	for len(ids) > 0 {
		n := 1 + r.IntN(len(ids))
		l.Identifiers(ids[:n])
		ids = ids[n:]
	}
	for len(pairs) > 0 {
		n := 1 + r.IntN(len(pairs))
		if r.IntN(2) == 0 {
			l.Ahead(pairs[r.IntN(n):])
		}
		l.Pairs(pairs[:n])
		pairs = pairs[n:]
	}
	l.End()
	for _, p := range l.Missing() {
		l.Late(p, named[p.Low], named[p.High])
	}
}

// TestLoadEqualsOracle loads a stored ledger into an empty graph, or into one
// that knows of erasures already, and goes on with the rest as a stream.
func TestLoadEqualsOracle(t *testing.T) {
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 16))
		w := randomWorld(r, 1+r.IntN(80))
		stream := w.entries[r.IntN(len(w.entries)+1):]
		if r.IntN(2) == 0 {
			stream = nil
		}
		o := oracle.New(w.rules)
		for _, e := range w.entries {
			e.tell(o)
		}
		rows, erased := w.mergedRows()
		g := w.graph()
		for k, at := range erased {
			g.Erase(k, at)
		}
		load(g, r, rows)
		for _, e := range w.entries {
			if e.sighting == nil && e.erase == 0 {
				e.tell(g)
			}
		}
		g.Flush()
		for _, e := range stream { // Once more: the indexes must find all of it.
			if e.erase == 0 {
				e.tell(g)
			}
		}
		g.Flush()
		if err := same(g, nil, o.Evaluate(), w); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := check(g); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestPlacedAgain: pairs of a load that are erased are not found any more, and have their
// places again when they are seen again.
func TestPlacedAgain(t *testing.T) {
	ids, pairs := storedRows(300)
	g := New(identity.DefaultRules())
	l := g.Load(numbered, []string{"web", "server"})
	l.Identifiers(ids)
	l.Pairs(pairs)
	l.End()
	g.Flush()
	if g.byKey.bytes()+g.byEnds.bytes() != 0 {
		t.Error("what was loaded is in indexes")
	}
	received := int64(0)
	for _, s := range ids {
		received = max(received, s.Span.FirstReceived)
	}
	for _, s := range ids {
		g.Erase(s.Key, received)
	}
	g.Flush()
	for _, p := range pairs {
		if a, b := g.find(p.Low), g.find(p.High); a == 0 || b == 0 || g.findEdge(a, b) != 0 {
			t.Fatalf("pair of %d and %d is there after its erasure", a, b)
		}
	}
	if err := check(g); err != nil || g.count.pairs != 0 || g.count.identifiers != 0 {
		t.Fatalf("%+v after an erasure of all: %v", g.count, err)
	}
	again := New(identity.DefaultRules())
	end := g.edges.end()
	for _, to := range []*Graph{g, again} {
		for _, s := range ids {
			s.Span.FirstReceived = received + 1
			to.SeeIdentifier(identity.Node{Key: s.Key, Namespace: numbered[s.Namespace]}, "web", s.Period, s.Span)
		}
		for _, p := range pairs {
			p.Span.FirstReceived = received + 1
			name := func(k identity.Key) identity.Namespace { return to.ns(to.find(k)).name }
			to.SeePair(identity.Node{Key: p.Low, Namespace: name(p.Low)}, identity.Node{Key: p.High, Namespace: name(p.High)}, "web", p.Period, p.Span)
		}
		to.Flush()
	}
	if err := check(g); err != nil || g.edges.end() != end {
		t.Errorf("%d places of pairs, were %d: %v", g.edges.end(), end, err)
	}
	for _, s := range ids {
		if got, want := g.Profile(s.Key), again.Profile(s.Key); got != want {
			t.Fatalf("identifier %x is of profile %s, want %s", s.Key, got, want)
		}
	}
}
