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
	// Compared is the number of pairs that were compared: the candidates, and those
	// from which the rules that found them were chosen.
	Compared int64
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
func (l *linker) resolve() (*Result, error) {
	l.step("persons")
	first, err := l.certain()
	if err != nil {
		return nil, err
	}
	l.step("learn again")
	if l.spread, err = l.corpus.spread(l.ctx, first, l.Workers); err != nil {
		return nil, err
	}
	l.fit()
	m, err := l.freeze()
	if err != nil {
		return nil, err
	}
	m.Version = m.hash()
	l.step("weigh")
	w, err := l.weigher(m)
	if err != nil {
		return nil, err
	}
	hopes := make([]hope, len(l.candidates))
	pairs, err := l.pairs(w, ReviewBits, hopes)
	if err != nil {
		return nil, err
	}
	pairs = inOrder(pairs, l.corpus.rows)
	m.Thresholds = expectations(hopes)
	l.step("cluster")
	clusters, err := l.cluster(w, edgesOf(pairs), LinkBits)
	if err != nil {
		return nil, err
	}
	m.Splits = l.blocks.splits
	l.step("")
	return &Result{Clusters: clusters, Pairs: pairs, Model: m, Compared: l.compared, Seconds: l.seconds, weigher: w}, nil
}

// certain clusters what is certain by what was learnt so far.
func (l *linker) certain() ([]int32, error) {
	const sure = 6 // bits
	m, err := l.freeze()
	if err != nil {
		return nil, err
	}
	w, err := l.weigher(m)
	if err != nil {
		return nil, err
	}
	pairs, err := l.pairs(w, sure-leniency, nil)
	if err != nil {
		return nil, err
	}
	return l.cluster(w, edgesOf(pairs), sure)
}

// pairs weighs the candidates and keeps those of at least threshold, in their
// order. hopes, if not nil, are counted by part.
func (l *linker) pairs(w *weigher, threshold float64, hopes []hope) ([]Pair, error) {
	parts, rooms := make([][]Pair, len(l.candidates)), make([]weighing, l.Workers)
	least := threshold
	if hopes != nil {
		least = leastHope
	}
	err := divide(l.ctx, l.Workers, len(parts), func(worker, part int) {
		list := l.candidates[part]
		w.weigh(list, &rooms[worker], least, func(i int, bits float64) {
			if bits >= threshold {
				parts[part] = append(parts[part], Pair{list[i].a, list[i].b, bits, list[i].pattern})
			}
			if hopes != nil {
				hopes[part].add(bits)
			}
		})
	})
	return slices.Concat(parts...), err
}

// inOrder returns pairs by their records.
func inOrder(pairs []Pair, rows int) []Pair {
	at := make([]int32, rows+1)
	for i := range pairs {
		at[pairs[i].A+1]++
	}
	for row := range rows {
		at[row+1] += at[row]
	}
	out := make([]Pair, len(pairs))
	for i := range pairs {
		out[at[pairs[i].A]] = pairs[i]
		at[pairs[i].A]++
	}
	for from := 0; from < len(out); {
		to := int(at[out[from].A])
		slices.SortFunc(out[from:to], func(a, b Pair) int { return cmp.Compare(a.B, b.B) })
		from = to
	}
	return out
}

func edgesOf(pairs []Pair) []edge {
	edges := make([]edge, len(pairs))
	for i, p := range pairs {
		edges[i] = edge{p.A, p.B, p.Bits}
	}
	return edges
}

// The range of thresholds of which expectations are given, in bits.
const (
	leastExpected = -6
	mostExpected  = 20
	// leastHope is the weight below which a pair lets expect nothing: a million
	// of them are less than one match in a million.
	leastHope = -40
)

// hope is what some of the candidates let expect: how many pairs weigh a whole
// number of bits, and of how many matches that is the sum; all are the matches
// expected of any weight.
type hope struct {
	pairs [mostExpected - leastExpected + 1]int64
	right [mostExpected - leastExpected + 1]float64
	all   float64
}

func (h *hope) add(bits float64) {
	p := probability(bits)
	h.all += p
	if bits >= leastExpected {
		at := min(int(math.Floor(bits)), mostExpected) - leastExpected
		h.pairs[at]++
		h.right[at] += p
	}
}

// expectations estimates precision and recall by threshold from the
// probabilities of the candidates, before clusters. Sums are by part of them, so
// that they are the same for any number of workers.
func expectations(hopes []hope) []Expectation {
	var sum hope
	for i := range hopes {
		h := &hopes[i]
		sum.all += h.all
		for at := range h.pairs {
			sum.pairs[at] += h.pairs[at]
			sum.right[at] += h.right[at]
		}
	}
	var list []Expectation
	n, tp := int64(0), 0.0
	for at := mostExpected - leastExpected; at >= 0; at-- {
		n, tp = n+sum.pairs[at], tp+sum.right[at]
		e := Expectation{Bits: float64(at + leastExpected), Probability: probability(float64(at + leastExpected)), Pairs: n}
		if n > 0 && sum.all > 0 {
			e.Precision, e.Recall = tp/float64(n), tp/sum.all
			e.F1 = 2 * e.Precision * e.Recall / (e.Precision + e.Recall)
		}
		list = append(list, e)
	}
	slices.Reverse(list)
	return list
}
