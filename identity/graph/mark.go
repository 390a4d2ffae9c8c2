package graph

import "github.com/kindred-cdp/kindred/identity"

// work holds what entries mark for the next flush, and scratch space that one
// flush leaves to the next.
type work struct {
	// Marked by entries. A flag on the node or edge says that a list holds it.
	status, tenure, fuse, scan []ref // nodes
	edges                      []ref // that opened, closed or changed their place
	dead, fresh                []ref // edges to free, nodes to call fresh no more
	readmit, founder           []ref // heads

	// Marked by one step for a later one.
	admitted        []ref       // heads of groups decided anew
	changed         []ref       // identifiers in another group, or behind a new wall
	stale           []ref       // the heads they had
	left            []departure // those of them that left a loose group
	removed         bool        // a component of loose groups may have shrunk
	pending, claims []ref       // heads

	// For linkage, marked by entries and steps alike.
	relink, unlinked   []ref // heads
	rescored, restated []ref // records with another score; of another class
	unbonded           []ref // heads of dropped bonds
	bonds              []*bond
	supers             map[ref]*super // by root, made by this flush
	severed            bool           // a component of scored pairs may have shrunk

	// For households.
	homes    []ref                        // values, marked by entries and by changes of profiles
	unhoused []ref                        // heads of profiles whose household must be found
	housed   map[ref]identity.HouseholdID // what profiles had at the last flush, by founder

	// Postponed by workers: see evaluateSideBySide.
	seated []ref // identifiers to list in rosters
	atHome []ref // household values to mark

	// What changed since the last flush.
	journal []old
	flips   []flip
	retold  []Retelling

	// Scratch.
	below, accepted, members, heads []ref
	tenureEdges                     []ref
	starts                          []int
	moves                           []chosen
	single                          [1]ref
	one, group                      tally
	component                       component
	touched                         ref
}

// keptWork is the number of moves up to which a flush keeps its lists for the
// next one.
const keptWork = 1 << 16

// mark puts x on a work list once.
func (g *Graph) mark(x ref, flag uint32, list *[]ref) {
	if n := g.nodes.at(x); n.flags&flag == 0 {
		n.flags |= flag
		*list = append(*list, x)
	}
}

func (g *Graph) markScan(x ref)    { g.mark(x, scanDirty, &g.work.scan) }
func (g *Graph) markReadmit(h ref) { g.mark(h, readmitDirty, &g.work.readmit) }
func (g *Graph) markFounder(h ref) { g.mark(h, founderDirty, &g.work.founder) }
func (g *Graph) forceFuse(x ref)   { g.mark(x, fuseDirty, &g.work.fuse) }

// markFuse marks the fused class of x where it can have one.
func (g *Graph) markFuse(x ref) {
	if g.nodes.at(x).flags&(hasMust|fused) != 0 {
		g.forceFuse(x)
	}
}

// markEdge marks an edge whose place in the evidence order changed.
func (g *Graph) markEdge(e ref) {
	if d := g.edges.at(e); d.flags&open != 0 {
		g.forceEdge(e)
		g.markTenures(d)
	}
}

// forceEdge marks an edge that opened, closed or changed.
func (g *Graph) forceEdge(e ref) {
	if d := g.edges.at(e); d.flags&edgeDirty == 0 {
		d.flags |= edgeDirty
		g.work.edges = append(g.work.edges, e)
	}
}

// markTenures marks the weaker end of d where it is moving.
func (g *Graph) markTenures(d *edge) {
	a, b := g.ns(d.a), g.ns(d.b)
	switch {
	case a.gapDays > 0 && b.rank < a.rank:
		g.mark(d.a, tenureDirty, &g.work.tenure)
	case b.gapDays > 0 && a.rank < b.rank:
		g.mark(d.b, tenureDirty, &g.work.tenure)
	}
}
