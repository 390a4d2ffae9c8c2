package export

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// Format is a form of a file.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	NDJSON  Format = "ndjson"
	Parquet Format = "parquet"
)

// Media returns the media type of a format; "" for none.
func (f Format) Media() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8"
	case NDJSON:
		return "application/x-ndjson"
	case Parquet:
		return "application/vnd.apache.parquet"
	}
	return ""
}

// Writer writes one file. It holds a row, or a group of rows of Parquet.
type Writer struct {
	columns []Column
	rows    rows
}

// rows writes rows in one format; a nil value is missing.
type rows interface {
	write(values []json.RawMessage) error
	close() error
}

// NewWriter returns a writer to w. What is written is there after Close.
func NewWriter(w io.Writer, f Format, columns []Column) (*Writer, error) {
	out := &Writer{columns: columns}
	var err error
	switch f {
	case CSV:
		out.rows, err = newCSV(w, columns)
	case NDJSON:
		out.rows = &ndjsonRows{bufio.NewWriter(w), columns}
	case Parquet:
		out.rows = newParquet(w, columns)
	default:
		err = fmt.Errorf("format %q is none of csv, ndjson and parquet", f)
	}
	return out, err
}

// Write adds a member. The profile may be nil where no column needs it.
func (w *Writer) Write(m segments.Member, p *profiles.Profile) error {
	values := make([]json.RawMessage, len(w.columns))
	for i, c := range w.columns {
		var err error
		if values[i], err = c.of(m, p); err != nil {
			return err
		}
	}
	return w.rows.write(values)
}

// Close ends the file.
func (w *Writer) Close() error { return w.rows.close() }

// csvRows writes RFC 4180 with a head.
type csvRows struct{ *csv.Writer }

func newCSV(w io.Writer, columns []Column) (csvRows, error) {
	r := csvRows{csv.NewWriter(w)}
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = harmless(c.text)
	}
	return r, r.Writer.Write(head)
}

func (r csvRows) write(values []json.RawMessage) error {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = harmless(plainText(v))
	}
	return r.Writer.Write(cells)
}

func (r csvRows) close() error {
	r.Flush()
	return r.Error()
}

// plainText is the text of a JSON value: that of a text without quotes, nothing for a
// missing one.
func plainText(v json.RawMessage) string {
	var s string
	if len(v) > 0 && json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// harmless puts an apostrophe before what a spreadsheet would take for a formula, and
// leaves numbers as they are, those of phones too.
func harmless(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r\n|%", rune(cell[0])) {
		return cell
	}
	if digits := cell[1:]; (cell[0] == '+' || cell[0] == '-') && digits != "" && strings.Trim(digits, "0123456789.") == "" {
		return cell
	}
	return "'" + cell
}

// ndjsonRows writes an object a line, with its members in the order of the columns.
type ndjsonRows struct {
	*bufio.Writer
	columns []Column
}

func (r *ndjsonRows) write(values []json.RawMessage) error {
	sep := "{"
	for i, v := range values {
		name, err := json.Marshal(r.columns[i].text)
		if err != nil {
			return fmt.Errorf("encode a name: %w", err)
		}
		if v == nil {
			v = json.RawMessage("null")
		}
		_, _ = r.WriteString(sep) // The last write of the line has the error of any.
		_, _ = r.Write(name)
		_, _ = r.WriteString(":")
		_, _ = r.Write(v)
		sep = ","
	}
	_, err := r.WriteString("}\n")
	return err
}

func (r *ndjsonRows) close() error { return r.Flush() }

// groupRows bounds the rows of Parquet that are in memory.
const groupRows = 10_000

// parquetRows writes texts, and scores as numbers; a value that is no text is its JSON.
type parquetRows struct {
	w       *parquet.GenericWriter[any]
	columns []Column
	order   []int // place in the schema, which sorts by name, of each column
	n       int
}

func newParquet(w io.Writer, columns []Column) *parquetRows {
	group := parquet.Group{}
	for _, c := range columns {
		node := parquet.String()
		if c.what == "score" {
			node = parquet.Leaf(parquet.DoubleType)
		}
		group[c.text] = parquet.Compressed(parquet.Optional(node), &parquet.Snappy)
	}
	schema := parquet.NewSchema("members", group)
	r := &parquetRows{w: parquet.NewGenericWriter[any](w, schema), columns: columns, order: make([]int, len(columns))}
	for at, path := range schema.Columns() {
		for i, c := range columns {
			if c.text == path[0] {
				r.order[i] = at
			}
		}
	}
	return r
}

func (r *parquetRows) write(values []json.RawMessage) error {
	row := make(parquet.Row, len(values))
	for i, v := range values {
		at := r.order[i]
		switch {
		case v == nil:
			row[at] = parquet.NullValue().Level(0, 0, at)
		case r.columns[i].what == "score":
			var x float64
			if err := json.Unmarshal(v, &x); err != nil {
				return fmt.Errorf("encode a score: %w", err)
			}
			row[at] = parquet.DoubleValue(x).Level(0, 1, at)
		default:
			row[at] = parquet.ByteArrayValue([]byte(plainText(v))).Level(0, 1, at)
		}
	}
	if _, err := r.w.WriteRows([]parquet.Row{row}); err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}
	if r.n++; r.n%groupRows == 0 {
		return r.w.Flush()
	}
	return nil
}

func (r *parquetRows) close() error { return r.w.Close() }
