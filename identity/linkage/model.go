package linkage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Model is what was learnt, frozen: with it the weight of a pair is a function
// of the two records alone, whatever else is stored. It is its own card: every
// number that a weight is made of stands in it. It holds hashes of frequent
// values and no value.
type Model struct {
	// Version is a hash of all that weights depend on.
	Version string `json:"version"`
	// Records and Candidates say what it was learnt from.
	Records    int   `json:"records"`
	Candidates int64 `json:"candidates"`
	// TwoSources says that it compares the records of two files with each other.
	TwoSources bool `json:"two_sources"`
	// Prior is log2 of the odds that two records taken at random are of one
	// person against two strangers.
	Prior float64 `json:"prior_bits"`
	// ExpectedMatches is the number of pairs of one person that the model expects
	// among the candidates.
	ExpectedMatches float64       `json:"expected_matches"`
	Fields          []FieldModel  `json:"fields"`
	Kinds           []KindModel   `json:"kinds"`
	Rules           []RuleModel   `json:"rules"`
	Thresholds      []Expectation `json:"expectations"`
	Splits          []Split       `json:"splits"`
	Notes           []Note        `json:"notes"`
	// Likelihood is the logarithm of the likelihood after each round of the last
	// learning.
	Likelihood []float64 `json:"likelihood"`
}

// FieldModel is what was learnt of one field.
type FieldModel struct {
	Name    string       `json:"name"`
	Type    Type         `json:"type"`
	Columns []string     `json:"columns"`
	Parts   []Type       `json:"parts"`
	Levels  []LevelModel `json:"levels"`
	// MonthFirst says how dates that end with the year are read.
	MonthFirst bool `json:"month_first,omitempty"`
	// RareBits is what equality of a value that one person is known to hold weighs
	// beyond equality of any; Frequent holds the others, by hash.
	RareBits float64            `json:"rare_bits"`
	Frequent map[uint64]float64 `json:"frequent_bits,omitempty"`
	// Reversed names levels that weigh more than a closer one.
	Reversed []string `json:"reversed_levels,omitempty"`
}

// LevelModel is one level of agreement.
type LevelModel struct {
	Name string `json:"name"`
	// M and U are its chances among records of one person and of strangers; Bits
	// is log2(M/U).
	M    float64 `json:"m"`
	U    float64 `json:"u"`
	Bits float64 `json:"bits"`
}

// KindModel is one way in which records of different persons come to agree.
type KindModel struct {
	Name string `json:"name"`
	// Prior is log2 of the odds of the kind against strangers.
	Prior float64 `json:"prior_bits"`
	// Bits are log2 of the chances of each field's levels against strangers;
	// missing first, which is 0.
	Bits [][]float64 `json:"bits"`
	// Shared marks the fields in which rare values say as much of the kind.
	Shared []bool `json:"shared"`
}

// RuleModel is one rule of blocking.
type RuleModel struct {
	Name string `json:"name"`
	// Keys are places in the list of all keys of the fields.
	Keys []int `json:"keys"`
	// AnyOrder says that the first two keys may stand in each other's place.
	AnyOrder bool `json:"any_order,omitempty"`
	// Pairs is the estimated number of its pairs.
	Pairs float64 `json:"pairs"`
	// Hot are the hashes of blocks that are split by further fields, the places of
	// which are in Further, in their order.
	Hot     []uint64 `json:"hot,omitempty"`
	Further []int    `json:"further"`
}

// Expectation is what the model expects of a threshold.
type Expectation struct {
	Bits        float64 `json:"bits"`
	Probability float64 `json:"probability"`
	Pairs       int64   `json:"pairs"`
	Precision   float64 `json:"precision"`
	Recall      float64 `json:"recall"`
	F1          float64 `json:"f1"`
}

// mostFrequent is the number of values of a field whose share a model keeps.
const mostFrequent = 50_000

// freeze makes a Model of what was learnt, without its version.
func (l *linker) freeze() (*Model, error) {
	w := l.learnt.weights(l.chance)
	m := &Model{
		Fields:  make([]FieldModel, len(l.corpus.fields)),
		Records: l.corpus.rows, TwoSources: l.corpus.source != nil, Prior: w.match.prior,
		ExpectedMatches: l.learnt.found, Notes: l.corpus.notes, Likelihood: l.learnt.likelihood,
	}
	for _, part := range l.candidates {
		m.Candidates += int64(len(part))
	}
	err := divide(l.ctx, l.Workers, len(m.Fields), func(_, f int) { m.Fields[f] = l.freezeField(f, w) })
	for i, k := range l.learnt.kinds {
		m.Kinds = append(m.Kinds, KindModel{Name: k.name, Prior: w.kinds[i].prior, Bits: w.kinds[i].levels, Shared: k.free})
	}
	for r := range l.blocks.rules {
		rule := &l.blocks.rules[r]
		m.Rules = append(m.Rules, RuleModel{Name: rule.name, Keys: rule.keys, AnyOrder: rule.eitherName, Pairs: rule.cost, Hot: l.blocks.hotOf(r), Further: l.blocks.further[r]})
	}
	m.Splits = l.blocks.splits
	return m, err
}

