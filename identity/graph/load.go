package graph

import (
	"math"
	"slices"
	"sync/atomic"

	"github.com/kindred-cdp/kindred/identity"
)

// StoredIdentifier is a stored sighting of one identifier. Namespace and Source
// are places in the lists that Load was given.
type StoredIdentifier struct {
	Key               identity.Key
	Namespace, Source uint16
	Blocked           bool
	Period            identity.Period
	Span              identity.Span
}

// StoredPair is a stored sighting of a pair, Low < High. It does not say the namespaces:
// they are those of the identifiers, which as a rule were stored.
type StoredPair struct {
	Low, High identity.Key
	Source    uint16
	Period    identity.Period
	Span      identity.Span
	high      ref // the greater end, where it was looked up already
}

// Load takes a stored ledger into a graph: identifiers first, then pairs, each
// ascending by key, and then End, and Late for what is Missing. The result is that of
// SeeIdentifier and SeePair for each, in a third of the time where the graph is empty at
// the start:
//
//   - what is ascending needs no look-up: an identifier or pair is the last one or
//     a new one, and the lesser ends of pairs are met by walking along;
//   - what ascends needs no index: see places;
//   - the greater ends of many pairs are looked up together, so that the processor
//     waits for many lines of memory at a time and not for one after the other;
//   - a pair goes to the lists in which it belongs at once.
//
// Nothing else may use the graph before End.
type Load struct {
	g          *Graph
	namespaces []identity.Namespace
	spaces     []uint32 // of namespaces
	trusted    []bool   // by source
	sources    []string
	bulk       bool                  // the graph was empty
	placed     atomic.Pointer[Graph] // the nodes that were loaded, when where they are is known
	missing    []StoredPair          // of identifiers that were not stored
	node       ref                   // the last one
	low        ref                   // where the walk along them is
	pair       StoredPair
	edge       ref // of pair
}

// Load begins to take a stored ledger. namespaces and sources are what its rows
// name.
func (g *Graph) Load(namespaces []identity.Namespace, sources []string) *Load {
	l := &Load{g: g, low: 1}
	l.bulk = g.nodes.end() <= 1 && g.edges.end() <= 1 && len(g.standing) == 0 &&
		!slices.ContainsFunc(g.spaces, func(s namespace) bool { return s.expired })
	l.Lists(namespaces, sources)
	return l
}

// Lists says that what follows names what the lists of Load do not: these begin with
// them.
func (l *Load) Lists(namespaces []identity.Namespace, sources []string) {
	for _, n := range namespaces[len(l.spaces):] {
		l.spaces = append(l.spaces, l.g.space(n))
	}
	for _, s := range sources[len(l.trusted):] {
		l.trusted = append(l.trusted, l.g.rules.Trusted(s))
	}
	l.namespaces, l.sources = namespaces, sources
}

// Identifiers takes the next identifiers.
func (l *Load) Identifiers(batch []StoredIdentifier) {
	g := l.g
	for i := range batch {
		s := &batch[i]
		if !l.bulk {
			g.SeeIdentifier(identity.Node{Key: s.Key, Namespace: l.namespaces[s.Namespace], Blocked: s.Blocked}, l.sources[s.Source], s.Period, s.Span)
			continue
		}
		if g.forgets && g.unscored(s.Key, s.Span.FirstReceived) {
			continue
		}
		if l.node == 0 || g.nodes.at(l.node).key != s.Key {
			l.node = g.newNode(s.Key, l.spaces[s.Namespace])
		}
		if s.Blocked && g.nodes.at(l.node).flags&ruleBlocked == 0 {
			g.setBlocked(l.node, ruleBlocked, true)
		}
		g.seenNode(l.node, readAs(l.trusted[s.Source], s.Period, s.Span))
	}
}

// place notes where identifiers are, when all of them have come.
func (l *Load) place() {
	if l.placed.Load() == nil {
		l.g.placeNodes()
		l.g.lowest = Large[ref](int(l.g.nodes.end()))[:l.g.nodes.end()]
		l.placed.Store(&Graph{nodes: l.g.nodes, placed: l.g.placed})
	}
}

// Ahead looks up ends of pairs that are to be taken later. Unlike all else it may be
// called while others are taken, and by several at once.
func (l *Load) Ahead(batch []StoredPair) {
	nodes := l.placed.Load()
	for nodes != nil && len(batch) > 0 {
		n := min(len(batch), together)
		nodes.lookUp(batch[:n])
		batch = batch[n:]
	}
}

