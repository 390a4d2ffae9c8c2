package linkage

import (
	"math"
	"slices"
)

// model is what was learnt: how two records of one person agree (m of Fellegi
// and Sunter), and in what kinds two of different persons do. How strangers
// agree (u) is in chance.
type model struct {
	// m[f][l] is the chance of a level among records of one person.
	m [][]float64
	// person is the share of pairs that are one person's.
	person float64
	kinds  []*kind
	// limits are those of m. Only the first guess has them.
	limits []limit
}

// firstModel is where learning starts: nearly nine pairs of ten of one person
// agree in a field, and closer levels are likelier.
func firstModel(c *corpus, ch *chance, person float64, kinds []int) *model {
	mo := &model{person: person}
	for f := range c.fields {
		equal := .85
		if c.fields[f].typ == Generation {
			equal = .98 // too rare to be learnt, and nobody is their own son
		}
		mo.m = append(mo.m, descending(len(scales[c.fields[f].typ].levels), equal))
		mo.limits = append(mo.limits, limitOf(c.fields[f].typ, ch.u[f][len(ch.u[f])-1]))
	}
	restrain(mo.m, mo.limits)
	for _, k := range kinds {
		mo.kinds = append(mo.kinds, c.firstKind(k, ch, person/4))
	}
	return mo
}

func descending(levels int, equal float64) []float64 {
	m := make([]float64, levels)
	m[exact] = equal
	rest := 0.0
	for l := int(exact) + 1; l < levels; l++ {
		m[l] = 1 / float64(l)
		rest += m[l]
	}
	for l := int(exact) + 1; l < levels; l++ {
		m[l] *= (1 - equal) / rest
	}
	return m
}

// numbers are those of the model's kinds.
func (mo *model) numbers() []int {
	var list []int
	for _, k := range mo.kinds {
		list = append(list, k.number)
	}
	return list
}

func (mo *model) strangers() float64 {
	share := 1 - mo.person
	for _, k := range mo.kinds {
		share -= k.share
	}
	return share
}

// odds are the logarithms, base 2, of how a class of pairs compares with
// strangers: of its share, and of each field and level.
type odds struct {
	prior  float64
	levels [][]float64
}

// of is the weight of a pattern.
func (o *odds) of(p pattern) float64 {
	total := o.prior
	for f := range o.levels {
		total += o.levels[f][p.level(f)]
	}
	return total
}

// weights are the odds of one person, and of each kind.
type weights struct {
	match odds
	kinds []odds
}

func (mo *model) weights(ch *chance) *weights {
	strangers := mo.strangers()
	w := &weights{match: odds{math.Log2(mo.person / strangers), ratios(mo.m, ch.u)}}
	for _, k := range mo.kinds {
		w.kinds = append(w.kinds, odds{math.Log2(k.share / strangers), ratios(k.chance, ch.u)})
	}
	return w
}

func ratios(a, b [][]float64) [][]float64 {
	w := make([][]float64, len(a))
	for f := range a {
		w[f] = make([]float64, len(a[f]))
		for l := int(exact); l < len(a[f]); l++ {
			w[f][l] = math.Log2(a[f][l] / b[f][l])
		}
	}
	return w
}

// probability turns a weight in bits into the probability of a match.
func probability(weight float64) float64 { return 1 / (1 + exp2(-weight)) }

// of returns the weight of a pattern: log2 of the odds of one person against
// everybody else.
func (w *weights) of(p pattern) float64 {
	others := 1.0
	for i := range w.kinds {
		others += exp2(w.kinds[i].of(p))
	}
	return w.match.of(p) - math.Log2(others)
}

// pseudo is how many pairs stand behind the first guess of a field: enough that
// a level which no pair shows is not impossible, and too few to outweigh data.
const pseudo = 1

// learnt is one state of learning.
type learnt struct {
	*model
	// likelihood is the logarithm of the likelihood of the counts and of the
	// first guess, after each round; it never falls.
	likelihood []float64
	// found is the expected number of matches among the candidates.
	found float64
}

