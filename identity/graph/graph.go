package graph

import (
	"math"

	"github.com/kindred-cdp/kindred/identity"
)

// Graph is the ledger of one workspace in memory, with its profiles. It belongs
// to one goroutine at a time; a flush of very much may run on several processors,
// and ends when all of them have.
type Graph struct {
	rules *identity.Rules

	spaces  []namespace
	spaceOf map[identity.Namespace]uint32
	others  uint32 // the space of namespaces past mostSpaces, if any
	ranks   int    // number of distinct ranks
	limits  []limit

	nodes  pages[node]
	edges  pages[edge]
	rows   pages[row]
	placed places // of what was loaded
	lowest []ref  // of what was loaded, by node: its first neighbour before it, or 0; until the first flush
	byKey  index  // of all other nodes
	byEnds index  // and edges

	fans    map[ref]*fans    // counted neighbours, of nodes with many edges
	crowded map[ref][]uint32 // the namespaces towards which a node is crowded
	tenures map[ref][]Tenure // past tenures of moving nodes
	classes map[ref]*class   // by each member, of fused nodes only
	held    map[ref]*tally   // what a large group holds, by its head
	unit    map[ref]*cluster // by each head, of clusters that are more than a group
	claims  map[ref][]*cluster
	full    map[ref]*tally // what a wall and the clusters it admitted hold
	beyond  map[ref]int32  // by head: a rank at which its component is beyond C

	scored  map[ref]*record // what models said of a node
	records roster          // the scored nodes of a group
	supers  map[ref]*super  // by each head, of super-nodes with scored records
	bonds   map[ref]*bond   // by each head, of profiles that linkage joined
	floors  map[ref]int32   // by root: its component over this weight is beyond C

	homes   map[ref]*home      // of household values and what was seen with them
	tenants roster             // the identifiers of a group that have a home
	housed  map[ref]*household // by the founder of a profile

	// heldFrom is the size from which a group's tally is kept, so that a move
	// in or out of it need not read the whole group; fansFrom the number of
	// edges from which a node's neighbours are counted as they come and go.
	heldFrom int
	fansFrom uint32
	portion  int // see evaluateInPortions
	// Rebuilds run on so many processors; what other components read as well is
	// postponed meanwhile: see evaluateSideBySide.
	workers   int
	postpones bool

	erased    map[identity.Key]int64
	standing  map[subject]verdict
	cannot    map[identity.Key][]identity.Key
	must      map[identity.Key][]identity.Key
	pairRules int  // pairs ever rejected or cannot-linked
	forgets   bool // something has expired or was erased

	work  work
	count counts
}

// counts are kept as entries are applied.
type counts struct {
	identifiers, pairs, blocked, generic int
	visits                               int64
}

// node is one identifier. It takes 64 bytes, which is one line of the processor's cache
// where a page begins with a line: nodes and edges lie anywhere in memory, and to wait
// for their lines is most of what a reload does.
type node struct {
	key    identity.Key
	first  int64 // first seen, milliseconds since 1970 UTC; alive nodes only
	live   ref   // head of the list of its open edges
	parked ref   // head of the list of its other edges, which nothing scans
	parent ref   // the node it follows
	edge   ref   // by this edge
	child  ref   // head of the list of its followers
	next   ref   // in its parent's list
	prev   ref
	head   ref // of its group
	// founder of its profile; of heads only.
	founder ref
	rows    ref // its rows, where there are several; else the period of the only one
	flags   uint32
	space   uint16
	degree  uint16 // number of its edges, manyEdges for as many or more
}

// manyEdges is the degree at which a node stays.
const manyEdges = math.MaxUint16

