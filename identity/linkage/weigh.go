package linkage

import "math"

// weigher turns patterns and the rarity of equal values into weights. It is
// frozen: any number of goroutines may use it.
type weigher struct {
	corpus  *corpus
	prior   float64
	weights [][]float64
	// rarity[f][code] is what equality of that very value weighs beyond equality
	// of any: log2(u/share).
	rarity [][]float32
}

// newWeigher makes the weights of a learnt model over a corpus.
func newWeigher(c *corpus, mt *matches, ch *chance) *weigher {
	w := &weigher{corpus: c, prior: mt.priorWeight(), weights: mt.weights(ch)}
	for f := range c.fields {
		rarity := make([]float32, len(ch.share[f]))
		for code, share := range ch.share[f] {
			if share > 0 {
				rarity[code] = float32(math.Log2(ch.u[f][exact] / float64(share)))
			}
		}
		w.rarity = append(w.rarity, rarity)
	}
	return w
}

// weight returns log2 of the odds that the pair is of one person.
func (w *weigher) weight(a, b int32, p pattern) float64 {
	return w.prior + w.evidence(a, b, p)
}

// evidence is the weight without the prior.
func (w *weigher) evidence(a, b int32, p pattern) float64 {
	total := 0.0
	record := w.corpus.record(int(a))
	for f := range w.weights {
		l := p.level(f)
		total += w.weights[f][l]
		if l == exact {
			total += float64(w.rarity[f][record[f]])
		}
	}
	return total
}
