package linkage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/identity/normalize"
)

// ErrNothingToCompare reports a table without a column that says anything.
var ErrNothingToCompare = errors.New("no column can be compared")

// maxFields bounds the comparisons of a model: a pattern of agreement is one
// 64-bit word of four bits each.
const maxFields = 16

// dictionary holds the distinct values of one or more columns in canonical
// form; code 0 is the missing value.
type dictionary struct {
	codes  map[string]uint32
	values []value
	// hashes are those of the canonical forms.
	hashes []uint64
	text   []byte
	lists  []lists
}

func newDictionary() *dictionary {
	return &dictionary{codes: map[string]uint32{}, values: make([]value, 1), hashes: make([]uint64, 1), lists: make([]lists, 1)}
}

// expect makes room for values, which grows on its own as well.
func (d *dictionary) expect(values int) {
	if len(d.codes) == 0 {
		d.codes = make(map[string]uint32, values)
		d.values, d.hashes = slices.Grow(d.values, values), slices.Grow(d.hashes, values)
	}
}

func (d *dictionary) code(form string, r *reading) uint32 {
	c, ok := d.codes[form]
	if !ok {
		c = uint32(len(d.values))
		d.codes[form] = c
		r.start, r.length = uint32(len(d.text)), uint8(len(r.letters))
		d.text = append(d.text, r.letters...)
		if len(r.words) > 0 || len(r.groups) > 0 {
			r.more = int32(len(d.lists))
			d.lists = append(d.lists, r.lists)
		}
		d.values = append(d.values, r.value)
		d.hashes = append(d.hashes, hash64(form))
	}
	return c
}

// letters are those of a value.
func (d *dictionary) letters(v *value) []byte {
	return d.text[v.start : v.start+uint32(v.length) : v.start+uint32(v.length)]
}

// field is one thing that records say, and that is compared.
type field struct {
	spec
	dict *dictionary
}

// corpus is a table made ready: the codes of all fields of a record lie side by
// side.
type corpus struct {
	fields []field
	rows   int
	// codes holds rows × fields codes, gists as many gists.
	codes  []uint32
	gists  []uint64
	layout layout
	source []uint8
	// given and surname are the positions of the first fields of those types,
	// -1 for none: people swap the two. They share one dictionary.
	given, surname int
	notes          []Note
}

// record returns the codes of a record.
func (c *corpus) record(row int) []uint32 {
	k := len(c.fields)
	return c.codes[row*k : row*k+k : row*k+k]
}

// Note is something that a user should know about what was done with the data.
type Note struct {
	// Column is what it is about; "" for the whole table.
	Column string `json:"column,omitempty"`
	Text   string `json:"text"`
}

// column is a table's column with its type decided.
type column struct {
	*Column
	typ   Type
	order normalize.Order
}

// readTable decides what every column is and reads its values. A column of whole
// names becomes two fields, columns of day, month and year become one date.
func readTable(ctx context.Context, t *Table, declared map[string]Type, workers int) (*corpus, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	c := &corpus{rows: t.Rows, source: t.Source, given: -1, surname: -1}
	columns, err := c.decide(t, declared)
	if err != nil {
		return nil, err
	}
	names := newDictionary()
	var fields []field
	for _, sp := range specs(columns) {
		f := field{spec: sp, dict: names}
		if sp.typ != GivenName && sp.typ != Surname {
			f.dict = newDictionary()
		}
		fields = append(fields, f)
	}
	read, err := encodeAll(ctx, fields, columns, t.Rows, workers)
	if err != nil {
		return nil, err
	}
	streams := c.keep(fields, read, names)
	if len(c.fields) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNothingToCompare, c.reasons())
	}
	c.limit(&streams)
	c.findNames()
	if err := c.interleave(ctx, streams, workers); err != nil {
		return nil, err
	}
	return c, c.gistRows(ctx, workers)
}

// keep takes the fields that say something, and returns their codes.
func (c *corpus) keep(fields []field, read [][]uint32, names *dictionary) (streams [][]uint32) {
	for i, codes := range read {
		f := fields[i]
		switch present := countPresent(codes); {
		case f.typ == Generation && f.parts[0] != Generation && (present == 0 || len(f.dict.values) < 3):
			// No generation is told: nothing to say of it.
		case present == 0:
			c.note(strings.Join(f.columns, ", "), "no record holds a value that can be read as %s: ignored", f.typ)
		case len(f.dict.values) == 2 && f.dict != names:
			c.note(strings.Join(f.columns, ", "), "one value in all records: ignored")
		default:
			c.fields = append(c.fields, f)
			streams = append(streams, codes)
		}
	}
	return streams
}

func (c *corpus) note(column, format string, args ...any) {
	c.notes = append(c.notes, Note{Column: column, Text: fmt.Sprintf(format, args...)})
}

