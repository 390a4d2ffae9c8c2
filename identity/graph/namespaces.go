package graph

import (
	"math"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// namespace is a namespace met by the graph, with its rule compiled.
type namespace struct {
	name  identity.Namespace
	rule  identity.Rule
	rank  int // dense: 0 is the strongest rank that any rule has
	limit int // position in Graph.limits, or -1
	// fewest is the number of neighbours up to which a node of the namespace
	// can be neither generic nor crowded.
	fewest  uint32
	gapDays float64 // > 0: moving
	expired bool
	before  identity.Period // earlier periods do not count, where expired
}

// limit is the limit of one namespace.
type limit struct {
	max    int
	window int64 // milliseconds; 0: ever
}

// compileRanks numbers the ranks that rules declare.
func (g *Graph) compileRanks() { g.ranks = len(g.declaredRanks()) }

func (g *Graph) declaredRanks() []int {
	ranks := []int{g.rules.Default.Rank}
	for _, r := range g.rules.Namespaces {
		ranks = append(ranks, r.Rank)
	}
	slices.Sort(ranks)
	return slices.Compact(ranks)
}

// space returns the number of n, compiling its rule when it is new.
func (g *Graph) space(n identity.Namespace) uint32 {
	if i, ok := g.spaceOf[n]; ok {
		return i
	}
	if _, declared := g.rules.Namespaces[n]; !declared && len(g.spaces) >= mostSpaces-len(g.rules.Namespaces) {
		if g.others == 0 {
			g.others = g.newSpace(n)
		}
		return g.others
	}
	return g.newSpace(n)
}

// mostSpaces is the number of namespaces that nodes have room to tell apart. Whoever
// sends that many has invented them: of those that no rule names, which all have the
// same rule, the last ones are then one namespace.
const mostSpaces = math.MaxUint16

func (g *Graph) newSpace(n identity.Namespace) uint32 {
	r := g.rules.Rule(n)
	rank, _ := slices.BinarySearch(g.declaredRanks(), r.Rank)
	s := namespace{name: n, rule: r, rank: rank, limit: -1, gapDays: r.MovingGap.Hours() / 24}
	s.fewest = uint32(max(0, min(r.FanOutUp, r.FanOutDown)))
	switch {
	case r.Principal:
		s.limit = len(g.limits)
		g.limits = append(g.limits, limit{max: 1})
	case r.Limit > 0:
		s.limit = len(g.limits)
		g.limits = append(g.limits, limit{max: r.Limit, window: int64(r.LimitWindow / time.Millisecond)})
	}
	i := uint32(len(g.spaces))
	g.spaces = append(g.spaces, s)
	g.spaceOf[n] = i
	return i
}

// ns returns the namespace of x.
func (g *Graph) ns(x ref) *namespace { return &g.spaces[g.nodes.at(x).space] }