func (l *linker) freezeField(f int, w *weights) FieldModel {
	field := &l.corpus.fields[f]
	names := scales[field.typ].levels
	fm := FieldModel{Name: field.name, Type: field.typ, Columns: field.columns, Parts: field.parts, MonthFirst: field.monthFirst, Frequent: map[uint64]float64{}}
	for lv := int(exact); lv < len(names); lv++ {
		fm.Levels = append(fm.Levels, LevelModel{Name: names[lv], M: l.learnt.m[f][lv], U: l.chance.u[f][lv], Bits: w.match.levels[f][lv]})
	}
	for i := 1; i < len(fm.Levels); i++ {
		if name := fm.Levels[i].Name; name != "swapped" && fm.Levels[i].Bits > fm.Levels[i-1].Bits+.5 && fm.Levels[i-1].Name != "swapped" {
			fm.Reversed = append(fm.Reversed, name)
		}
	}
	l.freezeShares(f, &fm)
	return fm
}

// freezeShares keeps what equality of each frequent value weighs.
func (l *linker) freezeShares(f int, fm *FieldModel) {
	share := l.chance.share[f]
	bits := func(s float32) float64 { return math.Log2(l.chance.u[f][exact] / max(float64(s), leastChance)) }
	rare := float32(0)
	var frequent []uint32
	for code := range share {
		if share[code] > 0 && (rare == 0 || share[code] < rare) {
			rare = share[code]
		}
	}
	for code := range share {
		if share[code] > rare {
			frequent = append(frequent, uint32(code))
		}
	}
	if rare > 0 {
		fm.RareBits = bits(rare)
	}
	hashes := l.corpus.fields[f].dict.hashes
	slices.SortFunc(frequent, func(a, b uint32) int {
		switch {
		case share[a] != share[b]:
			return int(math.Copysign(1, float64(share[b]-share[a])))
		case hashes[a] < hashes[b]:
			return -1
		}
		return 1
	})
	for _, code := range frequent[:min(len(frequent), mostFrequent)] {
		fm.Frequent[hashes[code]] = bits(share[code])
	}
}

// hash is the version of a model: equal versions weigh every pair alike.
func (m *Model) hash() string {
	text, err := json.Marshal(struct {
		Prior  float64
		Fields []FieldModel
		Kinds  []KindModel
		Rules  []RuleModel
	}{m.Prior, m.Fields, m.Kinds, m.Rules})
	if err != nil { // only a number that is none: a defect
		return "unversioned"
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Validate returns the first fault of a model that was read from elsewhere.
func (m *Model) Validate() error {
	n := len(m.Fields)
	if n == 0 || n > maxFields {
		return fmt.Errorf("model has %d fields, not 1 to %d", n, maxFields)
	}
	for i := range m.Fields {
		f := &m.Fields[i]
		s := scales[f.Type]
		switch {
		case s == nil || len(f.Levels) != len(s.levels)-1:
			return fmt.Errorf("field %q: a %s has not %d levels", f.Name, f.Type, len(f.Levels))
		case len(f.Columns) == 0 || len(f.Columns) != len(f.Parts):
			return fmt.Errorf("field %q is read from %d columns of %d parts", f.Name, len(f.Columns), len(f.Parts))
		}
	}
	for _, k := range m.Kinds {
		if len(k.Bits) != n || len(k.Shared) != n {
			return fmt.Errorf("kind %q is not of these fields", k.Name)
		}
		for f := range k.Bits {
			if len(k.Bits[f]) != len(scales[m.Fields[f].Type].levels) {
				return fmt.Errorf("kind %q has %d levels of %q", k.Name, len(k.Bits[f]), m.Fields[f].Name)
			}
		}
	}
	for _, r := range m.Rules {
		if slices.ContainsFunc(r.Further, func(f int) bool { return f < 0 || f >= n }) {
			return fmt.Errorf("rule %q is split by fields %v of %d", r.Name, r.Further, n)
		}
	}
	if v := m.hash(); v != m.Version {
		return fmt.Errorf("model says it is version %s and is %s", m.Version, v)
	}
	return nil
}
