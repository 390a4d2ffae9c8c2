package ledger

import (
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// NewGraph returns the graph of identity/graph, for Deps.NewGraph.
func NewGraph(rules *identity.Rules) Graph { return profileGraph{graph.New(rules)} }

// profileGraph is a graph.Graph.
type profileGraph struct{ *graph.Graph }

var _ Graph = profileGraph{}

func (g profileGraph) Load(namespaces []identity.Namespace, sources []string) Loader {
	return g.Graph.Load(namespaces, sources)
}

func (g profileGraph) Stats() Stats {
	s := g.Graph.Stats()
	return Stats{Identifiers: s.Identifiers, Profiles: s.Profiles, Merges: s.Merges}
}
