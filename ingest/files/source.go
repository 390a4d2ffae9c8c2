package files

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/ingest/jsonstream"
	"github.com/kindred-cdp/kindred/ingest/mapping"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// sourceRecord is one record of a file of any format, or why there is none.
type sourceRecord struct {
	line  int64 // or the number of the row or element, from 1
	raw   []byte
	value any // a *mapping.Row, or a JSON value; nil with a fault
	fault *wire.Fault
}

// source reads the records of a file; next ends with io.EOF. A record is valid
// until the next one.
type source interface {
	next() (sourceRecord, error)
}

// Formats of files.
const (
	formatCSV     = "csv"
	formatNDJSON  = "ndjson"
	formatJSON    = "json"
	formatParquet = "parquet"
)

// detectFormat goes by the content where it is certain, then by the name.
func detectFormat(name string, head []byte) string {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	name = strings.ToLower(name)
	for _, ext := range []string{".gz", ".zst", ".bz2", ".xz"} {
		name = strings.TrimSuffix(name, ext)
	}
	switch {
	case bytes.HasPrefix(head, []byte("PAR1")):
		return formatParquet
	case bytes.HasPrefix(head, []byte("[")):
		return formatJSON
	case bytes.HasPrefix(head, []byte("{")):
		return formatNDJSON
	case path.Ext(name) == ".ndjson" || path.Ext(name) == ".jsonl":
		return formatNDJSON
	case path.Ext(name) == ".json":
		return formatJSON
	case path.Ext(name) == ".parquet":
		return formatParquet
	}
	return formatCSV
}

// openSource begins to read the records of content.
func openSource(r io.Reader, in mapping.Input, opts Options) (source, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	format := in.Format
	if format == "" {
		head, _ := b.Peek(64)
		format = detectFormat(opts.File, head)
	}
	if format == formatParquet {
		return openParquet(b, opts)
	}
	text, err := utf8Text(b, in.Encoding)
	if err != nil {
		return nil, err
	}
	if format == formatCSV {
		return openCSV(text, in)
	}
	return &jsonSource{s: jsonstream.New(text, opts.MaxMessageBytes, maxDepth, format == formatNDJSON)}, nil
}

const maxDepth = 64

// jsonSource reads lines or elements of JSON.
type jsonSource struct{ s *jsonstream.Splitter }

func (j *jsonSource) next() (sourceRecord, error) {
	p, err := j.s.Next()
	var damage *jsonstream.Damage
	if errors.As(err, &damage) {
		return sourceRecord{}, fmt.Errorf("the file is not the JSON that it began as: %s", damage.Detail)
	}
	if err != nil {
		return sourceRecord{}, err
	}
	rec := sourceRecord{line: p.Line, raw: p.Raw}
	fault := func(code, format string, args ...any) {
		rec.fault = &wire.Fault{Code: code, Detail: fmt.Sprintf(format, args...)}
	}
	switch {
	case p.Cut:
		fault(wire.CodeTooLarge, "line: longer than %d bytes, kept as far as that", len(p.Raw))
	case p.Deep:
		fault(wire.CodeTooLarge, "line: nested deeper than %d levels", maxDepth)
	case !utf8.Valid(p.Raw):
		fault(wire.CodeJSON, "line: not UTF-8")
	default:
		d := json.NewDecoder(bytes.NewReader(p.Raw))
		d.UseNumber()
		if err := d.Decode(&rec.value); err != nil || d.More() {
			rec.value = nil
			fault(wire.CodeJSON, "line: not one JSON value")
		} else if rec.value == nil {
			fault(wire.CodeJSON, "line: null is no record")
		}
	}
	return rec, nil
}

// csvSource reads lines of CSV or of columns apart by blanks.
type csvSource struct {
	s       *scanner
	columns *mapping.Columns
	blanks  bool
}

func openCSV(r io.Reader, in mapping.Input) (*csvSource, error) {
	b := bufio.NewReaderSize(r, 1<<18)
	c := &csvSource{s: newScanner(b), blanks: in.Delimiter == "whitespace"}
	switch {
	case c.blanks:
		c.s.blanks, c.s.quote = true, 0
	case in.Delimiter != "":
		c.s.comma = in.Delimiter[0]
	default:
		head, _ := b.Peek(1 << 16)
		c.s.comma = guessDelimiter(head)
	}
	if in.Quote == "none" {
		c.s.quote = 0
	} else if in.Quote != "" {
		c.s.quote = in.Quote[0]
	}
	names := in.Columns
	if in.Header {
		header, err := c.s.next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty: not even a header line")
		}
		if err != nil {
			return nil, err
		}
		if header.fault != "" {
			return nil, fmt.Errorf("the header line cannot be read: %s", header.fault)
		}
		if names == nil {
			for _, f := range header.fields {
				names = append(names, strings.TrimSpace(string(f)))
			}
		}
	}
	if len(names) > maxColumns {
		return nil, fmt.Errorf("the file has %d columns; the limit is %d", len(names), maxColumns)
	}
	c.s.columns = len(names)
	c.columns = mapping.NewColumns(names)
	return c, nil
}

const maxColumns = 2000

// guessDelimiter takes the most frequent candidate of the first line.
func guessDelimiter(head []byte) byte {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	best, most := byte(','), 0
	for _, c := range []byte(",;\t|") {
		if n := bytes.Count(line, []byte{c}); n > most {
			best, most = c, n
		}
	}
	return best
}

func (c *csvSource) next() (sourceRecord, error) {
	rec, err := c.s.next()
	if err != nil {
		return sourceRecord{}, err
	}
	out := sourceRecord{line: int64(rec.line), raw: rec.raw}
	name := func(i int) string {
		if i >= 0 && i < len(c.columns.Names) {
			return c.columns.Names[i]
		}
		return "line"
	}
	fault := func(i int, rule string) (sourceRecord, error) {
		out.fault = &wire.Fault{Code: wire.CodeField, Detail: name(i) + ": " + rule}
		return out, nil
	}
	if rec.fault != "" {
		if rec.column >= 0 {
			return fault(rec.column, rec.fault)
		}
		out.fault = &wire.Fault{Code: wire.CodeField, Detail: rec.fault}
		return out, nil
	}
	row := &mapping.Row{Columns: c.columns, Fields: make([]string, len(rec.fields))}
	for i, f := range rec.fields {
		switch {
		case bytes.IndexByte(f, 0) >= 0:
			return fault(i, "holds a NUL byte")
		case !utf8.Valid(f):
			return fault(i, "not UTF-8; name the file's encoding in the mapping")
		}
		row.Fields[i] = string(f)
	}
	out.value = row
	return out, nil
}