// learn fits a model to the counts of the candidates' patterns by expectation
// maximisation (Dempster, Laird and Rubin 1977), u being fixed. Pairs that are
// no candidates count as known to be strangers: blocking drops nothing else that
// matters, so that the shares are of all pairs, and m needs no correction for
// the rule that found a pair.
//
// It begins at start; guess is what is believed before any pair is seen. With
// fixed, m stays what it is and only the shares and the kinds are learnt.
func learn(counts []patternCount, ch *chance, start, guess *model, comparable float64, fixed bool) *learnt {
	const rounds, enough = 100, 1e-7
	state := &learnt{model: &model{m: copied(start.m), person: start.person, kinds: start.kinds}}
	restrain(state.m, guess.limits)
	for round := range rounds {
		next, likelihood := step(counts, ch, state.model, guess, comparable)
		state.likelihood = append(state.likelihood, likelihood)
		if fixed {
			next.m = state.m
		}
		state.found = next.person * comparable
		state.model = next
		if round > 0 {
			before := state.likelihood[round-1]
			if likelihood-before < enough*math.Abs(before) {
				break
			}
		}
	}
	return state
}

// step is one round: how probably each pattern is of each class under mo, and
// the model that follows from it.
func step(counts []patternCount, ch *chance, mo, guess *model, comparable float64) (*model, float64) {
	next := &model{m: scaled(guess.m), person: pseudo / 2.0}
	for _, k := range guess.kinds {
		next.kinds = append(next.kinds, &kind{name: k.name, number: k.number, share: pseudo / 2.0, chance: scaled(k.chance), free: k.free, derived: k.derived, scales: k.scales})
	}
	likelihood := comparable*math.Log(mo.strangers()) + expect(counts, mo.weights(ch), next)
	likelihood += pseudo/2.0*(math.Log(mo.strangers())+math.Log(mo.person)) + behind(mo.m, guess.m)
	normalise(next.m)
	restrain(next.m, guess.limits)
	for i, k := range mo.kinds {
		likelihood += pseudo/2.0*math.Log(k.share) + behind(k.chance, guess.kinds[i].chance)
		normalise(next.kinds[i].chance)
		next.kinds[i].hold()
		for f, free := range k.free {
			switch {
			case k.derived[f]:
				reshape(next.kinds[i].chance[f], k.chance[f][exact])
			case !free:
				next.kinds[i].chance[f] = k.chance[f]
			}
		}
	}
	next.share(comparable)
	return next, likelihood
}

// The most that the classes may be of all pairs.
const (
	mostPerson = .5
	mostKind   = .2
)

// share turns the expected numbers of pairs into shares. Half a pseudo pair
// stands behind each class, strangers included, so that none is ever 0; what a
// class has beyond its most goes to the others in proportion, which is the
// likeliest of what is allowed.
func (mo *model) share(comparable float64) {
	left, pairs := 1.0, comparable+pseudo/2.0*float64(2+len(mo.kinds))
	shares, mosts := []*float64{&mo.person}, []float64{mostPerson}
	for _, k := range mo.kinds {
		shares, mosts = append(shares, &k.share), append(mosts, mostKind)
	}
	for i := 0; i < len(shares); i++ {
		if *shares[i]*left > mosts[i]*pairs {
			left, pairs = left-mosts[i], pairs-*shares[i]
			*shares[i] = mosts[i]
			shares, mosts = slices.Delete(shares, i, i+1), slices.Delete(mosts, i, i+1)
			i = -1
		}
	}
	for _, s := range shares {
		*s *= left / pairs
	}
}

// exp2 is 2 to the power of w, without overflow.
func exp2(w float64) float64 { return math.Exp(min(w, 900) * math.Ln2) }

func scaled(a [][]float64) [][]float64 {
	b := make([][]float64, len(a))
	for f := range a {
		b[f] = make([]float64, len(a[f]))
		for l := int(exact); l < len(a[f]); l++ {
			b[f][l] = pseudo * a[f][l]
		}
	}
	return b
}

// behind is the logarithm of what the first guess says of a model.
func behind(a, guess [][]float64) float64 {
	total := 0.0
	for f := range a {
		for l := int(exact); l < len(a[f]); l++ {
			total += pseudo * guess[f][l] * math.Log(a[f][l])
		}
	}
	return total
}

func normalise(a [][]float64) {
	for f := range a {
		a[f][missing] = 0
		total := 0.0
		for _, x := range a[f] {
			total += x
		}
		for l := int(exact); l < len(a[f]); l++ {
			a[f][l] = max(a[f][l]/total, leastChance/1000)
		}
	}
}
