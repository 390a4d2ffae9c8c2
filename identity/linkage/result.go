package linkage

import (
	"cmp"
	"math"
	"slices"
)

// Result is what Link found.
type Result struct {
	// Clusters holds for each record the least record of its cluster.
	Clusters []int32
	// Pairs are the candidates that may be one person, weight at least
	// ReviewBits, by their records.
	Pairs []Pair
	Model *Model
	// Seconds says how long each step took.
	Seconds map[string]float64

	weigher *weigher
}

// ReviewBits is the least weight of a pair that is reported: one chance in nine.
// LinkBits is the weight above which a pair of two records alone is one person:
// even odds.
const (
	ReviewBits = -leniency
	LinkBits   = 0
)

// Pair is two records, a before b, that may be one person.
type Pair struct {
	A, B int32
	// Bits is log2 of the odds that they are.
	Bits    float64
	pattern pattern
}

// Probability is that of one person.
func (p Pair) Probability() float64 { return probability(p.Bits) }

// Explain takes the weight of a pair of the result apart.
func (r *Result) Explain(p Pair) Waterfall {
	return r.weigher.explain(r.weigher.corpus.record(int(p.A)), p.pattern)
}

// resolve clusters, learns again with what the clusters say of who holds which
// value, and clusters for good.
func (l *linker) resolve() *Result {
	const sure = 6 // bits: provisional persons are certain ones
	m := l.freeze()
	l.step("persons")
	first := l.cluster(m.weigher(l.corpus), l.edges(m, sure), sure)
	l.step("learn again")
	l.fit(first)
	m = l.freeze()
	w := m.weigher(l.corpus)
	l.step("weigh")
	pairs := l.pairs(w)
	m.Thresholds = expectations(l, w)
	l.step("cluster")
	edges := make([]edge, len(pairs))
	for i, p := range pairs {
		edges[i] = edge{p.A, p.B, p.Bits}
	}
	clusters := l.cluster(w, edges, LinkBits)
	m.Splits = l.blocks.splits
	l.step("")
	return &Result{Clusters: clusters, Pairs: pairs, Model: m, Seconds: l.seconds, weigher: w}
}

// pairs weighs the candidates and keeps those worth a look.
func (l *linker) pairs(w *weigher) []Pair {
	var pairs []Pair
	for _, part := range l.candidates {
		for i := range part {
			c := &part[i]
			if bits := w.weight(l.corpus.record(int(c.a)), c.pattern); bits >= ReviewBits {
				pairs = append(pairs, Pair{c.a, c.b, bits, c.pattern})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b Pair) int { return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B)) })
	return pairs
}

// edges are the candidates of at least threshold.
func (l *linker) edges(m *Model, threshold float64) []edge {
	w := m.weigher(l.corpus)
	var edges []edge
	for _, part := range l.candidates {
		for i := range part {
			c := &part[i]
			if bits := w.weight(l.corpus.record(int(c.a)), c.pattern); bits >= threshold-leniency {
				edges = append(edges, edge{c.a, c.b, bits})
			}
		}
	}
	return edges
}

// expectations estimates precision and recall by threshold from the
// probabilities of the candidates, before clusters.
func expectations(l *linker, w *weigher) []Expectation {
	const least, most = -6, 20
	var pairs [most - least + 1]int64
	var right [most - least + 1]float64
	all := 0.0
	for _, part := range l.candidates {
		for i := range part {
			c := &part[i]
			bits := w.weight(l.corpus.record(int(c.a)), c.pattern)
			p := probability(bits)
			all += p
			if bits >= least {
				at := min(int(math.Floor(bits)), most) - least
				pairs[at]++
				right[at] += p
			}
		}
	}
	var list []Expectation
	n, tp := int64(0), 0.0
	for at := most - least; at >= 0; at-- {
		n, tp = n+pairs[at], tp+right[at]
		e := Expectation{Bits: float64(at + least), Probability: probability(float64(at + least)), Pairs: n}
		if n > 0 && all > 0 {
			e.Precision, e.Recall = tp/float64(n), tp/all
			e.F1 = 2 * e.Precision * e.Recall / (e.Precision + e.Recall)
		}
		list = append(list, e)
	}
	slices.Reverse(list)
	return list
}
