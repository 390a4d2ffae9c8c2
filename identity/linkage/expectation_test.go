package linkage

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// fieldsOf is a corpus without records that has these fields.
func fieldsOf(types ...Type) *corpus {
	c := &corpus{given: -1, surname: -1}
	for _, typ := range types {
		c.fields = append(c.fields, field{spec: plain(string(typ), typ, false), dict: newDictionary()})
	}
	c.findNames()
	return c
}

// shape draws chances for the levels of a field: equality first, the others
// descending or not.
func shape(r *rand.Rand, levels int, equal float64) []float64 {
	p := make([]float64, levels)
	rest := 0.0
	for l := int(exact) + 1; l < levels; l++ {
		p[l] = .02 + r.Float64()
		rest += p[l]
	}
	for l := int(exact) + 1; l < levels; l++ {
		p[l] *= (1 - equal) / rest
	}
	p[exact] = equal
	return p
}

func drawLevel(r *rand.Rand, p []float64) uint8 {
	x := r.Float64()
	for l := int(exact); l < len(p); l++ {
		if x -= p[l]; x < 0 {
			return uint8(l)
		}
	}
	return uint8(len(p) - 1)
}

// mixture draws the patterns of pairs, a share of them of one person, and the
// chances they were drawn with.
func mixture(r *rand.Rand, c *corpus, pairs int, share, absent float64) (counts []patternCount, ch *chance, m [][]float64) {
	ch = &chance{}
	for f := range c.fields {
		n := len(scales[c.fields[f].typ].levels)
		ch.u = append(ch.u, shape(r, n, .001+.05*r.Float64()))
		m = append(m, shape(r, n, .7+.25*r.Float64()))
	}
	tally := map[pattern]int{}
	for range pairs {
		from := ch.u
		if r.Float64() < share {
			from = m
		}
		p := pattern(0)
		for f := range c.fields {
			if r.Float64() >= absent {
				p = p.with(f, drawLevel(r, from[f]))
			}
		}
		tally[p]++
	}
	return sortedCounts(tally), ch, m
}

// rounds learns from counts for as many rounds as are worth it.
func rounds(counts []patternCount, ch *chance, start *model, comparable float64) *learnt {
	state := &learnt{model: start}
	for range 100 {
		next, likelihood := step(counts, ch, state.model, start, comparable)
		state.likelihood = append(state.likelihood, likelihood)
		state.model, state.found = next, next.person*comparable
		if n := len(state.likelihood); n > 1 && likelihood-state.likelihood[n-2] < 1e-9*math.Abs(likelihood) {
			break
		}
	}
	return state
}

// neverFalls checks that no round of learning makes the data less likely.
func neverFalls(t *testing.T, what string, likelihood []float64) {
	t.Helper()
	for i, l := range likelihood {
		if math.IsNaN(l) || math.IsInf(l, 0) {
			t.Fatalf("%s: likelihood of round %d is %v", what, i, l)
		}
		if i > 0 && l < likelihood[i-1]-1e-9*math.Abs(l) {
			t.Fatalf("%s: likelihood falls in round %d from %.12g to %.12g", what, i, likelihood[i-1], l)
		}
	}
}

// On whatever is counted, drawn from a model or wild, learning never makes it
// less likely, and what is learnt are chances.
func TestLikelihoodNeverFalls(t *testing.T) {
	r := random(t)
	all := []Type{GivenName, Surname, Date, Street, House, City, Postcode, Email, Phone, Number, Category, Generation, Year, Text}
	withKinds, done := 0, 0
	for range max(10, tries(t, 4000)/100) {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		c := fieldsOf(all[:2+r.IntN(9)]...)
		counts, ch, _ := mixture(r, c, 1+r.IntN(pick(r, 5, 100, 3000)), r.Float64(), .3*r.Float64())
		if r.IntN(4) == 0 { // counts that no model makes
			for i := range counts {
				counts[i].count = math.Floor(math.Exp(10 * r.Float64()))
			}
		}
		candidates := 0.0
		for _, n := range counts {
			candidates += n.count
		}
		comparable := candidates * (1 + pick(r, 0, .3, 10, 1000)*r.Float64())
		start := firstModel(c, ch, min(.1, .5/math.Sqrt(comparable)), c.kinds())
		state := rounds(counts, ch, start, comparable)
		neverFalls(t, "drawn", state.likelihood)
		checkChances(t, state.model)
		done += len(state.likelihood)
		withKinds += min(1, len(state.kinds))
	}
	if withKinds == 0 || done < 100 {
		t.Errorf("%d models with kinds, %d rounds: nothing was tested", withKinds, done)
	}
}

