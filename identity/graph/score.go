package graph

import (
	"cmp"
	"math"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// record is what is kept of an identifier with scored pairs.
type record struct {
	links []link // the greatest weight first
}

// link is a scored pair as one of its ends sees it.
type link struct {
	at     int64 // when it was scored
	to     ref
	weight int32
	denied bool // rejected, or directly cannot-linked
}

// Score adds what a model said of two records, at a time in milliseconds since
// 1970 UTC. Of the scores of one pair the greatest (at, weight) stands, so a
// pair that is scored below the review threshold again is withdrawn. Scores of
// another model than that of the rules are ignored: another model is another
// version of the rules, and another Graph. A score says nothing of its two
// records on their own: without a sighting of each it does not count, nor when
// it was made at or before an erasure of one of them.
func (g *Graph) Score(a, b identity.Node, model string, weight, at int64) {
	if model == "" || model != g.rules.ModelVersion || a.Key == b.Key {
		return
	}
	x, y := g.node(a), g.node(b)
	if g.ns(x).rule.Household || g.ns(y).rule.Household || g.forgets && (g.unscored(a.Key, at) || g.unscored(b.Key, at)) {
		return
	}
	l := link{at: at, to: y, weight: int32(min(max(weight, math.MinInt32), math.MaxInt32))}
	if g.pairRules > 0 {
		l.denied = g.denied(min(a.Key, b.Key), max(a.Key, b.Key))
	}
	here, there := g.record(x), g.record(y)
	read := int64(l.weight) >= g.rules.ReviewThreshold
	if old, ok := here.find(there, x, y); ok {
		if cmp.Or(cmp.Compare(old.at, l.at), cmp.Compare(old.weight, l.weight)) >= 0 {
			return
		}
		read = read || int64(old.weight) >= g.rules.ReviewThreshold
		g.work.severed = g.work.severed || l.weight < old.weight
		here.drop(old)
		old.to = x
		there.drop(old)
	}
	here.add(l)
	l.to = x
	there.add(l)
	if read {
		g.work.rescored = append(g.work.rescored, x, y)
	}
}

// record returns the record of x, which has one from now on.
func (g *Graph) record(x ref) *record {
	r := g.scored[x]
	if r == nil {
		r = &record{}
		g.scored[x] = r
		n := g.nodes.at(x)
		n.flags |= scored
		g.records.put(x, n.head)
		g.work.rescored = append(g.work.rescored, x)
	}
	return r
}

// find returns the link from r, the record of x, to y, the record of which is
// other. It reads the shorter of the two lists.
func (r *record) find(other *record, x, y ref) (link, bool) {
	if len(other.links) < len(r.links) {
		l, ok := other.find(r, y, x)
		l.to = y
		return l, ok
	}
	i := slices.IndexFunc(r.links, func(l link) bool { return l.to == y })
	if i < 0 {
		return link{}, false
	}
	return r.links[i], true
}

// place returns where l is, or belongs.
func (r *record) place(l link) (int, bool) {
	return slices.BinarySearchFunc(r.links, l, func(a, b link) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.to, b.to))
	})
}

func (r *record) add(l link) {
	i, _ := r.place(l)
	r.links = slices.Insert(r.links, i, l)
}

func (r *record) drop(l link) {
	if i, ok := r.place(l); ok {
		r.links = slices.Delete(r.links, i, i+1)
	}
}

// unscored reports whether an erasure of k takes a score made at at away.
func (g *Graph) unscored(k identity.Key, at int64) bool {
	erased, ok := g.erased[k]
	return ok && at <= erased
}

// eraseScores takes the scores of x, which is gone, made at or before at out of
// the ledger.
func (g *Graph) eraseScores(x ref, at int64) {
	r := g.scored[x]
	if r == nil {
		return
	}
	for _, l := range slices.Clone(r.links) {
		if l.at > at {
			continue
		}
		r.drop(l)
		g.work.rescored = append(g.work.rescored, x, l.to)
		other := l.to
		l.to = x
		g.scored[other].drop(l)
	}
}

// denyLink brings the scored pair of a and b, if there is one, up to date with
// the decisions.
func (g *Graph) denyLink(a, b ref) {
	x, y := g.scored[a], g.scored[b]
	if x == nil || y == nil {
		return
	}
	l, ok := x.find(y, a, b)
	if !ok {
		return
	}
	denied := g.denied(g.nodes.at(a).key, g.nodes.at(b).key)
	g.work.severed = g.work.severed || denied
	i, _ := x.place(l)
	x.links[i].denied = denied
	l.to = a
	i, _ = y.place(l)
	y.links[i].denied = denied
	g.work.rescored = append(g.work.rescored, a, b)
}

// restate marks the scored pairs of x, at both ends: its class changed.
func (g *Graph) restate(x ref) {
	if g.nodes.at(x).flags&scored != 0 {
		g.work.restated = append(g.work.restated, x)
	}
}

// Scored is a scored pair of one record.
type Scored struct {
	Other  identity.Key
	Weight int64 // hundredths of a bit
	// Read says that the pair counts: it is of the review threshold at least,
	// not rejected, and neither end is blocked, generic or gone.
	Read bool
}

// Scores returns the scored pairs of k by the model of the rules, the greatest
// weight first: what a person may review, and what an unmerge rejects. Read is
// as of the last flush.
func (g *Graph) Scores(k identity.Key) []Scored {
	x := g.find(k)
	if x == 0 || g.scored[x] == nil {
		return nil
	}
	var list []Scored
	for _, l := range g.scored[x].links {
		list = append(list, Scored{
			Other:  g.nodes.at(l.to).key,
			Weight: int64(l.weight),
			Read:   g.legible(x) && g.reads(l),
		})
	}
	slices.SortStableFunc(list, func(a, b Scored) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Other, b.Other))
	})
	return list
}

// legible reports whether the scored pairs of x can count.
func (g *Graph) legible(x ref) bool {
	return g.nodes.at(x).flags&(alive|blocked|generic) == alive
}

// reads reports whether l counts, as far as its other end can say.
func (g *Graph) reads(l link) bool {
	return !l.denied && int64(l.weight) >= g.rules.ReviewThreshold && g.legible(l.to)
}
