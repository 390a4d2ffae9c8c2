package tablefile

import (
	"strings"

	"github.com/kindred-cdp/kindred/identity/linkage"
)

// arenaBytes is the size of the pieces that values are kept in: one allocation
// for thousands of values, and no more than this wasted in a column.
const arenaBytes = 32 << 10

// arena keeps values one behind the other. What a strings.Builder returned
// stays as it is while it grows within its capacity.
type arena struct{ b strings.Builder }

func (a *arena) keep(value []byte) string {
	if len(value) > arenaBytes/4 {
		return string(value)
	}
	if a.b.Len()+len(value) > a.b.Cap() {
		a.b = strings.Builder{}
		a.b.Grow(arenaBytes)
	}
	start := a.b.Len()
	a.b.Write(value)
	return a.b.String()[start:]
}

// column collects the values of a column, each distinct one once.
type column struct {
	linkage.Column
	index map[string]uint32
	arena arena
}

func newColumn(name string) *column {
	c := &column{index: map[string]uint32{"": 0}}
	c.Name, c.Values = name, []string{""}
	return c
}

// add appends the value of the next record.
func (c *column) add(value []byte) {
	code, ok := c.index[string(value)]
	if !ok {
		text := c.arena.keep(value)
		code = uint32(len(c.Values))
		c.index[text] = code
		c.Values = append(c.Values, text)
	}
	c.Codes = append(c.Codes, code)
}

// filled returns how many records have a value.
func (c *column) filled() (n int) {
	for _, code := range c.Codes {
		if code != 0 {
			n++
		}
	}
	return n
}
