package forecast

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// learnt is a version: the model, and what it needs to score as it was trained and to
// see that the world has changed. Fields are exported to be frozen.
type learnt struct {
	Catalogue features.Catalogue
	Knowledge features.Knowledge
	// Names are those of the features, in the order of their columns; Places where they
	// stand in a row.
	Names  []string
	Places []int
	Model  *propensity.Model
	// Typical are the medians of the features, by column.
	Typical []float64
	// References are those of the features by column, then that of the probabilities.
	References []propensity.Reference
	// Bands are what became of the probabilities when the model was judged.
	Bands []band
	// Prior corrects the probabilities to the rate that was last seen.
	Prior prior
}

// band is a range of probabilities: of those from From on that were judged, the share
// that came lies between Lower and Upper with 95 %.
type band struct{ From, Lower, Upper float64 }

// prior is a correction from one base rate to another.
type prior struct {
	Applied  bool    `json:"applied"`
	From, To float64 `json:"-"`
	// Expected is the mean probability before the correction, Observed the rate.
	Expected float64 `json:"expected_rate"`
	Observed float64 `json:"observed_rate"`
}

// columnsOf are the features that a catalogue gives: their names, and their places in a
// row.
func columnsOf(c features.Catalogue) (names []string, places []int) {
	for i, name := range c.Names() {
		if name != "" {
			names, places = append(names, name), append(places, i)
		}
	}
	return names, places
}

// table makes a table of rows that have the catalogue's numbers.
func table(names []string, places []int, rows [][]float32) *propensity.Table {
	t := &propensity.Table{Rows: len(rows)}
	for i, name := range names {
		c := propensity.Column{Name: name, Kind: propensity.Numeric, Numbers: make([]float64, len(rows))}
		for r, row := range rows {
			c.Numbers[r] = float64(row[places[i]])
		}
		t.Columns = append(t.Columns, c)
	}
	return t
}

func every(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// predict returns the corrected probabilities of a table.
func (l *learnt) predict(t *propensity.Table) []float64 {
	p := l.Model.Predict(t, every(t.Rows))
	if l.Prior.Applied {
		p = propensity.ShiftPrior(p, l.Prior.From, l.Prior.To)
	}
	return p
}

// correction is what brings the mean of probabilities to the rate that was seen, where
// they differ by more than chance explains.
func correction(p []float64, y []bool, trained float64) prior {
	c := prior{From: trained, To: trained}
	variance, n := 0.0, float64(len(p))
	for i, v := range p {
		c.Expected += v / n
		variance += v * (1 - v)
		if y[i] {
			c.Observed += 1 / n
		}
	}
	if math.Abs(c.Expected-c.Observed)*n <= 3*math.Sqrt(variance) || c.Observed == 0 || c.Observed == 1 {
		return c
	}
	low, high := 1e-6, 1-1e-6
	for range 60 {
		c.To = (low + high) / 2
		mean := 0.0
		for _, v := range propensity.ShiftPrior(p, trained, c.To) {
			mean += v / n
		}
		if mean < c.Observed {
			low = c.To
		} else {
			high = c.To
		}
	}
	c.Applied = true
	return c
}

// bandsOf cuts judged probabilities into tenths, and says what became of each.
func bandsOf(p []float64, y []bool) []band {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return a - b
	})
	var bands []band
	const tenths = 10
	for k := range tenths {
		part := order[k*len(order)/tenths : (k+1)*len(order)/tenths]
		if len(part) == 0 {
			continue
		}
		up := 0
		for _, i := range part {
			if y[i] {
				up++
			}
		}
		low, high := wilson(up, len(part))
		if last := len(bands) - 1; last >= 0 && bands[last].From == p[part[0]] {
			bands[last].Lower, bands[last].Upper = min(bands[last].Lower, low), max(bands[last].Upper, high)
			continue
		}
		bands = append(bands, band{p[part[0]], low, high})
	}
	return bands
}

// wilson is the 95 % interval of a share (Wilson 1927).
func wilson(up, of int) (low, high float64) {
	const z = 1.96
	n := float64(of)
	share := float64(up) / n
	middle, half := share+z*z/(2*n), z*math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	return max(0, (middle-half)/(1+z*z/n)), min(1, (middle+half)/(1+z*z/n))
}

// interval is what became of probabilities like this one, and the probability itself.
func (l *learnt) interval(p float64) (low, high float64) {
	low, high = p, p
	for i := len(l.Bands) - 1; i >= 0; i-- {
		if b := l.Bands[i]; p >= b.From || i == 0 {
			return min(p, b.Lower), max(p, b.Upper)
		}
	}
	return low, high
}

// freeze returns the version as it is stored, and its name.
func (l *learnt) freeze() (data []byte, version string, err error) {
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).Encode(l); err != nil {
		return nil, "", fmt.Errorf("freeze model: %w", err)
	}
	sum := sha256.Sum256(out.Bytes())
	return out.Bytes(), string(l.Model.Family) + "-" + hex.EncodeToString(sum[:6]), nil
}

func thaw(data []byte) (*learnt, error) {
	var l learnt
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&l); err != nil {
		return nil, fmt.Errorf("read frozen model: %w", err)
	}
	if l.Model == nil || len(l.Names) != len(l.Places) || len(l.Typical) != len(l.Names) || len(l.References) != len(l.Names)+1 {
		return nil, fmt.Errorf("read frozen model: it is not whole")
	}
	return &l, nil
}
