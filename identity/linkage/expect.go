package linkage

import (
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// shards is the number of parts in which the patterns are summed: fixed, so that
// the sums are the same for any number of processors.
const shards = 8

// expect adds each pattern to the classes in proportion to its probability of
// being of each, and returns what the counts add to the likelihood over that of
// strangers.
func expect(counts []patternCount, w *weights, next *model) float64 {
	parts := make([]*expected, shards)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for s := range parts {
		from, to := s*len(counts)/shards, (s+1)*len(counts)/shards
		group.Go(func() error {
			parts[s] = expectPart(counts[from:to], w)
			return nil
		})
	}
	group.Wait() //nolint:errcheck // none is returned
	likelihood := 0.0
	for _, p := range parts {
		likelihood += p.likelihood
		next.person += p.share[0]
		p.addTo(next.m, 0)
		for i, k := range next.kinds {
			k.share += p.share[i+1]
			p.addTo(k.chance, i+1)
		}
	}
	return likelihood
}

// expected are the sums over some patterns, by class: one person first, then the
// kinds.
type expected struct {
	likelihood float64
	share      []float64
	levels     [][][16]float64
}

func (e *expected) addTo(chance [][]float64, class int) {
	for f := range chance {
		for l := range chance[f] {
			chance[f][l] += e.levels[class][f][l]
		}
	}
}

// oddsTable is odds with a place for every level that a pattern can say.
type oddsTable struct {
	prior  float64
	fields int
	levels [maxFields][16]float64
}

func (o *odds) table() *oddsTable {
	t := &oddsTable{prior: o.prior, fields: len(o.levels)}
	for f, levels := range o.levels {
		copy(t.levels[f][:], levels)
	}
	return t
}

// of is the weight of a pattern, to the last bit that of odds.
func (t *oddsTable) of(p pattern) float64 {
	total := t.prior
	for f := range t.levels[:t.fields] {
		total += t.levels[f][p&15]
		p >>= 4
	}
	return total
}

func expectPart(counts []patternCount, w *weights) *expected {
	classes := []*oddsTable{w.match.table()}
	for i := range w.kinds {
		classes = append(classes, w.kinds[i].table())
	}
	e := &expected{share: make([]float64, len(classes)), levels: make([][][16]float64, len(classes))}
	for i := range classes {
		e.levels[i] = make([][16]float64, len(w.match.levels))
	}
	at := make([]float64, len(classes))
	for _, n := range counts {
		all := 1.0
		for i := range classes {
			bits := classes[i].of(n.pattern)
			if at[i] = 0; bits > -54 || n.count > fewPairs { // else it moves no sum
				at[i] = exp2(bits)
			}
			all += at[i]
		}
		if all == 1 && n.count <= fewPairs {
			continue
		}
		e.likelihood += n.count * math.Log(all)
		for i := range classes {
			p := n.count * at[i] / all
			if p < leastPairs {
				continue
			}
			e.share[i] += p
			levels := e.levels[i]
			for f := range levels {
				levels[f][n.pattern.level(f)] += p
			}
		}
	}
	return e
}

// What a pattern adds to a class is left out where it is less than leastPairs:
// as it is for fewPairs pairs below -53 bits, where it is lost in a sum with 1.
const (
	leastPairs = 1e-12
	fewPairs   = 5e3
)
