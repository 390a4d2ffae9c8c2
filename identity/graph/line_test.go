package graph

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/kindred-cdp/kindred/identity"
)

// TestLines: nodes and edges take a line of the processor's cache each, and begin with
// one.
func TestLines(t *testing.T) {
	const line = 64
	if n, e := unsafe.Sizeof(node{}), unsafe.Sizeof(edge{}); n != line || e != line {
		t.Errorf("a node takes %d bytes and an edge %d, want %d", n, e, line)
	}
	g := New(identity.DefaultRules())
	g.See(seen("app", at(1), nodeOf(0, 1), nodeOf(1, 1)))
	for _, place := range []uintptr{uintptr(unsafe.Pointer(g.nodes.at(1))), uintptr(unsafe.Pointer(g.edges.at(1)))} {
		if place%line != 0 {
			t.Errorf("it begins at %x", place)
		}
	}
}

// TestManyEdges: fan-outs are counted exactly where a node has more edges than its
// degree can say.
func TestManyEdges(t *testing.T) {
	const most = manyEdges + 100
	rules := identity.DefaultRules()
	device := rules.Namespaces[identity.Device]
	device.FanOutUp, device.FanOutDown = most, most
	rules.Namespaces[identity.Device] = device
	g := New(rules)
	see := func(i int) {
		g.See(seen("app", at(i), nodeOf(3, 0), nodeOf(0, i)))
		g.Flush()
	}
	for i := range most {
		see(i)
	}
	if n := g.Stats().Generic; n != 0 {
		t.Errorf("with %d neighbours %d are generic", most, n)
	}
	see(most)
	if n := g.Stats().Generic; n != 1 {
		t.Errorf("with %d neighbours %d are generic", most+1, n)
	}
	for i := range 200 { // Fewer than the greatest degree never were.
		g.Erase(key(0, i), at(most+1))
	}
	g.Flush()
	if n := g.Stats().Generic; n != 0 {
		t.Errorf("with %d neighbours %d are generic", most-199, n)
	}
}

// TestManyNamespaces: more namespaces than there is room for do no harm to those that
// rules name.
func TestManyNamespaces(t *testing.T) {
	g := New(identity.DefaultRules())
	for i := range mostSpaces + 10 {
		n := identity.Node{Key: key(9, i), Namespace: identity.Namespace(fmt.Sprint("n", i))}
		g.See(seen("app", at(i), n, identity.Node{Key: key(8, i), Namespace: n.Namespace}))
	}
	g.See(seen("app", at(0), nodeOf(0, 1), nodeOf(1, 1)))
	g.Flush()
	if len(g.spaces) > mostSpaces {
		t.Errorf("%d spaces, want %d at most", len(g.spaces), mostSpaces)
	}
	if a, b := g.Profile(key(0, 1)), g.Profile(key(1, 1)); a != b {
		t.Errorf("an e-mail is of profile %x, its user of %x", b, a)
	}
	for _, i := range []int{0, mostSpaces, mostSpaces + 9} {
		if a, b := g.Profile(key(9, i)), g.Profile(key(8, i)); a != b {
			t.Errorf("a pair of namespace %d is of profiles %x and %x", i, a, b)
		}
	}
}
