package tablefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/kindred-cdp/kindred/identity/linkage"
)

// Source is a file of records.
type Source struct {
	Path string
	// ID names the column with the ids of the records, which no two share.
	// Empty takes the one column that is called id, record_id or the like.
	ID string
}

// Config says what to read.
type Config struct {
	Left Source
	// Right is the second file, if records of two are to be linked.
	Right *Source
	// Ignore names columns that are not read.
	Ignore []string
	// Progress is told from time to time how many of how many bytes of a file
	// were read; nil is no one.
	Progress func(path string, done, total int64)
}

// File describes a file that was read.
type File struct {
	Path      string   `json:"path"`
	Records   int      `json:"records"`
	ID        string   `json:"id"`
	Columns   []string `json:"columns"` // that were compared
	Delimiter string   `json:"delimiter"`
	Encoding  string   `json:"encoding"`
}

// Records are the records of one file, or of two, the left one first.
type Records struct {
	Table    *linkage.Table
	IDs      []string // of each record; unique within a file
	Files    []File
	Warnings []Warning
}

// idNames are the names under which an id column is found by itself.
var idNames = []string{"id", "recid", "recordid", "uniqueid", "uid", "rowid", "key", "recordkey", "uuid"}

// Read reads one file, or two whose columns are matched by name, whatever their
// case, spaces and underscores.
func Read(ctx context.Context, cfg Config) (*Records, error) {
	b := &builder{ctx: ctx, cfg: cfg}
	sources := []Source{cfg.Left}
	if cfg.Right != nil {
		sources = append(sources, *cfg.Right)
	}
	files := make([]*reading, len(sources))
	defer func() {
		for _, f := range files {
			if f != nil {
				_ = f.rows.Close()
			}
		}
	}()
	for i, s := range sources {
		f, err := b.open(s)
		if err != nil {
			return nil, err
		}
		files[i] = f
	}
	if err := b.match(files); err != nil {
		return nil, err
	}
	for i, f := range files {
		if err := b.read(f, uint8(i)); err != nil {
			return nil, err
		}
	}
	return b.finish(files)
}

// reading is a file under way.
type reading struct {
	rows  *Rows
	path  string
	names []string
	id    int
	to    []*column // where the values of each field go; nil for nowhere
	count int
}

// builder makes one table of all files.
type builder struct {
	ctx      context.Context
	cfg      Config
	columns  []*column
	ids      []string
	source   []uint8
	warnings []Warning
}

// open reads the header of a file and finds its id column.
func (b *builder) open(s Source) (*reading, error) {
	rows, err := OpenRows(s.Path)
	if err != nil {
		return nil, err
	}
	f := &reading{rows: rows, path: s.Path}
	var odd []Warning
	f.names, odd = names(s.Path, rows.Header())
	f.id, err = b.idColumn(f, s.ID)
	if fault := headerFault(rows.Header(), err != nil); fault != nil {
		err = fmt.Errorf("%s %w", s.Path, fault)
	}
	if err != nil {
		return nil, errors.Join(err, rows.Close())
	}
	b.warnings = append(b.warnings, odd...)
	return f, nil
}

func (b *builder) idColumn(f *reading, name string) (int, error) {
	if name != "" {
		i, err := Find(f.rows.Header(), name)
		if err != nil {
			return -1, fmt.Errorf("%s has %w", f.path, err)
		}
		for j, other := range f.rows.Header() {
			if j != i && Fold(other) == Fold(name) {
				return -1, fmt.Errorf("%s has several columns named %q: give the id column a name of its own", f.path, name)
			}
		}
		return i, nil
	}
	var found []int
	for i, n := range f.names {
		if slices.Contains(idNames, Fold(n)) {
			found = append(found, i)
		}
	}
	if len(found) != 1 {
		return -1, fmt.Errorf("say which column of %s holds the ids of the records; the columns are %s", f.path, quoteAll(f.names))
	}
	b.warnings = append(b.warnings, Warning{Code: ChosenID, File: f.path, Column: f.names[found[0]], Text: fmt.Sprintf("the ids of the records are taken from column %q", f.names[found[0]])})
	return found[0], nil
}

