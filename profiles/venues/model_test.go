package venues

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// street is a row of venues with the given distance between them, in metres,
// and how often each is visited.
func street(n int, apart float64) (table []Venue, popularity []float64) {
	for i := range n {
		table = append(table, Venue{ID: "v" + strconv.Itoa(i), Lat: float64(i) * apart / metresDegree, Lon: 179.9999})
		popularity = append(popularity, math.Exp2(float64(3*(i*7%5)))) // 1, 8, 64, 512 or 4096, mixed
	}
	return table, popularity
}

func visits(rng *rand.Rand, table []Venue, popularity []float64, n int, accuracy float64) (fixes []Fix, truth []int) {
	total := 0.0
	for _, p := range popularity {
		total += p
	}
	sigma := accuracy / radius68
	for range n {
		x, i := rng.Float64()*total, 0
		for ; x > popularity[i]; i++ {
			x -= popularity[i]
		}
		lon := math.Remainder(table[i].Lon+sigma*rng.NormFloat64()/metresDegree, 360)
		fixes = append(fixes, Fix{Lat: table[i].Lat + sigma*rng.NormFloat64()/metresDegree, Lon: lon, Accuracy: accuracy})
		truth = append(truth, i)
	}
	return fixes, truth
}

// With venues 40 m apart and 30 m of noise, and popularities that nobody told
// it, the model is as good as one that was told (Bayes), within two points; and
// its probabilities are what they say, or a little modest, since it ends after a
// few rounds. Both sides of the antimeridian are one.
func TestLearnsPopularity(t *testing.T) {
	const seed = 5
	rng := rand.New(rand.NewPCG(seed, seed))
	table, popularity := street(60, 40)
	fixes, truth := visits(rng, table, popularity, 20_000, 30)
	m := NewModel(DefaultConfig(), table)
	right := func() (share, believed float64) {
		for i, f := range fixes {
			venue, p := m.Assign(f)
			believed += p
			if venue == table[truth[i]].ID {
				share++
			}
		}
		return share / float64(len(fixes)), believed / float64(len(fixes))
	}
	unaware, _ := right()
	m.Learn(fixes)
	learned, believed := right()
	copy(m.popular, popularity)
	told, _ := right()
	t.Logf("seed %d: right %.3f before learning, %.3f after (believed %.3f), %.3f when told", seed, unaware, learned, believed, told)
	if learned < told-.02 || learned < unaware+.05 {
		t.Errorf("right %.3f after learning; %.3f before, %.3f when told", learned, unaware, told)
	}
	if believed > learned+.01 || believed < learned-.05 {
		t.Errorf("believes %.3f, is right in %.3f", believed, learned)
	}
}

// The order of the fixes and of the table changes nothing that is stored.
func TestOrderChangesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	table, popularity := street(30, 30)
	fixes, _ := visits(rng, table, popularity, 3000, 30)
	answers := func() (all []assignment) {
		m := NewModel(DefaultConfig(), table)
		m.Learn(fixes)
		for _, f := range fixes[:500] {
			all = append(all, answer(m, f))
		}
		return all
	}
	first := answers()
	asked := slices.Clone(fixes[:500])
	rng.Shuffle(len(table), func(i, j int) { table[i], table[j] = table[j], table[i] })
	rng.Shuffle(len(fixes)-500, func(i, j int) { fixes[500+i], fixes[500+j] = fixes[500+j], fixes[500+i] })
	if !slices.Equal(fixes[:500], asked) || !slices.Equal(first, answers()) {
		t.Error("another order, other answers")
	}
}

func TestAssign(t *testing.T) {
	m := NewModel(DefaultConfig(), []Venue{{ID: "a"}, {ID: "hall", Lat: .02, Radius: 300}, {ID: "b", Lat: 50. / metresDegree}, {ID: "pole", Lat: 90}})
	f := func(fix Fix, want string) {
		t.Helper()
		if got, p := m.Assign(fix); got != want || p < 0 || p > 1 {
			t.Errorf("%+v: %q with %v, want %q", fix, got, p, want)
		}
	}
	f(Fix{}, "a")
	f(Fix{Lat: 30. / metresDegree}, "b")
	f(Fix{Lat: .02 + 290./metresDegree}, "hall")
	f(Fix{Lat: .02 + 900./metresDegree}, "")
	f(Fix{Lat: 90}, "pole")
	f(Fix{Lat: -90, Lon: -180}, "")
	f(Fix{Lat: 0, Lon: 180, Accuracy: 4e7}, "")
}
