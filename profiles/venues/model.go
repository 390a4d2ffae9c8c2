package venues

import "math"

// Venue is a place of the venue table.
type Venue struct {
	ID       string
	Lat, Lon float64 // degrees
	Radius   float64 // metres within which it extends; 0 when unknown
}

// Fix is a position.
type Fix struct {
	Lat, Lon float64 // degrees
	Accuracy float64 // radius in metres that holds the true place with 68 %; 0 when unknown
	Venue    string  // as its producer gives it, or empty
}

// Model knows a venue table and how popular its venues are. It is safe for
// concurrent use once Learn has returned.
type Model struct {
	cfg     Config
	venues  []Venue
	index   map[string]int32
	grid    map[cell][]int32
	widest  float64   // greatest radius of a venue
	popular []float64 // fixes of each venue, by the probabilities of Learn
}

// leastVisits is the popularity of a venue where no fix was seen: a tenth of a
// visit, so that a new venue can win and does not outweigh one with visits.
const leastVisits = .1

// NewModel returns a model of a venue table in which all are equally popular.
func NewModel(cfg Config, venues []Venue) *Model {
	m := &Model{
		cfg: cfg, venues: venues, index: make(map[string]int32, len(venues)), grid: make(map[cell][]int32, len(venues)),
		popular: make([]float64, len(venues)),
	}
	for i, v := range venues {
		m.index[v.ID] = int32(i)
		c := cellOf(v.Lat, v.Lon)
		m.grid[c] = append(m.grid[c], int32(i))
		m.widest = max(m.widest, min(v.Radius, cfg.Reach))
	}
	return m
}

// candidate is a venue near a fix with the likelihood of the fix there, per
// square metre.
type candidate struct {
	venue      int32
	likelihood float64
}

// sigmas is how many standard deviations away a venue is still looked at.
const sigmas = 4

// radius68 is the radius of a two-dimensional normal distribution that holds
// 68 %, in standard deviations of one axis: sqrt(-2 ln 0.32).
const radius68 = 1.5096

// candidates appends the venues that the fix could belong to.
func (m *Model) candidates(f Fix, to []candidate) []candidate {
	accuracy := f.Accuracy
	if accuracy == 0 {
		accuracy = m.cfg.DefaultAccuracy
	}
	sigma := max(accuracy, m.cfg.LeastAccuracy) / radius68
	reach := min(sigmas*sigma, m.cfg.Reach)
	m.around(f.Lat, f.Lon, reach+m.widest, func(i int32) {
		v := &m.venues[i]
		d := max(0, metres(f.Lat, f.Lon, v.Lat, v.Lon)-min(v.Radius, m.cfg.Reach))
		if d <= reach {
			to = append(to, candidate{i, math.Exp(-d*d/(2*sigma*sigma)) / (2 * math.Pi * sigma * sigma)})
		}
	})
	return to
}

// Assign returns the most probable venue of a fix and its probability; the
// venue is empty when the fix more probably belongs to none.
func (m *Model) Assign(f Fix) (venue string, probability float64) {
	best, most, sum := int32(-1), m.cfg.Nowhere, m.cfg.Nowhere
	for _, c := range m.candidates(f, make([]candidate, 0, 64)) {
		p := (m.popular[c.venue] + leastVisits) * c.likelihood
		sum += p
		if p > most || p == most && best >= 0 && m.venues[c.venue].ID < m.venues[best].ID {
			best, most = c.venue, p
		}
	}
	if best < 0 {
		return "", most / sum
	}
	return m.venues[best].ID, most / sum
}

// rounds of expectation and maximisation: more change the accuracy on Gowalla by
// less than a tenth of a point.
const rounds = 8

// Learn finds the popularity of the venues from fixes, whose order does not
// matter but for the last digits: give them in a fixed order.
func (m *Model) Learn(fixes []Fix) {
	var near []candidate
	var ends []int
	stated := make([]float64, len(m.venues))
	for _, f := range fixes {
		if f.Venue == "" {
			near = m.candidates(f, near)
			ends = append(ends, len(near))
		} else if i, ok := m.index[f.Venue]; ok {
			stated[i]++
		}
	}
	m.popular = append([]float64{}, stated...)
	for round := range rounds {
		next := append([]float64{}, stated...)
		start := 0
		for _, end := range ends {
			sum := m.cfg.Nowhere
			for _, c := range near[start:end] {
				sum += m.prior(round, c) * c.likelihood
			}
			for _, c := range near[start:end] {
				next[c.venue] += m.prior(round, c) * c.likelihood / sum
			}
			start = end
		}
		m.popular = next
	}
}

// prior lets all venues begin alike.
func (m *Model) prior(round int, c candidate) float64 {
	if round == 0 {
		return 1 + m.popular[c.venue]
	}
	return m.popular[c.venue] + leastVisits
}
