package examplefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/kindred-cdp/kindred/identity/linkage/tablefile"
	"github.com/kindred-cdp/kindred/profiles/cells"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// Config says what to read.
type Config struct {
	// Path of the file: CSV or TSV, plain or gzip.
	Path string
	// Target is the column of the answer, Positive the value that counts as yes;
	// "" finds it where there are two.
	Target, Positive string
	// ID and Time name columns; each may be "".
	ID, Time string
	// Drop names columns that are no features.
	Drop []string
	// Dates says in which order day and month stand; Auto finds it.
	Dates cells.Order
	// Progress is told the bytes done, of how many; it may be nil.
	Progress func(done, total int64)
}

// File is what was read.
type File struct {
	propensity.Examples
	// IDs are those of the rows: the column ID, or the number of the record.
	IDs []string
	// Rows is the number of records; those without a usable time are among
	// Excluded, and are not in the examples.
	Rows int
	// Positive is the value that counts as yes.
	Positive string
	// Excluded are columns and rows that were left out.
	Excluded []propensity.Exclusion
	// Unreadable counts, by column, cells that were taken as missing.
	Unreadable map[string]int
	// Disordered counts the rows that stand before an earlier one.
	Disordered int
	// DoubledIDs counts the rows whose id another one has.
	DoubledIDs int
	Order      cells.Order
	Warnings   []tablefile.Warning
}

// Reasons of exclusions of this package.
const (
	NoName       = "no name in the header"
	DoubledName  = "its name stands twice in the header"
	NoValue      = "no value in any row"
	Identifier   = "an identifier: every row has another number"
	AllDiffer    = "text that differs in most rows"
	NoTime       = "no time"
	BadTime      = "time unreadable"
	DroppedByYou = "dropped as asked"
)

// reader is a file under way.
type reader struct {
	cfg              Config
	f                *File
	header           []string
	target, id, time int
	builders         []*builder // nil for what is no feature
	answers, times   *builder
}

// Read reads the file. Where what stands in its rows is the reason of an error, there
// is a File nonetheless, with their counts.
func Read(ctx context.Context, cfg Config) (*File, error) {
	rows, err := tablefile.OpenRows(cfg.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	r := &reader{cfg: cfg, f: &File{Unreadable: map[string]int{}, Excluded: []propensity.Exclusion{}}, header: rows.Header()}
	if err := r.columns(); err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Path, err)
	}
	for {
		fields, _, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r.f, err
		}
		r.add(fields)
		if r.f.Rows&0x3fff == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if cfg.Progress != nil {
				cfg.Progress(rows.Progress())
			}
		}
	}
	r.f.Warnings = rows.Warnings()
	if r.f.Rows == 0 {
		return r.f, fmt.Errorf("%s has a header and no record", cfg.Path)
	}
	if err := r.finish(); err != nil {
		return r.f, fmt.Errorf("%s: %w", cfg.Path, err)
	}
	return r.f, nil
}

// columns finds what is asked for, and which columns are features.
func (r *reader) columns() (err error) {
	taken := map[int]string{}
	find := func(name, what string) (int, error) {
		if name == "" {
			return -1, nil
		}
		i, err := tablefile.Find(r.header, name)
		if err != nil {
			return -1, fmt.Errorf("%s: there is %w", what, err)
		}
		for j, other := range r.header {
			if j != i && tablefile.Fold(other) == tablefile.Fold(r.header[i]) {
				return -1, fmt.Errorf("%s: two columns are named %q: give each a name of its own", what, r.header[i])
			}
		}
		if before, ok := taken[i]; ok {
			return -1, fmt.Errorf("%s: column %q is the %s already", what, r.header[i], before)
		}
		taken[i] = what
		return i, nil
	}
	if r.cfg.Target == "" {
		return errors.New("no column named for the target")
	}
	if r.target, err = find(r.cfg.Target, "target"); err != nil {
		return err
	}
	if r.id, err = find(r.cfg.ID, "id"); err != nil {
		return err
	}
	if r.time, err = find(r.cfg.Time, "time"); err != nil {
		return err
	}
	dropped := map[int]bool{}
	for _, name := range r.cfg.Drop {
		i, err := tablefile.Find(r.header, name)
		if err != nil {
			return fmt.Errorf("drop: there is %w", err)
		}
		dropped[i] = true
	}
	r.answers, r.times = newBuilder(""), newBuilder("")
	r.features(taken, dropped)
	return nil
}

// features makes a builder for every column that may be a feature.
func (r *reader) features(taken map[int]string, dropped map[int]bool) {
	seen := map[string]bool{}
	for i, name := range r.header {
		reason := ""
		switch {
		case taken[i] != "":
		case dropped[i]:
			reason = DroppedByYou
		case name == "":
			name, reason = fmt.Sprintf("column %d", i+1), NoName
		case seen[name]:
			reason = DoubledName
		}
		seen[name] = true
		if taken[i] != "" || reason != "" {
			if reason != "" {
				r.f.Excluded = append(r.f.Excluded, propensity.Exclusion{Column: name, Reason: reason})
			}
			r.builders = append(r.builders, nil)
			continue
		}
		r.builders = append(r.builders, newBuilder(name))
	}
}

