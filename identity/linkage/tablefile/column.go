package tablefile

import (
	"slices"

	"github.com/kindred-cdp/kindred/identity/linkage"
)

// column collects the values of a column, each distinct one once.
type column struct {
	*dictionary
	name   string
	codes  []uint32
	filled int // records that have a value
}

func newColumn(name string) *column {
	c := &column{dictionary: newDictionary(), name: name}
	c.code(nil) // The missing value is the first.
	return c
}

// add appends the value of the next record.
func (c *column) add(value []byte) {
	code, _ := c.code(value)
	c.codes = append(c.codes, code)
	if code != 0 {
		c.filled++
	}
}

// finished returns the column without what only reading needed.
func (c *column) finished() linkage.Column {
	c.slots = nil
	return linkage.Column{Name: c.name, Values: slices.Clip(c.values), Codes: slices.Clip(c.codes)}
}