// checkChances checks that chances are between 0 and 1 and sum to 1.
func checkChances(t *testing.T, mo *model) {
	t.Helper()
	classes, shares := [][][]float64{mo.m}, []float64{mo.person, mo.strangers()}
	for _, k := range mo.kinds {
		classes, shares = append(classes, k.chance), append(shares, k.share)
	}
	for _, s := range shares {
		if !(s > 0 && s < 1) {
			t.Fatalf("shares of the classes are %v", shares)
		}
	}
	for _, class := range classes {
		for f, levels := range class {
			sum := 0.0
			for l, p := range levels {
				if math.IsNaN(p) || p < 0 || p > 1+1e-9 || l == int(missing) && p != 0 {
					t.Fatalf("field %d: chances %v", f, levels)
				}
				sum += p
			}
			if math.Abs(sum-1) > 1e-6 {
				t.Fatalf("field %d: chances sum to %v", f, sum)
			}
		}
	}
}

// Chances that pairs were drawn with are found again, also when a third of the
// values are missing.
func TestLearnRecovers(t *testing.T) {
	r := random(t)
	for _, absent := range []float64{0, .3} {
		c := fieldsOf(Date, Number, Postcode, Category, Year)
		const pairs = 60000
		counts, ch, m := mixture(r, c, pairs, .2, absent)
		start := firstModel(c, ch, .05, nil)
		state := rounds(counts, ch, start, pairs)
		if math.Abs(state.person-.2) > .01 || math.Abs(state.found-.2*pairs) > .01*pairs {
			t.Errorf("a share of %.3f and %.0f matches, want 0.2 and %d", state.person, state.found, pairs/5)
		}
		for f := range m {
			for l := int(exact); l < len(m[f]); l++ {
				if got := state.m[f][l]; math.Abs(got-m[f][l]) > .02 {
					t.Errorf("%s %s: %.3f, want %.3f", c.fields[f].name, scales[c.fields[f].typ].levels[l], got, m[f][l])
				}
			}
		}
		neverFalls(t, "recovered", state.likelihood)
	}
}

// The order of the counts is nothing to the result, and one pattern counted
// twice is as good as its sum.
func TestLearnOnCounts(t *testing.T) {
	r := random(t)
	c := fieldsOf(GivenName, Surname, Date, City, Postcode, Street)
	counts, ch, _ := mixture(r, c, 3000, .1, .1)
	start := firstModel(c, ch, .05, c.kinds())
	want := rounds(counts, ch, start, 1e5)
	again := slices.Clone(counts)
	for i := range again {
		again[i].count /= 2
	}
	again = append(again, again...)
	r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
	got := rounds(again, ch, start, 1e5)
	if math.Abs(got.person-want.person) > 1e-9 || math.Abs(last(got.likelihood)-last(want.likelihood)) > 1e-6 {
		t.Errorf("a share of %v and likelihood %v, want %v and %v", got.person, last(got.likelihood), want.person, last(want.likelihood))
	}
}

// Weights and probabilities are finite however certain the evidence.
func TestProbability(t *testing.T) {
	for _, w := range []float64{0, 1, -1, 40, -40, 1e4, -1e4} {
		p := probability(w)
		if math.IsNaN(p) || p < 0 || p > 1 || math.Abs(p+probability(-w)-1) > 1e-12 {
			t.Errorf("probability of %v bits is %v", w, p)
		}
	}
	if probability(0) != .5 || math.Abs(probability(1)-2.0/3) > 1e-12 {
		t.Error("even odds are 1/2, and one bit 2/3")
	}
}
