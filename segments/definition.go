package segments

import (
	"strconv"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Definition is a checked segment: Parse is the only way to make one from
// foreign input, so whoever holds a Definition need not check it again.
type Definition struct {
	Root Node
}

// Node is a part of the tree: All, Any, Not or one of the leaves Trait, Event,
// Sequence, Transactions, Bought, HasIdentifier, Score, Consent, Holdout, InSegment,
// Household, Accounts, InPersona, InStage, Location, Recommendation and Mood. The set
// is closed.
type Node interface{ node() }

// All holds for profiles for which every part holds; it has at least one part.
type All []Node

// Any holds for profiles for which some part holds; it has at least one part.
type Any []Node

// Not holds for profiles for which its part does not.
type Not struct{ Node Node }

// Trait tests the surviving value of a trait, or the value of a computed one. A
// profile without the trait fails every test, Neq included: say not(exists) to
// find it.
type Trait struct {
	Name string
	Test Test
}

// Measure says what a Transactions leaf measures.
type Measure string

// The measures of transactions. Cancelled ones count in none.
const (
	Orders  Measure = "orders"  // number of distinct orders
	Refunds Measure = "refunds" // number of distinct refunds
	Revenue Measure = "revenue" // amount of orders and subscriptions less refunds, in one currency
)

// Transactions tests what a profile bought. The test holds for zero too: a
// profile without transactions has 0 orders and 0 revenue.
type Transactions struct {
	Measure Measure
	Test    Comparison
	// Currency restricts the transactions to one ISO 4217 code. Revenue
	// requires it, because amounts of different currencies do not add up.
	Currency string
	// Within restricts the transactions to (now - Within, now]; 0 is all time.
	Within time.Duration
}

// HasIdentifier holds for profiles with at least one identifier of Namespace.
type HasIdentifier struct{ Namespace identity.Namespace }

// Score tests the newest value of a score, or an end of its interval. A profile
// without it fails.
type Score struct {
	Name string
	End  End
	Test Comparison // one bound
}

func (All) node()           {}
func (Any) node()           {}
func (Not) node()           {}
func (Trait) node()         {}
func (Event) node()         {}
func (Sequence) node()      {}
func (Transactions) node()  {}
func (HasIdentifier) node() {}
func (Score) node()         {}

// Op is an operator of a test.
type Op string

// The operators. Values of different JSON types are never equal, and a number
// is compared with numbers only, a text with texts only (byte by byte, so ISO
// dates compare as dates).
const (
	Eq       Op = "eq"
	Neq      Op = "neq"
	In       Op = "in"
	Contains Op = "contains" // a text holds the value, or an array has it as an element
	Exists   Op = "exists"   // there is a value
	Gt       Op = "gt"
	Gte      Op = "gte"
	Lt       Op = "lt"
	Lte      Op = "lte"
)

// Test compares one JSON value.
type Test struct {
	Op Op
	// Values has one element, any number for In, and none for Exists.
	Values []Scalar
}

// ScalarKind is the JSON type of a Scalar.
type ScalarKind int

// The kinds of scalar.
const (
	Text ScalarKind = iota + 1
	Number
	Bool
)

// Scalar is a JSON string, number or boolean.
type Scalar struct {
	Kind   ScalarKind
	Text   string
	Number float64 // finite
	Bool   bool
}

// Comparison bounds a number; every bound must hold. An empty Comparison
// stands for the default of its leaf.
type Comparison []Bound

// Bound is one bound of a Comparison: Op is Eq, Neq, Gt, Gte, Lt or Lte.
type Bound struct {
	Op    Op
	Value float64 // finite
}

// Holds reports whether x satisfies every bound.
func (c Comparison) Holds(x float64) bool {
	for _, b := range c {
		ok := false
		switch b.Op {
		case Eq:
			ok = x == b.Value
		case Neq:
			ok = x != b.Value
		case Gt:
			ok = x > b.Value
		case Gte:
			ok = x >= b.Value
		case Lt:
			ok = x < b.Value
		case Lte:
			ok = x <= b.Value
		}
		if !ok {
			return false
		}
	}
	return true
}

// Leaves returns the leaves of the tree from left to right.
func (d Definition) Leaves() []Node {
	var leaves []Node
	var walk func(Node)
	walk = func(n Node) {
		switch n := n.(type) {
		case All:
			for _, part := range n {
				walk(part)
			}
		case Any:
			for _, part := range n {
				walk(part)
			}
		case Not:
			walk(n.Node)
		default:
			leaves = append(leaves, n)
		}
	}
	walk(d.Root)
	return leaves
}

// Pointers returns the places of the leaves of a definition, in the order of Leaves,
// as JSON pointers into the JSON form of what Resolve made it of. The leaves of a
// segment that is named there are at the name.
func Pointers(written, resolved Definition) []string {
	var pointers []string
	parts := func(walk func(Node, Node, string), written, resolved []Node, at string) {
		for i, part := range written {
			walk(part, resolved[i], at+"/"+strconv.Itoa(i))
		}
	}
	var walk func(Node, Node, string)
	walk = func(n, resolved Node, at string) {
		switch n := n.(type) {
		case All:
			parts(walk, n, resolved.(All), at+"/all")
		case Any:
			parts(walk, n, resolved.(Any), at+"/any")
		case Not:
			walk(n.Node, resolved.(Not).Node, at+"/not")
		default:
			for range (Definition{Root: resolved}).Leaves() {
				pointers = append(pointers, at)
			}
		}
	}
	walk(written.Root, resolved.Root, "")
	return pointers
}
