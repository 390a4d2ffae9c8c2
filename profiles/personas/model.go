package personas

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Model is what was found: it assigns people to personas, and is plain JSON.
type Model struct {
	// Version is a hash of everything else.
	Version string `json:"version"`
	// Columns are the features that count.
	Columns []Column `json:"columns"`
	Clip    float64  `json:"clip"`
	// Personas, the most frequent of the sample first. None where Refused says why.
	Personas []Persona `json:"personas"`
	Refused  string    `json:"refused,omitempty"`
	// Candidates are all numbers of groups that were tried.
	Candidates []Candidate `json:"candidates"`
	// Rows were used, Sample of them to find the groups; Excluded were not, and
	// Dropped are features that say nothing.
	Rows     int            `json:"rows"`
	Sample   int            `json:"sample"`
	Excluded map[Reason]int `json:"excluded,omitempty"`
	Dropped  []string       `json:"dropped,omitempty"`
	// Unknown counts, by feature, the rows that do not know it.
	Unknown map[string]int `json:"unknown,omitempty"`
	// Retired are former personas whose ids wait for their return, the latest
	// first, and Issued is the number of ids that were ever given.
	Retired []Persona `json:"retired,omitempty"`
	Issued  int       `json:"issued"`
}

// Persona is a group of people who are like each other.
type Persona struct {
	// ID stays with the group from model to model, such as "p3".
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	// Size is the number of rows in it, Share that of all rows that were used.
	Size  int     `json:"size"`
	Share float64 `json:"share"`
	// Traits tell where the group differs from everybody, by feature, what stands
	// out most first.
	Traits []Trait `json:"traits"`
	// Centre is its middle, a number for each column, scaled; Radius is the mean
	// distance from it, by feature.
	Centre []float64 `json:"centre"`
	Radius float64   `json:"radius"`
	// Raw is the middle by feature on the scale of Column.Centre, before anything is
	// pulled in, by which another model can see it.
	Raw map[string]float64 `json:"raw"`
}

// Trait is how a persona differs by one feature.
type Trait struct {
	Feature string `json:"feature"`
	Label   string `json:"label"`
	// Mean is that of the persona, Overall that of all.
	Mean    float64 `json:"mean"`
	Overall float64 `json:"overall"`
	// Deviation is the difference of the middles in standard deviations.
	Deviation float64 `json:"deviation"`
}

// Nobody is the place of a row that belongs to no persona.
const Nobody = -1

// Fit finds the personas of a table, and the place in Model.Personas of each row,
// Nobody for those that were excluded. before is the model whose ids go on, nil
// for none. A table without stable personas, or with too few rows, gives a model
// that says so in Refused, and is no error.
func Fit(t Table, cfg Config, before *Model) (*Model, []int, error) {
	if err := cfg.Validate(); err != nil {
		return nil, nil, err
	}
	order, err := t.check()
	if err != nil {
		return nil, nil, err
	}
	m := &Model{Clip: cfg.Clip, Excluded: map[Reason]int{}, Unknown: map[string]int{}}
	rows := order[:0:0]
	for _, i := range order {
		if why, ok := t.usable(i); ok {
			rows = append(rows, i)
		} else {
			m.Excluded[why]++
		}
	}
	m.Rows = len(rows)
	places := make([]int, len(t.IDs))
	for i := range places {
		places[i] = Nobody
	}
	m.find(t, rows, cfg, before)
	if m.Refused == "" {
		m.assign(t, rows, places)
		m.describe(t, rows, places)
		m.name(before)
	}
	m.seal()
	return m, places, nil
}

// find sets columns, candidates and the personas with their ids.
func (m *Model) find(t Table, rows []int, cfg Config, before *Model) {
	if before != nil {
		m.Issued, m.Retired = before.Issued, before.Retired
	}
	refuse := func(why string, args ...any) {
		m.Refused = fmt.Sprintf(why, args...)
		if before != nil {
			m.retire(before.Personas)
		}
	}
	if len(rows) < cfg.MinRows {
		refuse("not enough data: %d usable rows, at least %d are needed", len(rows), cfg.MinRows)
		return
	}
	sample := t.sample(rows, cfg.SampleRows, cfg.Seed)
	m.Sample = len(sample)
	m.measure(t, sample)
	if len(m.Columns) == 0 {
		refuse("no stable personas: every feature is the same for everybody")
		return
	}
	p := m.scale(t, sample, m.columnsOf(t))
	m.spread(p)
	m.Candidates = candidates(p, cfg)
	chosen := best(m.Candidates)
	if chosen == nil {
		refuse("no stable personas: no number of groups from %d to %d holds; the best, %s", cfg.MinPersonas, cfg.MaxPersonas, leastBad(m.Candidates))
		return
	}
	m.Personas = m.groups(t, sample, p, chosen.centres)
	m.identify(before, cfg.MaxDrift)
}

