package ledger

import (
	"maps"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// bruteForce is the definition of profiles as a Graph.
type bruteForce struct {
	*oracle.Oracle
	rules      *identity.Rules
	namespaces map[identity.Key]identity.Namespace
	result     oracle.Result
	Inspector  // none: commands are judged on the graph
	Explainer  // of nothing: it answers owners, not people
}

func newBruteForce(rules *identity.Rules) Graph {
	return &bruteForce{Oracle: oracle.New(rules), rules: rules, namespaces: map[identity.Key]identity.Namespace{}}
}

func (g *bruteForce) See(s identity.Sighting) {
	for _, n := range s.Members {
		g.namespaces[n.Key] = n.Namespace
	}
	g.Oracle.See(s)
}

func (g *bruteForce) Load(namespaces []identity.Namespace, sources []string) Loader {
	return &bruteLoad{bruteForce: g, names: namespaces, sources: sources}
}

// bruteLoad takes a stored ledger row by row.
type bruteLoad struct {
	*bruteForce
	names   []identity.Namespace
	sources []string
	missing []graph.StoredPair
}

// Ahead implements Loader.
func (*bruteLoad) Ahead([]graph.StoredPair) {}

func (g *bruteForce) Score(a, b identity.Node, model string, weight, at int64) {
	g.namespaces[a.Key], g.namespaces[b.Key] = a.Namespace, b.Namespace
	g.Oracle.Score(a, b, model, weight, at)
}

func (l *bruteLoad) Identifiers(batch []graph.StoredIdentifier) {
	for _, r := range batch {
		n := identity.Node{Key: r.Key, Namespace: l.names[r.Namespace], Blocked: r.Blocked}
		l.namespaces[n.Key] = n.Namespace
		l.SeeIdentifier(n, l.sources[r.Source], r.Period, r.Span)
	}
}

func (l *bruteLoad) Pairs(batch []graph.StoredPair) {
	for _, r := range batch {
		low, known := l.namespaces[r.Low]
		high, also := l.namespaces[r.High]
		if known && also {
			l.Late(r, low, high)
		} else {
			l.missing = append(l.missing, r)
		}
	}
}

// Missing implements Loader.
func (l *bruteLoad) Missing() []graph.StoredPair { return l.missing }

// Late implements Loader.
func (l *bruteLoad) Late(r graph.StoredPair, low, high identity.Namespace) {
	l.namespaces[r.Low], l.namespaces[r.High] = low, high
	l.SeePair(identity.Node{Key: r.Low, Namespace: low}, identity.Node{Key: r.High, Namespace: high}, l.sources[r.Source], r.Period, r.Span)
}

func (l *bruteLoad) Lists(namespaces []identity.Namespace, sources []string) {
	l.names, l.sources = namespaces, sources
}

func (*bruteLoad) End() {}

func (g *bruteForce) Known(k identity.Key) bool {
	_, ok := g.namespaces[k]
	return ok
}

func class(r oracle.Result, k identity.Key) int {
	switch {
	case r.Gone[k]:
		return 2
	case r.Generic[k] || r.Blocked[k]:
		return 1
	}
	return 0
}

func (g *bruteForce) Flush() (c graph.Changes) {
	before := g.result
	g.result = g.Evaluate()
	c.Retold, c.Rehoused = retold(before, g.result), rehoused(before, g.result)
	for _, k := range slices.Sorted(maps.Keys(g.result.Profile)) {
		old, known := before.Profile[k]
		if !known {
			old = identity.ProfileID(k)
		}
		if now := g.result.Profile[k]; now != old {
			c.Moves = append(c.Moves, identity.Move{Identifier: k, Old: old, New: now})
		}
		if known && class(before, k) != class(g.result, k) {
			c.Flipped = append(c.Flipped, k)
		}
	}
	return c
}

func (g *bruteForce) Profile(k identity.Key) identity.ProfileID {
	if p, ok := g.result.Profile[k]; ok {
		return p
	}
	return identity.ProfileID(k)
}

func (g *bruteForce) Deciding(members []identity.Node) (identity.Key, bool) {
	named := make([]identity.Node, len(members))
	for i, m := range members {
		named[i] = identity.Node{Key: m.Key, Namespace: g.namespaces[m.Key]}
	}
	return g.result.Deciding(named)
}

func (g *bruteForce) Stats() Stats {
	return Stats{Identifiers: len(g.result.Profile) - len(g.result.Gone), Profiles: g.result.Profiles, Merges: g.result.Merges}
}
