package linkage

import "math"

// weigher turns patterns and the rarity of equal values into weights. It is
// frozen: any number of goroutines may use it.
type weigher struct {
	corpus *corpus
	*weights
	kinds []*kind
	// rarity[f][code] is what equality of that very value weighs beyond equality
	// of any: log2(u/share).
	rarity [][]float32
}

// newWeigher makes the weights of a learnt model over a corpus.
func newWeigher(c *corpus, mo *model, ch *chance) *weigher {
	w := &weigher{corpus: c, weights: mo.weights(ch), kinds: mo.kinds}
	for f := range c.fields {
		rarity := make([]float32, len(ch.share[f]))
		for code, share := range ch.share[f] {
			if share > 0 {
				rarity[code] = float32(math.Log2(ch.u[f][exact] / max(float64(share), leastChance)))
			}
		}
		w.rarity = append(w.rarity, rarity)
	}
	return w
}

// weight returns log2 of the odds that the pair is of one person.
func (w *weigher) weight(a, _ int32, p pattern) float64 {
	record := w.corpus.record(int(a))
	match := w.match.of(p) + w.rare(record, p, nil)
	if len(w.kinds) == 0 {
		return match
	}
	others := 1.0
	for i, k := range w.kinds {
		others += exp2(w.weights.kinds[i].of(p) + w.rare(record, p, k.free))
	}
	return match - math.Log2(others)
}

// rare sums the rarity of the equal values of a pair, of those fields only that
// a kind shares: where it is like strangers, rarity is as it is among them.
func (w *weigher) rare(record []uint32, p pattern, shared []bool) float64 {
	total := 0.0
	for f := range w.rarity {
		if p.level(f) == exact && (shared == nil || shared[f]) {
			total += float64(w.rarity[f][record[f]])
		}
	}
	return total
}