// leastBad describes the candidate with the greatest silhouette.
func leastBad(list []Candidate) string {
	c := slices.MaxFunc(list, func(a, b Candidate) int { return cmp.Compare(a.Silhouette, b.Silhouette) })
	return fmt.Sprintf("%d: %s", c.Personas, c.Against)
}

// measure makes the columns.
func (m *Model) measure(t Table, sample []int) {
	for j, f := range t.Features {
		var known []float64
		for _, i := range sample {
			if v := t.row(i)[j]; !math.IsNaN(v) {
				known = append(known, v)
			}
		}
		if c, ok := newColumn(f, known); ok {
			m.Columns = append(m.Columns, c)
		} else {
			m.Dropped = append(m.Dropped, f.Name)
		}
	}
}

// spread sets what the sample is like, scaled.
func (m *Model) spread(p points) {
	for j := range m.Columns {
		mean, squares := 0.0, 0.0
		for i := range p.len() {
			v := p.at(i)[j]
			before := mean
			mean += (v - mean) / float64(i+1)
			squares += (v - before) * (v - mean)
		}
		m.Columns[j].MeanScaled, m.Columns[j].Deviation = mean, math.Sqrt(squares/float64(p.len()))
	}
}

// groups are personas without ids, the largest first.
func (m *Model) groups(t Table, sample []int, p, centres points) []Persona {
	list := make([]Persona, centres.len())
	sums, raw := make([]float64, len(list)), make([]float64, len(list)*p.d)
	at := m.columnsOf(t)
	for i := range p.len() {
		c, s := nearest(p.at(i), centres)
		list[c].Size++
		sums[c] += s
		for j, column := range m.Columns {
			if v := t.row(sample[i])[at[j]]; math.IsNaN(v) {
				raw[c*p.d+j] += column.Centre
			} else {
				raw[c*p.d+j] += column.raw(v)
			}
		}
	}
	for c := range list {
		list[c].Centre = slices.Clone(centres.at(c))
		list[c].Radius = math.Sqrt(sums[c] / float64(max(1, list[c].Size)) / float64(p.d))
		list[c].Raw = map[string]float64{}
		for j, column := range m.Columns {
			list[c].Raw[column.Name] = raw[c*p.d+j] / float64(max(1, list[c].Size))
		}
	}
	slices.SortStableFunc(list, func(a, b Persona) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), slices.Compare(a.Centre, b.Centre))
	})
	return list
}

// columnsOf finds the columns of the model in a table; nil where one is missing.
func (m *Model) columnsOf(t Table) []int {
	places := make([]int, len(m.Columns))
	for j, c := range m.Columns {
		places[j] = slices.IndexFunc(t.Features, func(f Feature) bool { return f == c.Feature })
		if places[j] < 0 {
			return nil
		}
	}
	return places
}

// Fits reports whether the model can assign the rows of a table: it has personas,
// and the table has the features that they are told by.
func (m *Model) Fits(t Table) bool { return len(m.Personas) > 0 && m.columnsOf(t) != nil }

// Assign returns the place in Personas of each row of a table that the model fits;
// Nobody for rows that cannot be used.
func (m *Model) Assign(t Table) []int {
	var rows []int
	places := make([]int, len(t.IDs))
	for i := range places {
		places[i] = Nobody
		if _, ok := t.usable(i); ok {
			rows = append(rows, i)
		}
	}
	if m.Fits(t) {
		m.assign(t, rows, places)
	}
	return places
}

func (m *Model) assign(t Table, rows, places []int) {
	at := m.columnsOf(t)
	centres := points{d: len(m.Columns)}
	for _, p := range m.Personas {
		centres.values = append(centres.values, p.Centre...)
	}
	chunks(len(rows), func(_, from, to int) {
		point := make([]float64, len(m.Columns))
		for _, i := range rows[from:to] {
			m.scaleRow(t.row(i), at, point)
			places[i], _ = nearest(point, centres)
		}
	})
}

// seal gives the model its version.
func (m *Model) seal() {
	m.Version = ""
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // Impossible: every number of a model is finite.
	}
	sum := sha256.Sum256(text)
	m.Version = "personas-" + hex.EncodeToString(sum[:6])
}
