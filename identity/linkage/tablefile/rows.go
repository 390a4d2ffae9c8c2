package tablefile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Rows reads a file record by record. It is for one goroutine.
type Rows struct {
	path     string
	file     *os.File
	read     *counter
	size     int64
	lines    lines
	splitter splitter
	second   splitter // for a second look at a line
	columns  int
	header   []string // as they stand, trimmed
	encoding string
	decode   []byte // of windows-1252

	rows        int
	plain       bool // quotes never span lines: too many did not close
	utf8Lines   int  // beyond ASCII
	foreign     sightings
	undefined   int // bytes that windows-1252 has not
	nuls        sightings
	stray       sightings
	short, long sightings
	empty       sightings
	again       sightings
}

// OpenRows opens a file and reads its header. The caller closes the rows.
func OpenRows(path string) (*Rows, error) {
	text, read, file, encoding, err := openText(path)
	if err != nil {
		return nil, err
	}
	r := &Rows{path: path, file: file, read: read, encoding: encoding}
	if info, err := file.Stat(); err == nil {
		r.size = info.Size()
	}
	if err := r.begin(text); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return r, nil
}

// begin finds the delimiter and reads the header. Errors continue "FILE …".
func (r *Rows) begin(text *bufio.Reader) error {
	head, err := text.Peek(headBytes)
	first := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(first) == 0:
		return errors.New("is empty")
	case first[0] == '{' || first[0] == '[' && bytes.ContainsRune(first, '{'):
		return errors.New("is JSON: write it as CSV")
	case first[0] == '<':
		return errors.New("is XML or HTML: write it as CSV")
	}
	r.lines = lines{r: text, eol: lineEnd(head)}
	top, _, _ := bytes.Cut(head, []byte{r.lines.eol})
	if d, ok := declared(top); ok {
		r.splitter.comma = d
		if _, err := r.lines.next(); err != nil {
			return fmt.Errorf("cannot be read: %w", err)
		}
	} else {
		r.splitter.comma = delimiterOf(head, r.lines.eol, err != nil)
	}
	fields, _, nextErr := r.record()
	if errors.Is(nextErr, io.EOF) {
		return errors.New("has no header and no record")
	}
	if nextErr != nil {
		return fmt.Errorf("cannot be read: %w", nextErr)
	}
	for _, f := range fields {
		r.header = append(r.header, string(f))
	}
	// Delimiters at the end of the header are no columns.
	for len(r.header) > 1 && r.header[len(r.header)-1] == "" {
		r.header = r.header[:len(r.header)-1]
	}
	r.columns, r.second.comma = len(r.header), r.splitter.comma
	return nil
}

// Close closes the file.
func (r *Rows) Close() error { return r.file.Close() }

// Header returns the names of the columns as they stand in the file, trimmed.
func (r *Rows) Header() []string { return r.header }

// Progress returns how many of how many bytes of the file were read.
func (r *Rows) Progress() (done, total int64) { return r.read.n, r.size }

// Next returns the next record, trimmed and as UTF-8, with as many fields as
// the header, and the number of its first line; io.EOF after the last one.
// Fields are valid until the next call.
func (r *Rows) Next() (fields [][]byte, line int, err error) {
	for {
		fields, line, err = r.record()
		if errors.Is(err, io.EOF) {
			return nil, 0, io.EOF
		}
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", r.path, err)
		}
		switch {
		case blank(fields):
			r.empty.add(line)
			continue
		case r.isHeader(fields):
			r.again.add(line)
			continue
		case len(fields) > r.columns:
			if !blank(fields[r.columns:]) {
				r.long.add(line)
			}
			fields = fields[:r.columns]
		case len(fields) < r.columns:
			r.short.add(line)
			for len(fields) < r.columns {
				fields = append(fields, nil)
			}
			r.splitter.fields = fields
		}
		r.rows++
		return fields, line, r.ragged()
	}
}

// ragged stops where the rows do not fit the header all over the file: the
// delimiter or the quoting is not what it seems.
func (r *Rows) ragged() error {
	if bad := r.short.count + r.long.count; bad >= 20 && bad*4 > r.rows && r.rows >= 50 {
		lines := append(append([]int{}, r.short.lines...), r.long.lines...)
		return fmt.Errorf("%s: %d of the first %d records do not have the %d fields of the header, delimited by %s%s: put values that hold the delimiter in quotes", r.path, bad, r.rows, r.columns, delimiterName(r.splitter.comma), at(lines, bad))
	}
	return nil
}