// lookUp finds the greater ends of pairs, for many at once: the processor then waits
// for many lines of memory at a time and not for one after the other.
func (g *Graph) lookUp(batch []StoredPair) {
	touched := ref(0)
	for i := range batch {
		touched ^= g.nearNode(batch[i].High, false)
	}
	for i := range batch {
		touched ^= g.nearNode(batch[i].High, true)
	}
	for i := range batch {
		batch[i].high = g.placedNode(batch[i].High)
	}
	if len(batch) > 0 && touched == math.MaxUint32 {
		batch[0].high = g.placedNode(batch[0].High) // The compiler must not think that nobody wants it.
	}
}

// Pairs takes the next pairs.
func (l *Load) Pairs(batch []StoredPair) {
	g := l.g
	if !l.bulk {
		for i := range batch {
			p := batch[i]
			if x, y := g.find(p.Low), g.find(p.High); x != 0 && y != 0 {
				l.Late(p, g.ns(x).name, g.ns(y).name)
			} else {
				l.missing = append(l.missing, p)
			}
		}
		return
	}
	l.place()
	for len(batch) > 0 {
		n := min(len(batch), together)
		l.link(batch[:n])
		batch = batch[n:]
	}
}

// together is the number of pairs of which the ends are looked up together: what
// they read, some four lines of memory each, stays in the nearer caches.
const together = 256

// link takes a few pairs into an empty graph.
func (l *Load) link(batch []StoredPair) {
	g := l.g
	l.greater(batch)
	for i := range batch {
		p := &batch[i]
		if g.forgets && (g.unscored(p.Low, p.Span.FirstReceived) || g.unscored(p.High, p.Span.FirstReceived)) {
			continue
		}
		s := readAs(l.trusted[p.Source], p.Period, p.Span)
		if p.Low == l.pair.Low && p.High == l.pair.High {
			if l.edge != 0 {
				g.seenEdge(l.edge, s)
			}
			continue
		}
		x, y := l.lesser(p.Low), p.high
		if x == 0 || y == 0 {
			l.missing = append(l.missing, *p)
			continue
		}
		l.pair, l.edge = *p, 0
		if pairs, domestic := g.pairs(x, y); pairs {
			l.edge = g.loadEdge(x, y, domestic, s)
			if !domestic && g.lowest[y] == 0 {
				g.lowest[y] = x // Pairs ascend by their lesser end.
			}
		}
	}
}

// lesser returns the identifier of k, or 0: it walks along, as pairs ascend by
// their lesser end.
func (l *Load) lesser(k identity.Key) ref {
	end := l.g.placed.nodesEnd
	for l.low < end && l.g.nodes.at(l.low).key < k {
		l.low++
	}
	if l.low < end && l.g.nodes.at(l.low).key == k {
		return l.low
	}
	return 0
}

// greater finds the greater ends of batch that nobody looked up ahead, and touches what
// linking them will read.
func (l *Load) greater(batch []StoredPair) {
	g := l.g
	if batch[0].high|batch[len(batch)-1].high == 0 {
		g.lookUp(batch)
	}
	touched := ref(0)
	for i := range batch {
		if y := batch[i].high; y != 0 {
			n := g.nodes.at(y)
			touched ^= n.live ^ ref(n.key) ^ g.lowest[y]
		}
	}
	for i := range batch {
		if y := batch[i].high; y != 0 {
			if e := g.nodes.at(y).someEdge(); e != 0 {
				touched ^= g.edges.at(e).prevA
			}
		}
	}
	g.work.touched = touched // The compiler must not think that nobody wants it.
}

// End ends the load.
func (l *Load) End() {
	if l.bulk {
		l.place()
		l.g.placeEdges()
	}
}

// Missing returns the pairs that were left out: an identifier of theirs was not stored,
// as its owner stopped between the two.
func (l *Load) Missing() []StoredPair { return l.missing }

// Late takes a missing pair of identifiers of the namespaces low and high, after End.
func (l *Load) Late(p StoredPair, low, high identity.Namespace) {
	l.g.SeePair(identity.Node{Key: p.Low, Namespace: low}, identity.Node{Key: p.High, Namespace: high}, l.sources[p.Source], p.Period, p.Span)
}
