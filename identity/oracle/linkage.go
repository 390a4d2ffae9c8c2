package oracle

import (
	"cmp"
	"math"
	"math/big"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// scored names a pair of records as one model sees it, low < high.
type scored struct {
	low, high identity.Key
	model     string
}

// score is what a model said of a pair, and when.
type score struct {
	weight, at int64
}

// Score adds a scored pair of records.
//
// "Scored record pairs (record a, record b, model version, whole-number weight
// ≥ review threshold), each a function of two records and a frozen model."
func (o *Oracle) Score(a, b identity.Node, model string, weight, at int64) {
	o.know(a)
	o.know(b)
	if a.Key == b.Key {
		return
	}
	k := scored{low: min(a.Key, b.Key), high: max(a.Key, b.Key), model: model}
	s := score{weight: min(max(weight, math.MinInt32), math.MaxInt32), at: at}
	if old, ok := o.scores[k]; !ok || cmp.Or(cmp.Compare(s.at, old.at), cmp.Compare(s.weight, old.weight)) > 0 {
		o.scores[k] = s
	}
}

// readsScore reports whether a score is read.
//
// "Read are those of the current model version that are not rejected and whose
// ends are not blocked, generic or gone."
func (e *evaluation) readsScore(k scored, s score) bool {
	if k.model != e.rules.ModelVersion || k.model == "" || s.weight < e.rules.ReviewThreshold {
		return false
	}
	if e.stands(identity.Reject, k.low, k.high) || e.stands(identity.CannotLink, k.low, k.high) {
		return false
	}
	for _, end := range []identity.Key{k.low, k.high} {
		if at, ok := e.erased[end]; ok && s.at <= at {
			return false
		}
		if e.blocked(end) || e.generic[end] || e.gone(end) || e.rule(end).Household {
			return false
		}
	}
	return true
}

// weights maps two super-nodes, by position and in order, to their weight.
type weights map[[2]int]int64

// superWeights: "super-nodes are the profiles after step 4; the weight of two
// super-nodes is the greatest of their pairs."
func (e *evaluation) superWeights() weights {
	of := map[identity.Key]int{}
	for i, members := range e.profiles {
		for _, k := range members {
			of[k] = i
		}
	}
	w := weights{}
	for k, s := range e.scores {
		a, b := of[k.low], of[k.high]
		if !e.readsScore(k, s) || a == b {
			continue
		}
		at := [2]int{min(a, b), max(a, b)}
		if old, ok := w[at]; !ok || s.weight > old {
			w[at] = s.weight
		}
	}
	return w
}

// link is step 5.
func (e *evaluation) link() {
	e.profiles = e.partition()
	for i, members := range e.profiles {
		for _, k := range members {
			e.supers[k] = i
		}
	}
	var joined [][]identity.Key
	inUnit := map[int]bool{}
	for _, w := range e.linkageUnits(e.superWeights()) {
		clusters := map[int]*super{}
		for pair := range w {
			for _, i := range pair {
				inUnit[i] = true
				clusters[i] = &super{nodes: []int{i}, members: e.profiles[i]}
			}
		}
		for _, c := range e.averageLinkage(clusters, w) {
			joined = append(joined, c.members)
		}
	}
	for i, members := range e.profiles {
		if !inUnit[i] {
			joined = append(joined, members)
		}
	}
	e.profiles = joined
}

// linkageUnits returns the weights of each unit.
//
// "A unit is a component of super-nodes; one of more than C ignores its least
// weight, and again."
func (e *evaluation) linkageUnits(all weights) []weights {
	var units []weights
	for _, w := range componentsOf(all) {
		nodes := map[int]bool{}
		least := int64(math.MaxInt64)
		for pair, weight := range w {
			nodes[pair[0]], nodes[pair[1]] = true, true
			least = min(least, weight)
		}
		if len(nodes) <= e.rules.UnitCap {
			units = append(units, w)
			continue
		}
		rest := weights{}
		for pair, weight := range w {
			if weight > least {
				rest[pair] = weight
			}
		}
		units = append(units, e.linkageUnits(rest)...)
	}
	return units
}

// componentsOf splits weights by the connected component that they are in.
func componentsOf(all weights) map[int]weights {
	root := map[int]int{}
	for pair := range all {
		root[pair[0]], root[pair[1]] = pair[0], pair[1]
	}
	for pair := range all {
		from, to := root[pair[1]], root[pair[0]]
		for i, r := range root {
			if r == from {
				root[i] = to
			}
		}
	}
	components := map[int]weights{}
	for pair, weight := range all {
		r := root[pair[0]]
		if components[r] == nil {
			components[r] = weights{}
		}
		components[r][pair] = weight
	}
	return components
}

// super is a cluster of super-nodes.
type super struct {
	nodes   []int
	members []identity.Key
}

// averageLinkage joins the super-nodes of one unit.
//
// "Two clusters score the sum of the weights between them / (n × m), a missing
// weight is 0; join the greatest score ≥ link threshold, ties by the least
// founder keys (lower, then higher), unless a limit (the principal's is 1), a
// cannot-link or G would break; a refused pair of clusters stays refused."
func (e *evaluation) averageLinkage(start map[int]*super, w weights) []*super {
	var clusters []*super
	for _, c := range start {
		clusters = append(clusters, c)
	}
	threshold := new(big.Rat).SetInt64(max(1, e.rules.LinkThreshold))
	refused := map[[2]*super]bool{}
	for {
		var a, b *super
		var best *big.Rat
		for i, x := range clusters {
			for _, y := range clusters[i+1:] {
				s := between(x, y, w)
				if s.Cmp(threshold) < 0 || refused[[2]*super{x, y}] || refused[[2]*super{y, x}] {
					continue
				}
				if best == nil || s.Cmp(best) > 0 || s.Cmp(best) == 0 && e.firstPair(x, y, a, b) {
					a, b, best = x, y, s
				}
			}
		}
		if best == nil {
			return clusters
		}
		if !e.fits(a.members, b.members) {
			refused[[2]*super{a, b}] = true
			continue
		}
		clusters = slices.DeleteFunc(clusters, func(c *super) bool { return c == a || c == b })
		clusters = append(clusters, &super{
			nodes:   slices.Concat(a.nodes, b.nodes),
			members: slices.Concat(a.members, b.members),
		})
	}
}

// between is the score of two clusters.
func between(x, y *super, w weights) *big.Rat {
	sum := int64(0)
	for _, i := range x.nodes {
		for _, j := range y.nodes {
			sum += w[[2]int{min(i, j), max(i, j)}]
		}
	}
	return big.NewRat(sum, int64(len(x.nodes)*len(y.nodes)))
}

// firstPair reports whether the founder keys of x and y come before those of a
// and b.
func (e *evaluation) firstPair(x, y, a, b *super) bool {
	low, high := e.founderKeys(x, y)
	otherLow, otherHigh := e.founderKeys(a, b)
	return cmp.Or(cmp.Compare(low, otherLow), cmp.Compare(high, otherHigh)) < 0
}

func (e *evaluation) founderKeys(x, y *super) (low, high identity.ProfileID) {
	p, q := e.founder(x.members), e.founder(y.members)
	return min(p, q), max(p, q)
}
