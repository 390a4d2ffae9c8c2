package propensity

import (
	"fmt"
	"math"
)

// Kind is the kind of a column.
type Kind string

// The kinds.
const (
	Numeric  Kind = "numeric"
	Category Kind = "category"
)

// Column is one feature of all examples.
type Column struct {
	Name string
	Kind Kind
	// Numbers are the values of a numeric column, NaN where there is none.
	Numbers []float64
	// Codes are the values of a category: the place in Levels. Levels[0] is the
	// missing value, "".
	Codes  []int32
	Levels []string
	// KnownLater counts values that are later than the time of their example:
	// what is known only afterwards must not predict.
	KnownLater int
}

// Table is the features of all examples.
type Table struct {
	Rows    int
	Columns []Column
}

// Validate reports the first fault of a table.
func (t *Table) Validate() error {
	names := map[string]bool{}
	for i := range t.Columns {
		c := &t.Columns[i]
		if names[c.Name] {
			return fmt.Errorf("two columns are named %q", c.Name)
		}
		names[c.Name] = true
		switch c.Kind {
		case Numeric:
			if len(c.Numbers) != t.Rows {
				return fmt.Errorf("column %q has %d values for %d rows", c.Name, len(c.Numbers), t.Rows)
			}
		case Category:
			if len(c.Codes) != t.Rows || len(c.Levels) == 0 || c.Levels[0] != "" {
				return fmt.Errorf("category %q has %d values for %d rows, or no missing level", c.Name, len(c.Codes), t.Rows)
			}
			for _, code := range c.Codes {
				if code < 0 || int(code) >= len(c.Levels) {
					return fmt.Errorf("category %q has a value that is no level", c.Name)
				}
			}
		default:
			return fmt.Errorf("column %q is neither numeric nor a category", c.Name)
		}
	}
	return nil
}

// without returns the table without a column.
func (t *Table) without(name string) *Table {
	out := &Table{Rows: t.Rows}
	for _, c := range t.Columns {
		if c.Name != name {
			out.Columns = append(out.Columns, c)
		}
	}
	return out
}

// value is the value of a row as one number: that of a numeric column, or the
// code of a category, 0 for none.
func (c *Column) value(row int32) float64 {
	if c.Kind == Category {
		return float64(c.Codes[row])
	}
	return c.Numbers[row]
}

// column finds a column by its name and kind; nil where there is none.
func (t *Table) column(name string, kind Kind) *Column {
	for i := range t.Columns {
		if c := &t.Columns[i]; c.Name == name && c.Kind == kind {
			return c
		}
	}
	return nil
}

// Exclusion is a column or a number of rows that was left out.
type Exclusion struct {
	Column string `json:"column,omitempty"`
	Rows   int    `json:"rows,omitempty"`
	Reason string `json:"reason"`
}

// usable leaves out the columns that are constant over the rows.
func (t *Table) usable(rows []int32) (*Table, []Exclusion) {
	out := &Table{Rows: t.Rows}
	var left []Exclusion
	for i := range t.Columns {
		c := &t.Columns[i]
		if len(rows) > 0 && !c.varies(rows) {
			left = append(left, Exclusion{Column: c.Name, Reason: "constant"})
			continue
		}
		out.Columns = append(out.Columns, *c)
	}
	return out, left
}

// varies reports whether a column has two values among the rows.
func (c *Column) varies(rows []int32) bool {
	first := c.value(rows[0])
	for _, r := range rows[1:] {
		if v := c.value(r); v != first && !(math.IsNaN(v) && math.IsNaN(first)) {
			return true
		}
	}
	return false
}