// The flags of nodes. The dirty ones say that a work list holds the node.
const (
	alive        uint32 = 1 << iota // has a counted sighting
	ruleBlocked                     // its value is blocked by the rules
	opBlocked                       // a block decision stands
	shielded                        // has a trusted pair to a principal
	generic                         // seen with too many
	someCrowded                     // has an entry in crowded
	fused                           // has an entry in classes
	aside                           // refused by the group of its parent
	fixed                           // of heads: a wall (as of the last flush)
	hasCannot                       // has an entry in cannot
	hasMust                         // has an entry in must
	fanned                          // has an entry in fans
	fresh                           // came into being since the last flush
	statusDirty                     // fan-out may have crossed a threshold
	tenureDirty                     // tenures may have changed
	fuseDirty                       // fused class may have changed
	scanDirty                       // choice of parent must be made anew
	readmitDirty                    // group must be admitted anew
	pendingDirty                    // unit must be computed anew
	claimsDirty                     // claims must be decided anew
	founderDirty                    // founder may have changed
	journaled                       // old profile is noted
	flipNoted                       // old classes are noted
	marked                          // scratch, for one traversal
	scored                          // has an entry in scored
	bonded                          // of heads: has an entry in bonds
	relinkDirty                     // its super-node may have changed
	linkDirty                       // its unit of linkage must be computed anew
	homed                           // has an entry in homes
	homeDirty                       // its domestic edges or their profiles changed
	several                         // has rows, not one
)

const blocked = ruleBlocked | opBlocked

// edge is one pair of identifiers, a.key < b.key. Like a node it takes a line.
type edge struct {
	a, b         ref
	nextA, prevA ref // in a's list
	nextB, prevB ref // in b's list
	first        int64
	last         identity.Day
	period       identity.Period // of its only row
	rows         ref
	flags        uint32
	_            [4]uint32
}

// The flags of edges.
const (
	trusted    uint32 = 1 << iota // a counted row is of a trusted source
	rejected                      // rejected, or directly cannot-linked
	guards                        // makes its weaker end shielded
	neighbours                    // counts for fan-out
	open                          // eligible but for retired
	retired                       // belongs to a past tenure
	dead                          // has no counted row; freed by the next flush
	edgeDirty                     // is in the work list
	atHome                        // a domestic edge: of an identifier and a household value
	shown                         // a domestic edge that links
	gone                          // freed, but keeps its place among those that ascend
)

// New returns an empty graph under rules, which must not change any more.
func New(rules *identity.Rules) *Graph {
	g := &Graph{
		rules:    rules,
		heldFrom: 16,
		fansFrom: 64,
		portion:  portion,
		workers:  defaultWorkers(),
		spaceOf:  map[identity.Namespace]uint32{},
		fans:     map[ref]*fans{},
		crowded:  map[ref][]uint32{},
		tenures:  map[ref][]Tenure{},
		classes:  map[ref]*class{},
		held:     map[ref]*tally{},
		unit:     map[ref]*cluster{},
		claims:   map[ref][]*cluster{},
		full:     map[ref]*tally{},
		beyond:   map[ref]int32{},
		scored:   map[ref]*record{},
		records:  newRoster(),
		supers:   map[ref]*super{},
		bonds:    map[ref]*bond{},
		floors:   map[ref]int32{},
		homes:    map[ref]*home{},
		tenants:  newRoster(),
		housed:   map[ref]*household{},
		erased:   map[identity.Key]int64{},
		standing: map[subject]verdict{},
		cannot:   map[identity.Key][]identity.Key{},
		must:     map[identity.Key][]identity.Key{},
	}
	g.byKey.hash = func(x ref) uint64 { return mix(uint64(g.nodes.at(x).key)) }
	g.byEnds.hash = func(e ref) uint64 { return endsHash(g.edges.at(e).a, g.edges.at(e).b) }
	g.compileRanks()
	return g
}

func endsHash(a, b ref) uint64 { return mix(uint64(a)<<32 | uint64(b)) }

// find returns the node of k, or 0.
func (g *Graph) find(k identity.Key) ref {
	if x := g.placedNode(k); x != 0 {
		return x
	}
	return g.byKey.find(mix(uint64(k)), func(x ref) bool { return g.nodes.at(x).key == k })
}

// findEdge returns the edge of a and b, which must be in key order, or 0.
func (g *Graph) findEdge(a, b ref) ref {
	if e := g.placedEdge(a, b); e != 0 {
		if g.edges.at(e).flags&gone != 0 {
			return 0
		}
		return e
	}
	return g.byEnds.find(endsHash(a, b), func(e ref) bool {
		d := g.edges.at(e)
		return d.a == a && d.b == b
	})
}

// other returns the end of e that is not x.
func (d *edge) other(x ref) ref { return d.a ^ d.b ^ x }

// after returns the edge after d in x's list.
func (d *edge) after(x ref) ref {
	if d.a == x {
		return d.nextA
	}
	return d.nextB
}

// linking reports whether d is eligible.
func (d *edge) linking() bool { return d.flags&(open|retired) == open }
