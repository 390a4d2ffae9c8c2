package graph

import (
	"math"

	"github.com/kindred-cdp/kindred/identity"
)

// Try returns what decisions would move, whatever their times: each stands for
// as long as Try takes, and the graph is left as it was. All that the graph was
// told must have been flushed. It takes as long as making the decisions and
// taking them back.
func (g *Graph) Try(decisions []identity.Decision) []identity.Move {
	before := map[subject]*verdict{}
	for _, d := range decisions {
		s := subjectOf(d)
		if _, ok := before[s]; !ok {
			before[s] = nil
			if v, known := g.standing[s]; known {
				before[s] = &v
			}
		}
		d.At = math.MaxInt64 - 1
		g.Decide(d)
	}
	moves := g.Flush().Moves
	for s, v := range before {
		// A decision that never was and one that is off are the same to all but
		// the list of those that stand.
		g.Decide(identity.Decision{Kind: s.kind, A: s.a, B: s.b, On: v != nil && v.on, At: math.MaxInt64})
		if delete(g.standing, s); v != nil {
			g.standing[s] = *v
		}
	}
	g.Flush()
	return moves
}
