package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// drawn are probabilities, and answers that come by shift times their odds.
func drawn(n int, shift float64) (p []float64, y []bool) {
	random := rand.New(rand.NewPCG(4, 4))
	for range n {
		v := random.Float64() * .4
		p = append(p, v)
		y = append(y, random.Float64() < v*shift/(v*shift+1-v))
	}
	return p, y
}

func TestCorrection(t *testing.T) {
	p, y := drawn(5000, 1)
	if c := correction(p, y, .2); c.Applied {
		t.Errorf("what comes as foretold is corrected: %+v", c)
	}
	p, y = drawn(5000, 3)
	c := correction(p, y, .2)
	mean := 0.0
	for _, v := range propensity.ShiftPrior(p, c.From, c.To) {
		mean += v / float64(len(p))
	}
	if !c.Applied || math.Abs(mean-c.Observed) > 1e-6 || c.Observed < c.Expected+.1 || c.To < .35 {
		t.Errorf("three times the odds give %+v and a mean of %v", c, mean)
	}
	if c := correction(p[:3], []bool{false, false, false}, .2); c.Applied {
		t.Errorf("one answer alone gives %+v", c)
	}
}

func TestIntervals(t *testing.T) {
	p, y := drawn(3000, 1)
	l := &learnt{Bands: bandsOf(p, y)}
	if len(l.Bands) != 10 {
		t.Fatalf("bands are %v", l.Bands)
	}
	for _, v := range []float64{0, .01, .2, .39, 1} {
		low, high := l.interval(v)
		if !(low <= v && v <= high && low >= 0 && high <= 1) {
			t.Errorf("the interval of %v is %v to %v", v, low, high)
		}
	}
	if low, high := l.interval(.2); low < .1 || high > .3 {
		t.Errorf("the interval of .2 is %v to %v", low, high)
	}
	same := make([]float64, 50)
	if b := bandsOf(same, make([]bool, 50)); len(b) != 1 {
		t.Errorf("bands of one probability are %v", b)
	}
	// Published: Newcombe 1998, 15 of 148.
	if low, high := wilson(15, 148); math.Abs(low-.0624) > .0001 || math.Abs(high-.1605) > .0001 {
		t.Errorf("15 of 148 are %v to %v", low, high)
	}
}

func TestMoments(t *testing.T) {
	f := func(days int, want ...int) {
		t.Helper()
		d := Definition{Horizon: "10d", Gap: "2d"}
		var got []int
		for _, at := range moments(d, day(0), day(days).Add(5*time.Hour), 4) {
			got = append(got, int(at.Sub(start).Hours()/24))
			if w := d.window(at); w != (features.Window{From: at.AddDate(0, 0, 2), To: at.AddDate(0, 0, 12)}) {
				t.Errorf("the window of %v is %v", at, w)
			}
		}
		if !cmp.Equal(got, want) {
			t.Errorf("%d days: moments are %v, want %v", days, got, want)
		}
	}
	f(9)
	f(21)
	f(22, 10)
	f(46, 10, 22, 34)
	f(400, 352, 364, 376, 388)
	if list := moments(Definition{Horizon: "10d"}, time.Time{}, day(9), 4); len(list) != 0 {
		t.Errorf("moments of no history are %v", list)
	}
}

// TestFrozen thaws a version.
func TestFrozen(t *testing.T) {
	names := []string{"a", "b"}
	var rows [][]float32
	var y []bool
	random := rand.New(rand.NewPCG(5, 5))
	for range 600 {
		row := []float32{random.Float32(), float32(random.NormFloat64())}
		rows, y = append(rows, row), append(y, random.Float32() < row[0])
	}
	cfg := propensity.DefaultConfig()
	cfg.Model = propensity.Logistic
	data := table(names, []int{0, 1}, rows)
	m, err := propensity.Train(data, every(600), y, nil, cfg)
	if err != nil {
		t.Fatal(err)
	}
	l := &learnt{
		Names: names, Places: []int{0, 1}, Model: m, Typical: []float64{.5, math.NaN()},
		References: make([]propensity.Reference, 3), Prior: prior{Applied: true, From: .5, To: .2},
	}
	text, version, err := l.freeze()
	if err != nil {
		t.Fatal(err)
	}
	back, err := thaw(text)
	if err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(back.predict(data), l.predict(data)) || back.Prior != l.Prior || !math.IsNaN(back.Typical[1]) {
		t.Errorf("thawed it is %+v", back)
	}
	if _, again, err := back.freeze(); err != nil || again != version {
		t.Errorf("frozen again it is %s, not %s (%v)", again, version, err)
	}
	if _, err := thaw(text[:len(text)/2]); err == nil {
		t.Error("half of it is a version")
	}
}