func blank(fields [][]byte) bool {
	for _, f := range fields {
		if len(f) > 0 {
			return false
		}
	}
	return true
}

// isHeader tells the header that stands again in a file put together of
// several.
func (r *Rows) isHeader(fields [][]byte) bool {
	if len(fields) != r.columns || r.columns < 2 {
		return false
	}
	for i, name := range r.header {
		if string(fields[i]) != name {
			return false
		}
	}
	return true
}

// record returns the next line that is not empty, split.
func (r *Rows) record() ([][]byte, int, error) {
	for {
		l, err := r.lines.next()
		if err != nil {
			return nil, 0, err
		}
		// Old editors end a file with Ctrl-Z.
		if trimmed := bytes.TrimSpace(l.text); len(trimmed) == 0 && bytes.IndexByte(l.text, r.splitter.comma) < 0 || string(trimmed) == "\x1a" {
			continue
		}
		l.text = r.clean(l)
		l.clean = true
		fields, open := r.splitter.split(l.text, greedy)
		switch {
		case open:
			if fields, err = r.joined(l); err != nil {
				return nil, 0, err
			}
		case r.splitter.odd && !r.fits(fields):
			if other, open := r.second.split(l.text, careful); !open && r.fits(other) {
				fields = other
			}
		}
		return fields, l.number, nil
	}
}

// joined continues a record whose first line ends inside of a quoted field.
// When nothing closes it, or what does would swallow records, the quote is a
// character of the first line alone.
func (r *Rows) joined(first line) ([][]byte, error) {
	text := bytes.Clone(first.text)
	first.text = text[:len(text):len(text)]
	var ahead []line
	for !r.plain && len(ahead)+1 < maxRecordLines && len(text) < maxRecordBytes {
		l, err := r.lines.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		l.text, l.clean = bytes.Clone(r.clean(l)), true
		ahead = append(ahead, l)
		text = append(append(text, '\n'), l.text...)
		if bytes.IndexByte(l.text, '"') < 0 {
			continue
		}
		fields, open := r.splitter.split(text, greedy)
		if open {
			continue
		}
		if alone, _ := r.second.split(first.text, literal); r.columns == 0 || r.fits(fields) && !r.splitter.odd || !r.fits(alone) {
			return fields, nil
		}
		break
	}
	r.lines.back(ahead)
	// A file that does this everywhere quotes nothing; looking ahead for each
	// of its records would take long.
	if r.stray.add(first.number); r.stray.count > 100 {
		r.plain = true
	}
	fields, _ := r.splitter.split(first.text, literal)
	return fields, nil
}

// fits reports whether a record has the fields of the header, and at most
// empty ones beyond it.
func (r *Rows) fits(fields [][]byte) bool {
	return len(fields) >= r.columns && blank(fields[r.columns:])
}

// clean returns a line as UTF-8 without NUL bytes.
func (r *Rows) clean(l line) []byte {
	text := l.text
	if l.clean {
		return text
	}
	ascii, nul := true, false
	for _, c := range text {
		if c >= utf8.RuneSelf {
			ascii = false
		}
		nul = nul || c == 0
	}
	if nul {
		r.nuls.add(l.number)
		text = bytes.ReplaceAll(text, []byte{0}, nil)
	}
	if ascii {
		return text
	}
	if utf8.Valid(text) {
		r.utf8Lines++
		return text
	}
	r.foreign.add(l.number)
	r.decode = r.decode[:0]
	for len(text) > 0 {
		// Field by field, because files that several programs wrote to mix
		// encodings within a line.
		field, rest := text, []byte(nil)
		if i := bytes.IndexByte(text, r.splitter.comma); i >= 0 {
			field, rest = text[:i+1], text[i+1:]
		}
		r.decode = r.windows1252(r.decode, field)
		text = rest
	}
	return r.decode
}

func (r *Rows) windows1252(to, field []byte) []byte {
	if utf8.Valid(field) {
		return append(to, field...)
	}
	for _, c := range field {
		letter := charmap.Windows1252.DecodeByte(c)
		if letter == utf8.RuneError {
			r.undefined++
		}
		to = utf8.AppendRune(to, letter)
	}
	return to
}
