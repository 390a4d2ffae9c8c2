package linkage

import (
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
	name string
	typ  Type
	// columns are the names of the table's columns that it is made of.
	columns []string
	dict    *dictionary
	// monthFirst says how dates that end with the year are read.
	monthFirst bool
}

// corpus is a table made ready: the codes of all fields of a record lie side by
// side.
type corpus struct {
	fields []field
	rows   int
	// codes holds rows × fields codes.
	codes  []uint32
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

// prepare decides what every column is and reads its values. A column of whole
// names becomes two fields, columns of day, month and year become one date.
func prepare(t *Table, declared map[string]Type) (*corpus, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	c := &corpus{rows: t.Rows, source: t.Source, given: -1, surname: -1}
	columns, err := c.decide(t, declared)
	if err != nil {
		return nil, err
	}
	names := newDictionary()
	var streams [][]uint32
	add := func(f field, codes []uint32) {
		if present := countPresent(codes); present == 0 {
			c.note(strings.Join(f.columns, ", "), "no record holds a value that can be read as %s: ignored", f.typ)
			return
		}
		if len(f.dict.values) == 2 && f.dict != names {
			c.note(strings.Join(f.columns, ", "), "one value in all records: ignored")
			return
		}
		c.fields = append(c.fields, f)
		streams = append(streams, codes)
	}
	columns = joinDates(columns, t.Rows, add)
	for _, col := range columns {
		switch col.typ {
		case Name:
			splitNames(col, names, add)
		case GivenName, Surname:
			add(field{name: col.Name, typ: col.typ, columns: []string{col.Name}, dict: names}, encode(col, names))
		default:
			d := newDictionary()
			add(field{name: col.Name, typ: col.typ, columns: []string{col.Name}, dict: d, monthFirst: col.typ == Date && col.order == normalize.MonthFirst}, encode(col, d))
		}
	}
	if len(c.fields) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNothingToCompare, c.reasons())
	}
	c.limit(&streams)
	c.interleave(streams)
	c.findNames()
	return c, nil
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
		columns = append(columns, column{Column: col, typ: typ, order: dateOrder(col.Values)})
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

// encode reads the values of a column into a dictionary.
func encode(col column, d *dictionary) []uint32 {
	recode := make([]uint32, len(col.Values))
	for i, raw := range col.Values {
		if v, form, ok := canonical(col.typ, col.order, raw); ok {
			recode[i] = d.code(form, &v)
		}
	}
	return spread(col, recode)
}

// splitNames makes given name and surname of whole names.
func splitNames(col column, names *dictionary, add func(field, []uint32)) {
	given, surname := make([]uint32, len(col.Values)), make([]uint32, len(col.Values))
	for i, raw := range col.Values {
		n, err := normalize.Name(raw)
		if err != nil {
			continue
		}
		if v, form, ok := canonical(GivenName, 0, n.Given); ok {
			given[i] = names.code(form, &v)
		}
		if v, form, ok := canonical(Surname, 0, strings.Join(append(n.Particles, n.Surname), " ")); ok {
			surname[i] = names.code(form, &v)
		}
	}
	add(field{name: col.Name + " (given)", typ: GivenName, columns: []string{col.Name}, dict: names}, spread(col, given))
	add(field{name: col.Name + " (surname)", typ: Surname, columns: []string{col.Name}, dict: names}, spread(col, surname))
}

// spread gives every record the code of its value.
func spread(col column, codes []uint32) []uint32 {
	rows := make([]uint32, len(col.Codes))
	for row, c := range col.Codes {
		rows[row] = codes[c]
	}
	return rows
}

// joinDates replaces the first columns of day, month and year by one date, and
// returns the other columns. A part without its fellows is compared as a
// category.
func joinDates(columns []column, rows int, add func(field, []uint32)) []column {
	at := map[Type]int{}
	for i, col := range columns {
		if _, ok := at[col.typ]; !ok && (col.typ == Day || col.typ == Month || col.typ == Year) {
			at[col.typ] = i
		}
	}
	year, okY := at[Year]
	month, okM := at[Month]
	day, okD := at[Day]
	if !okY || !okM && !okD {
		return columns
	}
	d := newDictionary()
	codes := make([]uint32, rows)
	parts := []int{year}
	for _, p := range []struct {
		ok bool
		at int
	}{{okM, month}, {okD, day}} {
		if p.ok {
			parts = append(parts, p.at)
		}
	}
	f := field{typ: Date, dict: d}
	for _, p := range parts {
		f.columns = append(f.columns, columns[p].Name)
	}
	f.name = strings.Join(f.columns, "+")
	for row := range codes {
		whole := uint64(0)
		for _, p := range parts {
			if v, _, ok := canonicalPart(columns[p].typ, strings.TrimSpace(columns[p].Value(row))); ok {
				whole |= v.code
			}
		}
		y, m, day := dateOf(whole)
		if whole == 0 || nobodysDate(y, m, day) {
			continue
		}
		v, form, _ := dateValue(y, m, day)
		codes[row] = d.code(form, &v)
	}
	add(f, codes)
	var rest []column
	for i, col := range columns {
		if !slices.Contains(parts, i) {
			rest = append(rest, col)
		}
	}
	return rest
}

// limit keeps the fields that say most, where there are more than a pattern has
// room for.
func (c *corpus) limit(streams *[][]uint32) {
	for len(c.fields) > maxFields {
		least, at := 0, -1
		for i, codes := range *streams {
			if said := countPresent(codes) / 64 * len(c.fields[i].dict.values) / 64; at < 0 || said < least {
				least, at = said, i
			}
		}
		c.note(c.fields[at].name, "more than %d columns can be compared: this one says least and is ignored", maxFields)
		c.fields = slices.Delete(c.fields, at, at+1)
		*streams = slices.Delete(*streams, at, at+1)
	}
}

func (c *corpus) interleave(streams [][]uint32) {
	k := len(streams)
	c.codes = make([]uint32, c.rows*k)
	for i, codes := range streams {
		for row, code := range codes {
			c.codes[row*k+i] = code
		}
	}
	for i := range c.fields {
		c.fields[i].dict.codes = nil
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
