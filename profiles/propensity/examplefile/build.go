package examplefile

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
	"github.com/kindred-cdp/kindred/profiles/cells"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// Limits of what a column may hold.
const (
	// hugeCell is the longest cell that is read.
	hugeCell = 256
	// numericShare is the share of numbers from which on the rest are faults.
	numericShare = .95
	// differing is the share of different texts from which on a column tells
	// rows apart rather than kinds, leastDiffering the least number of them.
	differing      = .5
	leastDiffering = 100
)

// builder collects a column.
type builder struct {
	name    string
	numbers []float64 // NaN where there is none
	codes   []int32   // of texts; 0 for none. Empty until there is a text
	levels  []string
	known   map[string]int32
	filled  int // numbers
	texts   int // cells that are text
	full    bool

	unreadable int
}

func newBuilder(name string) *builder {
	return &builder{name: name, levels: []string{""}, known: map[string]int32{}}
}

// add takes the cell of the next row.
func (b *builder) add(cell []byte) {
	b.numbers = append(b.numbers, math.NaN())
	if b.codes != nil {
		b.codes = append(b.codes, 0)
	}
	if len(cell) == 0 {
		return
	}
	if len(cell) > hugeCell {
		b.unreadable++
		return
	}
	s := string(cell)
	if v, ok := cells.Number(s); ok {
		b.numbers[len(b.numbers)-1] = v
		b.filled++
		return
	}
	if cells.Missing(s) {
		return
	}
	if b.codes == nil {
		b.codes = make([]int32, len(b.numbers), cap(b.numbers))
	}
	b.texts++
	b.codes[len(b.codes)-1] = b.code(s)
}

// mostTexts bounds the different texts that a column may have.
const mostTexts = 200_000

func (b *builder) code(s string) int32 {
	if c, ok := b.known[s]; ok {
		return c
	}
	if len(b.levels) >= mostTexts {
		b.full = true
		return 0
	}
	c := int32(len(b.levels))
	b.known[s], b.levels = c, append(b.levels, s)
	return c
}

// text takes the cell of the next row as it stands, missing ones as code 0.
func (b *builder) text(cell []byte) {
	code := int32(0)
	if s := string(cell); !cells.Missing(s) {
		if c, ok := b.known[s]; ok {
			code = c
		} else {
			code = int32(len(b.levels))
			b.known[s], b.levels = code, append(b.levels, s)
		}
	}
	b.codes = append(b.codes, code)
}

// column decides what the column is; the reason says why it is none.
func (b *builder) column(when []int64) (propensity.Column, string) {
	c := propensity.Column{Name: b.name, Kind: propensity.Numeric, Numbers: b.numbers}
	all := b.filled + b.texts
	switch {
	case all == 0:
		return c, NoValue
	case float64(b.filled) >= numericShare*float64(all):
		b.unreadable += b.texts
		if b.compactDates() {
			b.days(&c, when, func(i int) (time.Time, bool) {
				return cells.Date(strconv.FormatFloat(b.numbers[i], 'f', -1, 64), cells.Auto)
			})
			return c, ""
		}
		if b.identifies() {
			return c, Identifier
		}
		return c, ""
	case b.filled == 0 && !b.full:
		if order, ok := b.dates(); ok {
			read := make([]time.Time, len(b.levels))
			fine := make([]bool, len(b.levels))
			for i, s := range b.levels {
				read[i], fine[i] = cells.Date(s, order)
			}
			b.days(&c, when, func(i int) (time.Time, bool) { return read[b.codes[i]], fine[b.codes[i]] })
			return c, ""
		}
	}
	return b.category()
}

