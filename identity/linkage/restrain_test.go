package linkage

import (
	"math"
	"testing"
)

// What restrain makes of chances is within the limits, sums to 1, and is the
// likeliest of all that are: no random chances within the limits are likelier.
func TestRestrainIsTheLikeliest(t *testing.T) {
	r := random(t)
	bound := [4]int{}
	for range max(200, tries(t, 4000)/10) {
		typ := pick(r, GivenName, Surname, Date, City, Phone, Number)
		l := limitOf(typ, .02+.98*r.Float64())
		l.other = min(l.other, .01+r.Float64())
		l.far = max(l.far*r.Float64(), l.other)
		drawn := drawChances(r.Float64, len(scales[typ].levels))
		got := append([]float64(nil), drawn...)
		l.restrain(got)
		other, far := l.parts(got)
		if other > l.other+1e-9 || far > l.far+1e-9 {
			t.Fatalf("%s: %v has %v and %v beyond the limits %+v", typ, got, other, far, l)
		}
		sum := 0.0
		for _, p := range got {
			sum += p
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Fatalf("%s: chances sum to %v", typ, sum)
		}
		was, wasFar := l.parts(drawn)
		bound[one(was > l.other)+2*one(wasFar > l.far)]++
		for range 50 {
			rival := drawChances(r.Float64, len(drawn))
			for i := range rival { // near by, where a better one would be
				rival[i] = got[i] + .05*(rival[i]-got[i])
			}
			if o, f := l.parts(rival); o > l.other || f > l.far {
				continue
			}
			if a, b := likelihoodOf(drawn, rival), likelihoodOf(drawn, got); a > b+1e-12 {
				t.Fatalf("%s, limits %+v: of %v it made %v, but %v is likelier by %g", typ, l, drawn, got, rival, a-b)
			}
		}
	}
	for i, n := range bound {
		if n == 0 {
			t.Errorf("no case of limits bound %02b: nothing was tested there", i)
		}
	}
}

// parts are how much disagrees, and how much is beyond a misspelling.
func (l limit) parts(levels []float64) (other, far float64) {
	last := len(levels) - 1
	for i := l.near + 1; i <= last; i++ {
		if i != l.swapped {
			far += levels[i]
		}
	}
	return levels[last], far
}

func drawChances(float func() float64, levels int) []float64 {
	c, sum := make([]float64, levels), 0.0
	for l := int(exact); l < levels; l++ {
		c[l] = math.Exp(3 * float())
		sum += c[l]
	}
	for l := range c {
		c[l] /= sum
	}
	return c
}

func likelihoodOf(counts, m []float64) float64 {
	sum := 0.0
	for l := int(exact); l < len(m); l++ {
		sum += counts[l] * math.Log(m[l])
	}
	return sum
}