func (c *corpus) reasons() string {
	if len(c.notes) == 0 {
		return "the table has no columns beside the id"
	}
	parts := make([]string, len(c.notes))
	for i, n := range c.notes {
		parts[i] = n.Column + ": " + n.Text
	}
	return strings.Join(parts, "; ")
}

func (c *corpus) decide(t *Table, declared map[string]Type) ([]column, error) {
	var columns []column
	var faults []error
	known := map[string]bool{}
	for i := range t.Columns {
		col := &t.Columns[i]
		known[col.Name] = true
		typ, ok := declared[col.Name]
		if !ok {
			typ = infer(col)
			if typ == Ignore {
				c.note(col.Name, "empty in every record: ignored")
			}
		} else if !slices.Contains(Types(), typ) {
			faults = append(faults, fmt.Errorf("column %q: no type is called %q", col.Name, typ))
		}
		if len(col.Values) > 100 && len(col.Values)-1 == countPresent(col.Codes) && typ != Ignore {
			c.note(col.Name, "a different value in every record that has one: it can only tell records apart")
		}
		if typ == Ignore {
			continue
		}
		column := column{Column: col, typ: typ}
		if typ == Date {
			column.order = dateOrder(col.Values)
		}
		columns = append(columns, column)
	}
	for name := range declared {
		if !known[name] {
			faults = append(faults, fmt.Errorf("no column is called %q", name))
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return columns, errors.Join(faults...)
}

func countPresent(codes []uint32) int {
	n := 0
	for _, c := range codes {
		if c != 0 {
			n++
		}
	}
	return n
}

// specs says how fields are read from columns: a column of whole names becomes
// two, the first columns of day, month and year one date, and what tells a father
// from a son is a field of its own.
func specs(columns []column) []spec {
	var list []spec
	date, joined := dateParts3(columns)
	if len(date.columns) > 1 {
		list = append(list, date)
	}
	var named []string
	for _, col := range columns {
		switch {
		case joined[col.Name]:
		case col.typ == Name:
			for _, part := range []Type{GivenName, Surname} {
				list = append(list, spec{name: col.Name + " (" + string(part) + ")", typ: part, columns: []string{col.Name}, parts: []Type{Name}})
			}
			named = append(named, col.Name)
		default:
			list = append(list, plain(col.Name, col.typ, col.order == normalize.MonthFirst))
			if col.typ == GivenName || col.typ == Surname {
				named = append(named, col.Name)
			}
		}
	}
	if len(named) > 0 {
		generation := spec{name: "generation", typ: Generation, columns: named}
		for range named {
			generation.parts = append(generation.parts, Name)
		}
		list = append(list, generation)
	}
	return list
}

// dateParts3 finds the columns of a date in parts: the year and another one.
func dateParts3(columns []column) (date spec, joined map[string]bool) {
	date, joined = spec{typ: Date}, map[string]bool{}
	for _, part := range []Type{Year, Month, Day} {
		for _, col := range columns {
			if col.typ == part {
				date.columns, date.parts = append(date.columns, col.Name), append(date.parts, part)
				joined[col.Name] = true
				break
			}
		}
	}
	if len(date.parts) < 2 || date.parts[0] != Year {
		return spec{}, map[string]bool{}
	}
	date.name = strings.Join(date.columns, "+")
	return date, joined
}

// code is that of what the columns of a record say, 0 for nothing.
func (f *field) code(values []string) uint32 {
	r, form, ok := f.read(values)
	if !ok {
		return 0
	}
	return f.dict.code(form, &r)
}

// limit keeps the fields that say most, where there are more than a pattern has
// room for.
func (c *corpus) limit(streams *[][]uint32) {
	var left []string
	for len(c.fields) > maxFields {
		least, at := 0, -1
		for i, codes := range *streams {
			if said := countPresent(codes) / 64 * len(c.fields[i].dict.values) / 64; at < 0 || said < least {
				least, at = said, i
			}
		}
		left = append(left, c.fields[at].name)
		c.fields = slices.Delete(c.fields, at, at+1)
		*streams = slices.Delete(*streams, at, at+1)
	}
	const named = 10 // of thousands, perhaps
	names := strings.Join(left[:min(len(left), named)], ", ")
	switch {
	case len(left) > named:
		c.note("", "no more than %d columns can be compared: %s and %d others say least and are ignored", maxFields, names, len(left)-named)
	case len(left) > 0:
		c.note("", "no more than %d columns can be compared; ignored, because they say least: %s", maxFields, names)
	}
}

func (c *corpus) findNames() {
	for i := range c.fields {
		switch {
		case c.fields[i].typ == GivenName && c.given < 0:
			c.given = i
		case c.fields[i].typ == Surname && c.surname < 0:
			c.surname = i
		}
	}
	if c.given < 0 || c.surname < 0 {
		c.given, c.surname = -1, -1
	}
}