// add takes a record.
func (r *reader) add(fields [][]byte) {
	r.f.Rows++
	for i, b := range r.builders {
		if b != nil {
			b.add(fields[i])
		}
	}
	r.answers.text(fields[r.target])
	if r.time >= 0 {
		r.times.text(fields[r.time])
	}
	if r.id >= 0 {
		r.f.IDs = append(r.f.IDs, string(fields[r.id]))
	} else {
		r.f.IDs = append(r.f.IDs, fmt.Sprintf("row %d", r.f.Rows))
	}
}

// finish reads times and answers, and makes the table.
func (r *reader) finish() error {
	if err := r.readTimes(); err != nil {
		return err
	}
	if err := r.readAnswers(); err != nil {
		return err
	}
	f := r.f
	f.Table = &propensity.Table{Rows: f.Rows}
	for _, b := range r.builders {
		if b == nil {
			continue
		}
		column, reason := b.column(f.When)
		if reason != "" {
			f.Excluded = append(f.Excluded, propensity.Exclusion{Column: b.name, Reason: reason})
			continue
		}
		if b.unreadable > 0 {
			f.Unreadable[b.name] = b.unreadable
		}
		f.Table.Columns = append(f.Table.Columns, column)
	}
	if len(f.Table.Columns) == 0 {
		return errors.New("no column is left to learn from")
	}
	if r.id >= 0 {
		seen := make(map[string]bool, len(f.IDs))
		for _, id := range f.IDs {
			if seen[id] {
				f.DoubledIDs++
			}
			seen[id] = true
		}
	}
	return nil
}

// readTimes reads the time of every row; rows without one are left out.
func (r *reader) readTimes() error {
	if r.time < 0 {
		return nil
	}
	f, order := r.f, r.cfg.Dates
	if order == cells.Auto || order == "" {
		var err error
		if order, err = cells.OrderOf(r.times.levels); err != nil {
			return fmt.Errorf("column %q: %w; say which it is with --dates dmy or --dates mdy", r.cfg.Time, err)
		}
	}
	f.Order = order
	at := make([]int64, len(r.times.levels))
	ok := make([]bool, len(at))
	for i, text := range r.times.levels {
		if t, read := cells.Date(text, order); read {
			at[i], ok[i] = t.Unix(), true
		}
	}
	f.When = make([]int64, f.Rows)
	none, bad, latest := 0, 0, int64(-1<<62)
	for i, code := range r.times.codes {
		switch {
		case code == 0:
			none++
		case !ok[code]:
			bad++
		default:
			f.When[i] = at[code]
			if at[code] < latest {
				f.Disordered++
			}
			latest = max(latest, at[code])
			continue
		}
		r.answers.codes[i] = -1 // Neither an example nor one to be scored.
		f.When[i] = noTime
	}
	f.exclude(none, NoTime)
	f.exclude(bad, BadTime)
	if (none+bad)*5 > f.Rows {
		return fmt.Errorf("column %q has no date that can be read in %d of %d rows", r.cfg.Time, none+bad, f.Rows)
	}
	return nil
}

// readAnswers finds which value is yes, and which rows have an answer.
func (r *reader) readAnswers() error {
	f, counts := r.f, make([]int, len(r.answers.levels))
	for _, code := range r.answers.codes {
		if code > 0 {
			counts[code]++
		}
	}
	for i, code := range r.answers.codes {
		switch {
		case code > 0:
			f.Labelled = append(f.Labelled, int32(i))
		case code == 0:
			f.New = append(f.New, int32(i))
		}
	}
	yes, err := positive(r.answers.levels, counts, r.cfg.Positive)
	if err != nil {
		return fmt.Errorf("target %q: %w", r.cfg.Target, err)
	}
	f.Positive = r.answers.levels[yes]
	f.Y = make([]bool, f.Rows)
	for _, row := range f.Labelled {
		code := r.answers.codes[row]
		f.Y[row] = int(code) == yes || same(r.answers.levels[code], f.Positive)
	}
	up := 0
	for _, row := range f.Labelled {
		if f.Y[row] {
			up++
		}
	}
	if up == 0 || up == len(f.Labelled) {
		return fmt.Errorf("target %q: all %d rows have the same answer; there is nothing to tell apart", r.cfg.Target, len(f.Labelled))
	}
	return nil
}

// sortedLevels lists values with their counts, for messages.
func sortedLevels(levels []string, counts []int) []string {
	var out []string
	for i, n := range counts {
		if n > 0 && i > 0 {
			out = append(out, fmt.Sprintf("%q (%d)", clip(levels[i]), n))
		}
	}
	slices.Sort(out)
	if len(out) > 10 {
		out = append(out[:10], fmt.Sprintf("and %d more", len(out)-10))
	}
	return out
}
