package files

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetBatch is the number of rows decoded at once.
const parquetBatch = 256

// parquetSource reads rows of Parquet, flat or nested, as JSON values: times
// and dates in RFC 3339, decimals as numbers, bytes that are not text in base64.
type parquetSource struct {
	file   *os.File
	remove bool
	schema *parquet.Schema
	reader *parquet.GenericReader[any]
	rows   []any
	at, n  int
	line   int64
	done   bool
}

// openParquet reads from the file itself when it is a plain one. Otherwise the
// content goes through a temporary file, because Parquet begins at its end.
func openParquet(r io.Reader, opts Options) (s *parquetSource, err error) {
	s = &parquetSource{rows: make([]any, parquetBatch)}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if opts.Path != "" {
		s.file, err = os.Open(opts.Path)
	} else if s.file, err = os.CreateTemp(opts.TempFolder, "kindred-*.parquet"); err == nil {
		s.remove = true
		_, err = io.Copy(s.file, r)
	}
	if err != nil {
		return nil, fmt.Errorf("open parquet: %w", err)
	}
	info, err := s.file.Stat()
	if err != nil {
		return nil, fmt.Errorf("open parquet: %w", err)
	}
	if err := checkFooter(s.file, info.Size()); err != nil {
		return s, err
	}
	err = guarded(func() error {
		f, err := parquet.OpenFile(s.file, info.Size())
		if err != nil {
			return err
		}
		s.schema = f.Schema()
		s.reader = parquet.NewGenericReader[any](f)
		return nil
	})
	return s, err
}

// errParquet reports damage; the library's own words may hold values.
var errParquet = errors.New("the Parquet file is damaged or cut off")

// guarded turns a panic over damaged content into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errParquet
		}
	}()
	if err := f(); err != nil && !errors.Is(err, io.EOF) {
		return errParquet
	} else if err != nil {
		return io.EOF
	}
	return nil
}

// maxFooter bounds the metadata of a file, for which the library makes room
// before it reads them.
const maxFooter = 64 << 20

// checkFooter holds the length that the file claims of its metadata against its
// size.
func checkFooter(f io.ReaderAt, size int64) error {
	var end [8]byte
	if size < 12 {
		return errParquet
	}
	if _, err := f.ReadAt(end[:], size-8); err != nil || string(end[4:]) != "PAR1" {
		return errParquet
	}
	if n := int64(binary.LittleEndian.Uint32(end[:4])); n > size-12 || n > maxFooter {
		return errParquet
	}
	return nil
}

func (s *parquetSource) close() {
	if s.reader != nil {
		_ = guarded(s.reader.Close)
	}
	if s.file != nil {
		_ = s.file.Close()
		if s.remove {
			_ = os.Remove(s.file.Name())
		}
	}
}

func (s *parquetSource) next() (sourceRecord, error) {
	if s.at == s.n {
		if s.done {
			return sourceRecord{}, io.EOF
		}
		clear(s.rows)
		err := guarded(func() (err error) {
			s.n, err = s.reader.Read(s.rows)
			return err
		})
		if s.at, s.done = 0, err != nil; err != nil && !errors.Is(err, io.EOF) {
			return sourceRecord{}, err
		}
		if s.n == 0 {
			return sourceRecord{}, io.EOF
		}
	}
	row := plainValue(s.schema, s.rows[s.at])
	s.at++
	s.line++
	raw, err := json.Marshal(row)
	if err != nil {
		return sourceRecord{}, errParquet
	}
	return sourceRecord{line: s.line, raw: raw, value: row}, nil
}

// plainValue turns what the library gives into what JSON has.
func plainValue(node parquet.Node, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, x := range v {
			out[name] = plainValue(child(node, name), x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = plainValue(element(node), x)
		}
		return out
	}
	var logical *format.LogicalType
	if node != nil && node.Leaf() {
		logical = node.Type().LogicalType()
	}
	return plainLeaf(logical, v)
}

// child finds the field of a group, nil when the group is not one of names.
func child(node parquet.Node, name string) parquet.Node {
	if node == nil || node.Leaf() {
		return nil
	}
	for _, f := range node.Fields() {
		if f.Name() == name {
			return f
		}
	}
	return nil
}

// element finds the node of a list's elements: the list itself when it is a
// repeated field, and list.element when it is declared as a list.
func element(node parquet.Node) parquet.Node {
	if node == nil || node.Leaf() || node.Repeated() {
		return node
	}
	if inner := child(node, "list"); inner != nil && len(inner.Fields()) == 1 {
		return inner.Fields()[0]
	}
	return nil
}

func plainLeaf(logical *format.LogicalType, v any) any {
	switch v := v.(type) {
	case int32:
		return plainInt(logical, int64(v))
	case int64:
		return plainInt(logical, v)
	case uint32:
		return plainInt(logical, int64(v))
	case uint64:
		return json.Number(strconv.FormatUint(v, 10))
	case float32:
		return plainFloat(float64(v), 32)
	case float64:
		return plainFloat(v, 64)
	case []byte:
		if utf8.Valid(v) {
			return string(v)
		}
		return base64.StdEncoding.EncodeToString(v)
	case string:
		return plainLeaf(logical, []byte(v))
	case bool, nil:
		return v
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

func plainInt(logical *format.LogicalType, n int64) any {
	if logical == nil {
		return json.Number(strconv.FormatInt(n, 10))
	}
	switch l := logical.Value.(type) {
	case *format.DateType:
		return time.Unix(0, 0).UTC().AddDate(0, 0, int(n)).Format(time.DateOnly)
	case *format.TimestampType:
		t := time.UnixMilli(n)
		switch l.Unit.Value.(type) {
		case *format.MicroSeconds:
			t = time.UnixMicro(n)
		case *format.NanoSeconds:
			t = time.Unix(n/1e9, n%1e9)
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	return json.Number(strconv.FormatInt(n, 10))
}

// plainFloat drops what JSON cannot write.
func plainFloat(f float64, bits int) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return json.Number(strconv.FormatFloat(f, 'f', -1, bits))
}
