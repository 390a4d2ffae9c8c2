package graph

import (
	"math/bits"

	"github.com/kindred-cdp/kindred/identity"
)

// places finds what a load stored, which ascends: nodes by key, edges by their ends.
// Keys are hashes, so their first bits tell nearly where a node is, and nodes have few
// edges, so the number of one tells nearly where those are of which it is the lesser
// end. Of an index it takes a fifth of the memory, and no time to speak of to make. What
// came later is in the indexes.
type places struct {
	nodesEnd, edgesEnd ref   // those before ascend
	nodes              []ref // the first one with a key from i<<shift on
	edges              []ref // the first one with a lesser end from i<<endBits on
	shift              int
}

const (
	// endBits makes blocks of nodes.
	endBits = 1
	// fewPlaced is the number of places up to which one looks at all of them. There are
	// more between two entries where keys are no hashes, and of nodes with many edges.
	fewPlaced = 8
)

// placeNodes notes where the nodes are, all of which ascend: some two to an entry.
func (g *Graph) placeNodes() {
	end := max(1, g.nodes.end())
	width := bits.Len32(end / 2)
	shift := 63 - width // Bit 63 is that of sets.
	g.placed.nodesEnd, g.placed.shift = end, shift
	g.placed.nodes = g.entries(end, 1<<width, func(x ref) int { return int(g.nodes.at(x).key >> shift) })
}

// placeEdges notes where the edges are, all of which ascend.
func (g *Graph) placeEdges() {
	end := max(1, g.edges.end())
	g.placed.edgesEnd = end
	g.placed.edges = g.entries(end, int(g.nodes.end()>>endBits)+1, func(e ref) int { return int(g.edges.at(e).a >> endBits) })
}

// entries returns, for each of n entries and the one after the last, the first of what
// lies before end that belongs to it or a later one, by entry, which ascends.
func (g *Graph) entries(end ref, n int, entry func(ref) int) []ref {
	const part = 16 * pageSize
	first := Large[ref](n + 1)[:n+1]
	g.sideBySide(int(end-1)/part+1, func(i int) {
		from, to := max(1, ref(i*part)), min(end, ref((i+1)*part))
		next := 0
		if from > 1 {
			next = entry(from-1) + 1
		}
		for x := from; x < to; x++ {
			for last := entry(x); next <= last; next++ {
				first[next] = x
			}
		}
		for ; to == end && next <= n; next++ {
			first[next] = end
		}
	})
	return first
}

// placedNode returns the node of k among those that ascend, or 0.
func (g *Graph) placedNode(k identity.Key) ref {
	at := k >> g.placed.shift
	if at+1 >= identity.Key(len(g.placed.nodes)) {
		return 0
	}
	from, to := g.placed.nodes[at], g.placed.nodes[at+1]
	for to-from > fewPlaced {
		if middle := from + (to-from)/2; g.nodes.at(middle).key <= k {
			from = middle
		} else {
			to = middle
		}
	}
	for ; from < to; from++ {
		if key := g.nodes.at(from).key; key >= k {
			if key == k {
				return from
			}
			return 0
		}
	}
	return 0
}

// nearNode touches a node near the one of k or, before, the entry that says where.
func (g *Graph) nearNode(k identity.Key, node bool) (touched ref) {
	x := g.placed.nodes[k>>g.placed.shift]
	if node && x < g.placed.nodesEnd {
		return ref(g.nodes.at(x).key)
	}
	return x
}

// placedEdge returns the edge of a and b among those that ascend, also one that is
// gone, or 0.
func (g *Graph) placedEdge(a, b ref) ref {
	at := int(a >> endBits)
	if at+1 >= len(g.placed.edges) {
		return 0
	}
	from, to := g.placed.edges[at], g.placed.edges[at+1]
	for to-from > fewPlaced {
		middle := from + (to-from)/2
		if d := g.edges.at(middle); d.a < a || d.a == a && d.b <= b {
			from = middle
		} else {
			to = middle
		}
	}
	for ; from < to; from++ {
		if d := g.edges.at(from); d.a == a && d.b == b {
			return from
		}
	}
	return 0
}
