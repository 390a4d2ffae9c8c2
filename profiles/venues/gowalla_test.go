package venues

import (
	"bufio"
	"compress/gzip"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// checkIn is one check-in of Gowalla.
type checkIn struct {
	user, time, venue string
	lat, lon          float64
}

// geoData returns the check-ins around New York that the Gowalla network
// published, in order of time, and the venue table. They may be used for tests and
// not be shipped, so KINDRED_GEO_DATA names the folder that holds them
// (gowalla_events.csv.gz, gowalla_venues.csv).
func geoData(t *testing.T) (events []checkIn, table []Venue) {
	t.Helper()
	folder := os.Getenv("KINDRED_GEO_DATA")
	if folder == "" {
		t.Skip("KINDRED_GEO_DATA is not set")
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	f, err := os.Open(filepath.Join(folder, "gowalla_venues.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		p := strings.Split(lines.Text(), "\t")
		table = append(table, Venue{ID: p[0], Lat: number(p[2]), Lon: number(p[3])})
	}
	g, err := os.Open(filepath.Join(folder, "gowalla_events.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	z, err := gzip.NewReader(g)
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(z); lines.Scan(); {
		p := strings.Split(lines.Text(), "\t")
		events = append(events, checkIn{user: p[0], time: p[1], lat: number(p[2]), lon: number(p[3]), venue: p[4]})
	}
	slices.SortStableFunc(events, func(a, b checkIn) int { return strings.Compare(a.time, b.time) })
	return events, table
}

// tableOf is the venue table that agrees with the check-ins: each venue stands
// where its first check-in was.
func tableOf(events []checkIn) (table []Venue) {
	known := map[string]bool{}
	for _, e := range events {
		if !known[e.venue] {
			known[e.venue] = true
			table = append(table, Venue{ID: e.venue, Lat: e.lat, Lon: e.lon})
		}
	}
	return table
}

// noise draws an error in metres; accuracy is what a receiver would report.
type noise struct {
	name     string
	accuracy float64
	draw     func(*rand.Rand) (east, north float64)
}

var noises = []noise{
	{"normal, 30 m on each axis", 30 * radius68, func(r *rand.Rand) (float64, float64) { return 30 * r.NormFloat64(), 30 * r.NormFloat64() }},
	{"normal, 68 % within 30 m", 30, func(r *rand.Rand) (float64, float64) {
		return 30 / radius68 * r.NormFloat64(), 30 / radius68 * r.NormFloat64()
	}},
	{"anywhere within 30 m", 30, func(r *rand.Rand) (float64, float64) {
		s, c := math.Sincos(2 * math.Pi * r.Float64())
		d := 30 * math.Sqrt(r.Float64())
		return d * c, d * s
	}},
}

// score is how often the answers were right.
type score struct {
	fixes, nearest, right, ceiling int
	sure, sureRight                map[float64]int
}

var thresholds = []float64{.5, .8, .95}

func share(a, b int) float64 { return 100 * float64(a) / float64(max(b, 1)) }

// judge moves every check-in by the noise, learns from the moved fixes of
// learnt, and judges the fixes of asked. The ceiling is the best that anybody can
// do who sees one fix and knows, which nobody does, how many of the check-ins
// asked about were made at each venue.
func judge(events []checkIn, asked func(int) bool, table []Venue, n noise, seed uint64) score {
	rng := rand.New(rand.NewPCG(seed, 30))
	m := NewModel(DefaultConfig(), table)
	s := score{sure: map[float64]int{}, sureRight: map[float64]int{}}
	var past, now []Fix
	var truth []string
	visits := map[string]float64{}
	for i, e := range events {
		east, north := n.draw(rng)
		f := Fix{Lat: e.lat + north/metresDegree, Lon: e.lon + east/(metresDegree*math.Cos(e.lat*math.Pi/180)), Accuracy: n.accuracy}
		if !asked(i) {
			past = append(past, f)
		} else if _, ok := m.index[e.venue]; ok {
			now, truth = append(now, f), append(truth, e.venue)
			visits[e.venue]++
		}
	}
	if len(past) == 0 {
		past = now
	}
	m.Learn(past)
	for i, f := range now {
		s.fixes++
		var nearest, best string
		least, most := math.Inf(1), 0.0
		for _, c := range m.candidates(f, nil) {
			v := m.venues[c.venue]
			if d := metres(f.Lat, f.Lon, v.Lat, v.Lon); d < least {
				least, nearest = d, v.ID
			}
			if p := visits[v.ID] * c.likelihood; p > most {
				most, best = p, v.ID
			}
		}
		venue, p := m.Assign(f)
		s.add(truth[i], nearest, best, venue, p)
	}
	return s
}

func (s *score) add(truth, nearest, best, venue string, p float64) {
	if nearest == truth {
		s.nearest++
	}
	if best == truth {
		s.ceiling++
	}
	if venue == truth {
		s.right++
	}
	for _, t := range thresholds {
		if venue != "" && p >= t {
			s.sure[t]++
			if venue == truth {
				s.sureRight[t]++
			}
		}
	}
}

func (s *score) log(t *testing.T, name string) {
	t.Helper()
	t.Logf("%s: %d fixes: right %.1f %%; the nearest venue %.1f %%; with the true popularity (ceiling) %.1f %%",
		name, s.fixes, share(s.right, s.fixes), share(s.nearest, s.fixes), share(s.ceiling, s.fixes))
	for _, at := range thresholds {
		t.Logf("    probability ≥ %.2f: %.1f %% of the fixes, %.1f %% of them right", at, share(s.sure[at], s.fixes), share(s.sureRight[at], s.sure[at]))
	}
}

// TestGowalla prints the figures of the docs. It fails when the method is worse
// than the nearest venue by far, or loses what it reaches now.
func TestGowalla(t *testing.T) {
	events, published := geoData(t)
	const seed = 1
	t.Logf("seed %d, %d check-ins, %d venues published, %d in the check-ins", seed, len(events), len(published), len(tableOf(events)))
	all := func(int) bool { return true }
	later := func(i int) bool { return i >= len(events)/2 }
	for _, n := range noises {
		consistent := judge(events, all, tableOf(events), n, seed)
		consistent.log(t, n.name+", venues where the check-ins are")
		split := judge(events, later, tableOf(events), n, seed)
		split.log(t, n.name+", the later half, learned from the earlier")
		as := judge(events, all, published, n, seed)
		as.log(t, n.name+", venues as published")
		if share(consistent.right, consistent.fixes) < share(consistent.nearest, consistent.fixes)+4 {
			t.Errorf("%s: no better than the nearest venue", n.name)
		}
		if p := share(consistent.sureRight[.95], consistent.sure[.95]); p < 95 {
			t.Errorf("%s: of the sure answers %.1f %% are right", n.name, p)
		}
	}
}
