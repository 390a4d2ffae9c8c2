package lifetime

import (
	"errors"
	"math"
	"testing"
)

// donors are the 11 104 first-time donors of 1995 of Fader, Hardie and Shang (2010),
// table 2: how often they gave within the six years after, and when last.
var donors = []Moments{
	{6, 6, 6, 1203},
	{5, 6, 6, 728},
	{4, 6, 6, 512},
	{3, 6, 6, 357},
	{2, 6, 6, 234},
	{1, 6, 6, 129},
	{5, 5, 6, 335},
	{4, 5, 6, 284},
	{3, 5, 6, 225},
	{2, 5, 6, 173},
	{1, 5, 6, 119},
	{4, 4, 6, 240},
	{3, 4, 6, 181},
	{2, 4, 6, 155},
	{1, 4, 6, 78},
	{3, 3, 6, 322},
	{2, 3, 6, 255},
	{1, 3, 6, 129},
	{2, 2, 6, 613},
	{1, 2, 6, 277},
	{1, 1, 6, 1091},
	{0, 0, 6, 3464},
}

func TestBetaBernoulliReference(t *testing.T) {
	customers := 0.0
	for _, h := range donors {
		customers += h.Customers
	}
	near(t, "donors", customers, 11104, 0)
	m, log, err := FitMoments(donors)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v, %v", m, log)
	for i, want := range []float64{1.204, .750, .657, 2.783} {
		near(t, m.Parameters()[i].Name, m.Parameters()[i].Value, want, .0005)
	}
	near(t, "log likelihood", log, -33225.6, .05)
	total := 0.0
	for _, h := range donors {
		e, err := m.Expected(h, 5)
		if err != nil {
			t.Fatal(err)
		}
		total += h.Customers * e
	}
	near(t, "expected within five years", total, 12884.2, .05)
	for _, test := range []struct {
		h    Moments
		want float64
	}{{Moments{N: 6}, .11}, {Moments{X: 2, Last: 4, N: 6}, .59}, {Moments{X: 4, Last: 6, N: 6}, .93}} {
		p, err := m.Alive(test.h)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "P(alive)", p, test.want, .005)
	}
}

// The gradient is that of the value, and nothing leaves its range.
func TestMomentsAreFinite(t *testing.T) {
	r := random(t, 31)
	f := momentsLikelihood(donors)
	for range 50 {
		theta := make([]float64, 4)
		for i := range theta {
			theta[i] = 2 * r.NormFloat64()
		}
		grad, none := make([]float64, 4), make([]float64, 4)
		f(theta, grad)
		for i := range theta {
			const h = 1e-5
			at := append([]float64(nil), theta...)
			at[i] += h
			high := f(at, none)
			at[i] -= 2 * h
			near(t, "gradient", grad[i], (high-f(at, none))/(2*h), 1e-5*(1+math.Abs(grad[i])))
		}
	}
	for range count(t, 2000) {
		size := func() float64 { return math.Exp(wall * (2*r.Float64() - 1)) }
		m := BetaBernoulli{size(), size(), size(), size()}
		h := Moments{N: r.IntN(40)}
		if h.N > 0 && r.IntN(3) > 0 {
			h.Last = 1 + r.IntN(h.N)
			h.X = 1 + r.IntN(h.Last)
		}
		p, err := m.Alive(h)
		e, also := m.Expected(h, 1+r.IntN(20))
		if err := errors.Join(err, also); err != nil || !(p >= 0 && p <= 1 && e >= 0 && e <= 20) {
			t.Fatalf("%+v %+v: %v, %v, %v", m, h, p, e, err)
		}
	}
}

func TestMomentsRefused(t *testing.T) {
	for want, h := range map[Reason]Moments{
		NegativeValue: {X: -1, N: 3}, RecencyAfterAge: {X: 2, Last: 4, N: 3}, RecencyNoRepeat: {Last: 2, N: 3}, OutOfRange: {N: maxMoments + 1},
	} {
		var invalid *InvalidError
		if _, _, err := FitMoments([]Moments{h}); !errors.As(err, &invalid) || invalid.Reason != want {
			t.Errorf("%+v: %v, want %s", h, err, want)
		}
		if _, err := (BetaBernoulli{1, 1, 1, 1}).Alive(h); !errors.As(err, &invalid) {
			t.Errorf("%+v: %v", h, err)
		}
		if _, err := (BetaBernoulli{1, 1, 1, 1}).Expected(h, 2); !errors.As(err, &invalid) {
			t.Errorf("%+v: %v", h, err)
		}
	}
	for _, few := range [][]Moments{nil, {{X: 1, Last: 1, N: 2, Customers: 50}}, {{N: 2, Customers: 500}}} {
		if _, _, err := FitMoments(few); !errors.Is(err, ErrNotEnoughData) {
			t.Errorf("%+v: %v", few, err)
		}
	}
	if _, err := (BetaBernoulli{1, 1, 1, 1}).Expected(Moments{N: 2}, -1); err == nil {
		t.Error("-1 moments were accepted")
	}
}
