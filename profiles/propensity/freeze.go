package propensity

import (
	"bytes"
	"compress/gzip"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// frozen is a model as it is stored: everything that predictions need. Maps are lists
// in order, so that the same model gives the same bytes.
type frozen struct {
	Family      Family
	Reason      string
	Trees       int
	Calibration Calibration
	BaseRate    float64
	Choice      *Comparison
	Logistic    *frozenLogistic
	Boosting    *frozenBoosting
}

type frozenLevel struct {
	Level string
	Code  int32
}

type frozenColumn struct {
	Name            string
	Kind            Kind
	Low, High, Fill float64
	Levels          []frozenLevel
}

type frozenTerm struct {
	Column          int
	Kind            uint8
	At, Mean, Scale float64
}

type frozenLogistic struct {
	Columns   []frozenColumn
	Terms     []frozenTerm
	Weights   []float64
	Intercept float64
	Spread    []float64
}

type frozenBinner struct {
	Name   string
	Kind   Kind
	Edges  []float64
	Levels []frozenLevel
	Bins   []uint8
	Count  int
}

type frozenNode struct {
	Column                int32
	Category, MissingLeft bool
	Left, Right           int32
	Threshold             float64
	Set                   [4]uint64
}

type frozenTree struct {
	Nodes  []frozenNode
	Values []float64
}

type frozenBoosting struct {
	Binners []frozenBinner
	Start   float64
	Trees   []frozenTree
	Gains   []float64
}

// MarshalBinary freezes a model: in one process, equal models give equal bytes.
func (m *Model) MarshalBinary() ([]byte, error) {
	f := frozen{Family: m.Family, Reason: m.Reason, Trees: m.Trees, Calibration: m.Calibration, BaseRate: m.BaseRate, Choice: m.Choice}
	if m.logistic != nil {
		f.Logistic = m.logistic.freeze()
	}
	if m.boosting != nil {
		f.Boosting = m.boosting.freeze()
	}
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if err := errors.Join(gob.NewEncoder(zip).Encode(f), zip.Close()); err != nil {
		return nil, fmt.Errorf("freeze model: %w", err)
	}
	return out.Bytes(), nil
}

// UnmarshalBinary takes a frozen model.
func (m *Model) UnmarshalBinary(data []byte) error {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("read frozen model: %w", err)
	}
	const most = 1 << 28
	var f frozen
	if err := gob.NewDecoder(io.LimitReader(zip, most)).Decode(&f); err != nil {
		return fmt.Errorf("read frozen model: %w", err)
	}
	*m = Model{Family: f.Family, Reason: f.Reason, Trees: f.Trees, Calibration: f.Calibration, BaseRate: f.BaseRate, Choice: f.Choice}
	switch {
	case f.Logistic != nil && f.Boosting == nil && f.Logistic.valid():
		m.logistic = f.Logistic.thaw()
	case f.Boosting != nil && f.Logistic == nil && f.Boosting.valid():
		m.boosting = f.Boosting.thaw()
	default:
		return errors.New("read frozen model: it is not whole")
	}
	return nil
}

func freezeLevels(levels map[string]int32) []frozenLevel {
	var out []frozenLevel
	for _, level := range slices.Sorted(maps.Keys(levels)) {
		out = append(out, frozenLevel{level, levels[level]})
	}
	return out
}

func thawLevels(levels []frozenLevel) map[string]int32 {
	if levels == nil {
		return nil
	}
	out := map[string]int32{}
	for _, l := range levels {
		out[l.Level] = l.Code
	}
	return out
}

func (m *logistic) freeze() *frozenLogistic {
	f := &frozenLogistic{Weights: m.weights, Intercept: m.intercept, Spread: m.spread}
	for _, c := range m.encoder.columns {
		f.Columns = append(f.Columns, frozenColumn{c.name, c.kind, c.low, c.high, c.fill, freezeLevels(c.levels)})
	}
	for _, t := range m.encoder.terms {
		f.Terms = append(f.Terms, frozenTerm{t.column, uint8(t.kind), t.at, t.mean, t.scale})
	}
	return f
}

func (f *frozenLogistic) valid() bool {
	return len(f.Terms) == len(f.Weights) && len(f.Spread) == len(f.Columns) &&
		!slices.ContainsFunc(f.Terms, func(t frozenTerm) bool { return t.Column < 0 || t.Column >= len(f.Columns) })
}

func (f *frozenLogistic) thaw() *logistic {
	m := &logistic{encoder: &encoder{}, weights: f.Weights, intercept: f.Intercept, spread: f.Spread}
	for _, c := range f.Columns {
		m.encoder.columns = append(m.encoder.columns, encodedColumn{c.Name, c.Kind, c.Low, c.High, c.Fill, thawLevels(c.Levels)})
	}
	for _, t := range f.Terms {
		m.encoder.terms = append(m.encoder.terms, term{t.Column, termKind(t.Kind), t.At, t.Mean, t.Scale})
	}
	return m
}

func (m *boosting) freeze() *frozenBoosting {
	f := &frozenBoosting{Start: m.start, Gains: m.gains}
	for _, b := range m.binners {
		f.Binners = append(f.Binners, frozenBinner{b.name, b.kind, b.edges, freezeLevels(b.levels), b.bins, b.count})
	}
	for _, t := range m.trees {
		one := frozenTree{Values: t.values}
		for _, n := range t.nodes {
			one.Nodes = append(one.Nodes, frozenNode{n.column, n.category, n.missingLeft, n.left, n.right, n.threshold, n.set})
		}
		f.Trees = append(f.Trees, one)
	}
	return f
}

func (f *frozenBoosting) valid() bool {
	for _, t := range f.Trees {
		for at, n := range t.Nodes {
			for _, next := range []int32{n.Left, n.Right} {
				if next >= 0 && (int(next) <= at || int(next) >= len(t.Nodes)) || next < 0 && int(-1-next) >= len(t.Values) {
					return false
				}
			}
			if n.Column < 0 || int(n.Column) >= len(f.Binners) {
				return false
			}
		}
		if len(t.Values) == 0 {
			return false
		}
	}
	return len(f.Gains) == len(f.Binners) || len(f.Trees) == 0
}

func (f *frozenBoosting) thaw() *boosting {
	m := &boosting{start: f.Start, gains: f.Gains}
	for _, b := range f.Binners {
		m.binners = append(m.binners, binner{b.Name, b.Kind, b.Edges, thawLevels(b.Levels), b.Bins, b.Count})
	}
	for _, t := range f.Trees {
		one := tree{values: t.Values}
		for _, n := range t.Nodes {
			one.nodes = append(one.nodes, node{n.Column, n.Category, n.MissingLeft, n.Left, n.Right, n.Threshold, n.Set})
		}
		one.compile()
		m.trees = append(m.trees, one)
	}
	return m
}
