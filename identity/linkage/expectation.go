package linkage

import "math"

// matches is how records of one person agree: m of Fellegi and Sunter, per
// field and level, and the share of pairs that are one person's.
type matches struct {
	m     [][]float64
	prior float64
}

// firstMatches is where learning starts: nine pairs of ten agree in a field, and
// closer levels are likelier.
func firstMatches(c *corpus, prior float64) *matches {
	mt := &matches{prior: prior}
	for f := range c.fields {
		s := scales[c.fields[f].typ]
		m := make([]float64, len(s.levels))
		m[exact] = .85
		rest := 0.0
		for l := int(exact) + 1; l < len(m); l++ {
			m[l] = 1 / float64(l)
			rest += m[l]
		}
		for l := int(exact) + 1; l < len(m); l++ {
			m[l] *= .15 / rest
		}
		mt.m = append(mt.m, m)
	}
	return mt
}

// weights are log2(m/u) of each field and level.
func (mt *matches) weights(ch *chance) [][]float64 {
	w := make([][]float64, len(mt.m))
	for f := range mt.m {
		w[f] = make([]float64, len(mt.m[f]))
		for l := int(exact); l < len(w[f]); l++ {
			w[f][l] = math.Log2(mt.m[f][l] / ch.u[f][l])
		}
	}
	return w
}

// priorWeight is log2 of the odds of a match before anything is compared.
func (mt *matches) priorWeight() float64 { return math.Log2(mt.prior / (1 - mt.prior)) }

// probability turns a weight in bits into the probability of a match.
func probability(weight float64) float64 { return 1 / (1 + math.Exp2(-weight)) }

// sum adds the weights of a pattern's levels.
func sum(weights [][]float64, p pattern) float64 {
	total := 0.0
	for f := range weights {
		total += weights[f][p.level(f)]
	}
	return total
}

// pseudo is how many pairs stand behind the first guess of m: enough that a
// level which no pair shows is not impossible, and too few to outweigh data.
const pseudo = 1

// learnt is one state of learning.
type learnt struct {
	*matches
	// likelihood is the logarithm of the likelihood of the counts (and of the
	// first guess that stands behind m), and never falls.
	likelihood []float64
	// found is the expected number of matches among the candidates.
	found float64
}

// learn fits m and the prior to the counts of the candidates' patterns by
// expectation maximisation (Dempster, Laird and Rubin 1977), u being fixed.
// Pairs that are no candidates count as known to be of two persons: blocking
// drops nothing else that matters, so that the prior is over all pairs and m
// needs no correction for the rule that found a pair.
func learn(counts []patternCount, ch *chance, start *matches, comparable float64) *learnt {
	const rounds, enough = 60, 1e-7
	state := &learnt{matches: start}
	for round := range rounds {
		next, likelihood := step(counts, ch, state.matches, start, comparable)
		state.likelihood = append(state.likelihood, likelihood)
		state.found = next.prior * comparable
		state.matches = next
		if round > 0 {
			before := state.likelihood[round-1]
			if likelihood-before < enough*math.Abs(before) {
				break
			}
		}
	}
	return state
}

// step is one round: the probability of each pattern under mt, and the m and
// prior that follow from it.
func step(counts []patternCount, ch *chance, mt, guess *matches, comparable float64) (*matches, float64) {
	weights, prior := mt.weights(ch), mt.priorWeight()
	next := &matches{m: make([][]float64, len(mt.m))}
	for f := range mt.m {
		next.m[f] = make([]float64, len(mt.m[f]))
		for l := int(exact); l < len(mt.m[f]); l++ {
			next.m[f][l] = pseudo * guess.m[f][l]
		}
	}
	likelihood, found := 0.0, pseudo*.5
	for _, c := range counts {
		w := prior + sum(weights, c.pattern)
		p := probability(w)
		found += c.count * p
		likelihood += c.count * logOdds1p(w)
		for f := range next.m {
			next.m[f][c.pattern.level(f)] += c.count * p
		}
	}
	likelihood += comparable * math.Log(1-mt.prior)
	likelihood += pseudo*.5*math.Log(mt.prior) + pseudo*.5*math.Log(1-mt.prior)
	for f := range next.m {
		total := 0.0
		for l := int(exact); l < len(next.m[f]); l++ {
			likelihood += pseudo * guess.m[f][l] * math.Log(mt.m[f][l])
			total += next.m[f][l]
		}
		next.m[f][missing] = 0
		for l := int(exact); l < len(next.m[f]); l++ {
			next.m[f][l] = max(next.m[f][l]/total, leastChance)
		}
	}
	next.prior = min(found/(comparable+pseudo), .5)
	return next, likelihood
}

// logOdds1p is ln(1 + 2^w): what a pattern of weight w adds to the likelihood
// over that of two persons.
func logOdds1p(w float64) float64 {
	if w > 50 {
		return w * math.Ln2
	}
	return math.Log1p(math.Exp2(w))
}
