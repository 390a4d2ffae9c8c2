package personas

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Feature says what a column measures, and how words tell it.
type Feature struct {
	// Name of the column, by which a model finds it again.
	Name string `json:"name"`
	// Label names the number in descriptions, such as "orders".
	Label string `json:"label"`
	// High and Low say of people what a high and a low number says, such as
	// "frequent buyers" and "rarely buy".
	High string `json:"high,omitempty"`
	Low  string `json:"low,omitempty"`
	// Linear columns are taken as they are: shares, grades, moods, which may be
	// negative. Others are counts and amounts, taken as log(1+x).
	Linear bool `json:"linear,omitempty"`
	// Step is the difference that is the least to mean something, on the scale that is
	// compared: no spread is smaller, so that a column in which people hardly differ
	// does not outweigh the others. 0 is leastStep for what is taken as log(1+x), and
	// none for linear columns.
	Step float64 `json:"step,omitempty"`
}

// leastStep is the logarithm of a quarter more.
const leastStep = .223

// Table is what is known of people: a row for each, in any order.
type Table struct {
	Features []Feature
	IDs      []uint64
	// Values are the rows one after the other. NaN is a value that is not known.
	Values []float64
}

// Reason tells why a row or a column was left out.
type Reason string

// The reasons.
const (
	// Infinite and Negative are of rows: a value that is infinite or beyond maxValue,
	// and a count or amount below zero.
	Infinite Reason = "infinite"
	Negative Reason = "negative"
	// Empty is a row without any known value.
	Empty Reason = "empty"
	// Constant is a column whose rows all say the same, or nothing.
	Constant Reason = "constant"
)

// maxValue bounds values, so that sums of all rows stay finite.
const maxValue = 1e15

// ErrInvalid is returned for a table that is not one.
var ErrInvalid = errors.New("invalid table")

func (t Table) row(i int) []float64 {
	d := len(t.Features)
	return t.Values[i*d : (i+1)*d]
}

// check returns the rows by their ids.
func (t Table) check() ([]int, error) {
	names := map[string]bool{}
	for _, f := range t.Features {
		if f.Name == "" || names[f.Name] {
			return nil, fmt.Errorf("%w: features need names of their own, and %q is not", ErrInvalid, f.Name)
		}
		names[f.Name] = true
	}
	if len(t.Features) == 0 || len(t.Values) != len(t.IDs)*len(t.Features) {
		return nil, fmt.Errorf("%w: %d values for %d rows of %d features", ErrInvalid, len(t.Values), len(t.IDs), len(t.Features))
	}
	order := make([]int, len(t.IDs))
	for i := range order {
		order[i] = i
	}
	if !slices.IsSorted(t.IDs) {
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(t.IDs[a], t.IDs[b]) })
	}
	for i := 1; i < len(order); i++ {
		if t.IDs[order[i]] == t.IDs[order[i-1]] {
			return nil, fmt.Errorf("%w: an id is there twice", ErrInvalid)
		}
	}
	return order, nil
}

// usable tells whether a row can be used, and why not.
func (t Table) usable(i int) (Reason, bool) {
	known := false
	for j, v := range t.row(i) {
		switch {
		case math.IsNaN(v):
			continue
		case math.Abs(v) > maxValue:
			return Infinite, false
		case v < 0 && !t.Features[j].Linear:
			return Negative, false
		}
		known = true
	}
	if !known {
		return Empty, false
	}
	return "", true
}

// sample returns the n rows whose ids come first in an order that is random and
// the same for ever: rows that are added change few of them.
func (t Table) sample(rows []int, n int, seed uint64) []int {
	if len(rows) <= n {
		return rows
	}
	picked := slices.Clone(rows)
	place := func(i int) uint64 { return scramble(t.IDs[i] ^ scramble(seed)) }
	slices.SortFunc(picked, func(a, b int) int { return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(t.IDs[a], t.IDs[b])) })
	picked = picked[:n]
	slices.SortFunc(picked, func(a, b int) int { return cmp.Compare(t.IDs[a], t.IDs[b]) })
	return picked
}

// scramble mixes the bits of x: the finalizer of MurmurHash3 (Appleby), a bijection.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