// match makes the columns that all files have, in the order of the first.
func (b *builder) match(files []*reading) error {
	ignored, err := b.ignored(files)
	if err != nil {
		return err
	}
	for _, f := range files {
		f.to = make([]*column, len(f.names))
	}
	for i, name := range files[0].names {
		if i == files[0].id || ignored[Fold(name)] {
			continue
		}
		c := newColumn(name)
		files[0].to[i] = c
		if len(files) == 2 {
			j := slices.IndexFunc(files[1].names, func(n string) bool { return Fold(n) == Fold(name) })
			if j < 0 || j == files[1].id {
				files[0].to[i] = nil
				continue
			}
			files[1].to[j] = c
		}
		b.columns = append(b.columns, c)
	}
	for _, f := range files {
		for i, name := range f.names {
			if f.to[i] == nil && i != f.id && !ignored[Fold(name)] {
				b.warnings = append(b.warnings, Warning{Code: OneSided, File: f.path, Column: name, Text: fmt.Sprintf("column %q is not in the other file and was ignored", name)})
			}
		}
	}
	if len(b.columns) > 0 {
		return nil
	}
	if len(files) == 2 {
		return fmt.Errorf("%s and %s have no column in common to compare: the first has %s, the second %s; give the same things the same names", files[0].path, files[1].path, quoteAll(files[0].names), quoteAll(files[1].names))
	}
	return fmt.Errorf("%s has no column to compare beside the id %q (delimited by %s)", files[0].path, files[0].names[files[0].id], delimiterName(files[0].rows.Delimiter()))
}

// ignored returns the folded names of columns that are not to be read.
func (b *builder) ignored(files []*reading) (map[string]bool, error) {
	var all []string
	for _, f := range files {
		all = append(all, f.names...)
	}
	ignored := map[string]bool{}
	for _, name := range b.cfg.Ignore {
		if _, err := Find(all, name); err != nil {
			return nil, fmt.Errorf("columns to ignore: there is %w", err)
		}
		ignored[Fold(name)] = true
	}
	return ignored, nil
}

// read reads the records of a file.
func (b *builder) read(f *reading, source uint8) error {
	known := newIDs(f)
	for {
		fields, line, err := f.rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(b.ids)+f.count == math.MaxInt32 {
			return fmt.Errorf("%s: more than %d records", f.path, math.MaxInt32)
		}
		known.add(fields[f.id], line)
		for i, c := range f.to {
			if c != nil {
				c.add(fields[i])
			}
		}
		if b.cfg.Right != nil {
			b.source = append(b.source, source)
		}
		if f.count++; f.count&0x3fff == 0 {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			if b.cfg.Progress != nil {
				done, total := f.rows.Progress()
				b.cfg.Progress(f.path, done, total)
			}
		}
	}
	if f.count == 0 {
		return fmt.Errorf("%s has a header and no record", f.path)
	}
	b.ids = append(b.ids, known.values...)
	return known.fault()
}

// finish drops what says nothing, reports it, and returns the records.
func (b *builder) finish(files []*reading) (*Records, error) {
	r := &Records{IDs: b.ids, Table: &linkage.Table{Rows: len(b.ids), Source: b.source}}
	for _, f := range files {
		if err := b.recurring(f); err != nil {
			return nil, err
		}
		b.warnings = append(b.warnings, f.rows.Warnings()...)
	}
	for _, c := range b.columns {
		if b.judge(c) {
			r.Table.Columns = append(r.Table.Columns, c.finished())
		}
	}
	r.Warnings = b.warnings
	if len(r.Table.Columns) == 0 {
		return nil, fmt.Errorf("%s has no column with values to compare", files[0].path)
	}
	for _, f := range files {
		file := File{Path: f.path, Records: f.count, ID: f.names[f.id], Delimiter: delimiterName(f.rows.Delimiter()), Encoding: f.rows.Encoding()}
		for i, c := range f.to {
			if c != nil && len(c.values) > 1 {
				file.Columns = append(file.Columns, f.names[i])
			}
		}
		r.Files = append(r.Files, file)
	}
	return r, r.Table.Validate()
}

// recurring finds a first line of names that are values: a record that looks
// like a header, because nothing in it is a number.
func (b *builder) recurring(f *reading) error {
	met, checked := 0, 0
	for i, c := range f.to {
		if c == nil || dataLike(f.names[i]) != "" {
			continue
		}
		checked++
		if name := f.rows.Header()[i]; name != "" && c.has(name) {
			met++
		}
	}
	if met >= 2 && 2*met > checked {
		return fmt.Errorf("%s has no header: %d of the names in its first line are values of their columns as well; put a first line with the names of the columns before it", f.path, met)
	}
	return nil
}

// judge reports whether a column has a value, and warns of one that says
// little.
func (b *builder) judge(c *column) bool {
	filled, distinct := c.filled, len(c.values)-1
	w := Warning{Column: c.name, Count: filled}
	switch {
	case distinct == 0:
		w.Code, w.Text = EmptyColumn, fmt.Sprintf("column %q is empty in every record and was ignored", c.name)
	case distinct == 1 && filled > 1:
		w.Code, w.Text = Constant, fmt.Sprintf("column %q has one value in all of the %d records that have one: it tells nobody apart", c.name, filled)
	case distinct == filled && filled >= 20:
		w.Code, w.Text = AllDifferent, fmt.Sprintf("column %q has another value in each of %d records: only similar values can speak for a match; if it numbers the records, ignore it", c.name, filled)
	default:
		return true
	}
	b.warnings = append(b.warnings, w)
	return distinct > 0
}