// category makes one of texts, and of the numbers among them.
func (b *builder) category() (propensity.Column, string) {
	for i, v := range b.numbers {
		if !math.IsNaN(v) {
			b.codes[i] = b.code(strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	c := propensity.Column{Name: b.name, Kind: propensity.Category, Codes: b.codes, Levels: b.levels}
	distinct := len(b.levels) - 1
	if b.full || distinct > leastDiffering && float64(distinct) > differing*float64(b.filled+b.texts) {
		return c, AllDiffer
	}
	return c, ""
}

// dates reports whether nearly all texts are dates, and in which order.
func (b *builder) dates() (cells.Order, bool) {
	order, err := cells.OrderOf(b.levels)
	if err != nil {
		return order, false
	}
	n := 0
	for _, s := range b.levels[1:] {
		if _, ok := cells.Date(s, order); ok {
			n++
		}
	}
	return order, float64(n) >= numericShare*float64(len(b.levels)-1)
}

// compactDates reports whether all numbers are dates such as 20111209.
func (b *builder) compactDates() bool {
	for _, v := range b.numbers {
		if math.IsNaN(v) {
			continue
		}
		if v < 19000101 || v > 21991231 || v != math.Trunc(v) {
			return false
		}
		if _, ok := cells.Date(strconv.FormatFloat(v, 'f', -1, 64), cells.Auto); !ok {
			return false
		}
	}
	return true
}

// identifies reports whether a column numbers the rows: whole numbers, each once,
// under the name of an id.
func (b *builder) identifies() bool {
	name := tablefile.Fold(b.name)
	if !strings.HasSuffix(name, "id") && !slices.Contains([]string{"row", "rownumber", "index", "unnamed:0", "key", "number"}, name) || b.filled < leastDiffering {
		return false
	}
	seen := make(map[float64]bool, b.filled)
	for _, v := range b.numbers {
		if math.IsNaN(v) {
			continue
		}
		if v != math.Trunc(v) || seen[v] {
			return false
		}
		seen[v] = true
	}
	return true
}

const daySeconds = 86400

// noTime marks the rows that have no time: they are no examples.
const noTime = math.MinInt64

// days turns dates into days: before the time of the row, so that they mean the
// same at any time, or since 1970 where rows have no time. Dates after the time
// of their row are counted.
func (b *builder) days(c *propensity.Column, when []int64, at func(i int) (time.Time, bool)) {
	out := make([]float64, len(b.numbers))
	for i := range out {
		out[i] = math.NaN()
		t, ok := at(i)
		if !ok {
			if b.codes != nil && b.codes[i] != 0 {
				b.unreadable++
			}
			continue
		}
		out[i] = float64(t.Unix()) / daySeconds
		if when == nil {
			continue
		}
		if when[i] == noTime {
			out[i] = math.NaN()
			continue
		}
		out[i] = float64(when[i]-t.Unix()) / daySeconds
		// A row with a day for a time was made at some hour of it.
		end := when[i]
		if end%daySeconds == 0 {
			end += daySeconds - 1
		}
		if t.Unix() > end {
			c.KnownLater++
		}
	}
	c.Numbers = out
}

// affirmative are values that mean yes, in the forms that programs write.
var affirmative = []string{"1", "yes", "y", "true", "t", "churned", "churn", "converted", "bought", "purchased", "positive", "won", "success"}

// positive finds the value that counts as yes.
func positive(levels []string, counts []int, named string) (int, error) {
	var present []int
	for i, n := range counts {
		if i > 0 && n > 0 {
			present = append(present, i)
		}
	}
	list := strings.Join(sortedLevels(levels, counts), ", ")
	if named != "" {
		for _, i := range present {
			if levels[i] == named {
				return i, nil
			}
		}
		for _, i := range present {
			if same(levels[i], named) {
				return i, nil
			}
		}
		return 0, fmt.Errorf("no row has the value %q; the values are %s", clip(named), list)
	}
	switch {
	case len(present) == 0:
		return 0, errors.New("no row has an answer")
	case len(present) == 1:
		return 0, fmt.Errorf("all rows have the same answer, %s; there is nothing to tell apart", list)
	case len(present) > 2:
		return 0, fmt.Errorf("it has %d values; say which one counts as yes with --positive; the values are %s", len(present), list)
	}
	for _, yes := range affirmative {
		for k, i := range present {
			if same(levels[i], yes) && !slices.ContainsFunc(affirmative, func(a string) bool { return same(levels[present[1-k]], a) }) {
				return i, nil
			}
		}
	}
	return 0, fmt.Errorf("say which value counts as yes with --positive; the values are %s", list)
}

// same compares values without regard to case, and numbers by value.
func same(a, b string) bool {
	if strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) {
		return true
	}
	x, ok := cells.Number(a)
	y, also := cells.Number(b)
	return ok && also && x == y
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// exclude counts rows that are left out.
func (f *File) exclude(rows int, reason string) {
	if rows > 0 {
		f.Excluded = append(f.Excluded, propensity.Exclusion{Rows: rows, Reason: reason})
	}
}
