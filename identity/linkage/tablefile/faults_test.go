package tablefile

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFaults names, for every file that cannot be used, all that the error must
// say.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name, text, id string
		want           []string
	}{
		{"empty", "", "id", []string{"a.csv is empty"}},
		{"blank", "\n \r\n", "id", []string{"a.csv is empty"}},
		{"mark only", "\xef\xbb\xbf", "id", []string{"a.csv is empty"}},
		{"delimiter line only", "sep=;\n", "id", []string{"has no header and no record"}},
		{"header only", "id,name\n", "id", []string{"a.csv has a header and no record"}},
		{"no such column", "rec_id,name,city\n1,ana,porto\n", "record", []string{`no column "record"`, `"rec_id", "name", "city"`, `did you mean "rec_id"?`}},
		{"nothing near", "rec_id,name,city\n1,ana,porto\n", "zzz", []string{`no column "zzz"`, `"rec_id", "name", "city"`}},
		{"id not said", "number,name\n1,ana\n", "", []string{"say which column of", `"number", "name"`}},
		{"id twice said", "id,uid,name\n1,2,ana\n", "", []string{"say which column of", `"id", "uid", "name"`}},
		{"id column twice", "id,ID,name\n1,2,ana\n", "id", []string{`several columns named "id"`}},
		{"no header", "1,ana,1970-01-02\n2,rui,1980-03-04\n", "id", []string{"a.csv has no header", "2 of the 3 values", "a date", "a number", "put a first line"}},
		{"no header, e-mail", "ana,ana@example.com\nrui,rui@example.com\n", "ana", []string{"has no header", "an e-mail address"}},
		{"no header, words only", "ana,porto,x\nrui,porto,x\nana,braga,x\n", "ana", []string{"has no header", "2 of the names"}},
		{"doubled ids", "id,name\n1,ana\n2,rui\n1,eva\n1,leo\n", "id", []string{`column "id" does not tell the records apart`, `"1" in lines 2 and 4`, `"1" in lines 2 and 5`}},
		{"many doubled ids", "id,name\n" + strings.Repeat("1,ana\n", 9), "id", []string{"and 3 more"}},
		{"missing ids", "id,name\n1,ana\n ,rui\n,eva\n", "id", []string{`2 of 3 records have no id in column "id" (lines 3, 4)`}},
		{"missing and doubled", "id,name\n1,ana\n,rui\n1,eva\n", "id", []string{"have no id", "does not tell the records apart"}},
		{"no column beside the id", "id\n1\n2\n", "id", []string{`no column to compare beside the id "id"`, "comma"}},
		{"all columns empty", "id,name,city\n1,,\n2,,\n", "id", []string{"has no column with values to compare"}},
		{"rows that do not fit", "id,name,city\n" + repeated(100, "%d,a,b,c,d\n"), "id", []string{"do not have the 3 fields of the header", "comma", "lines 2, 3, 4, 5, 6"}},
		{"Excel", "PK\x03\x04rest", "id", []string{"Excel workbook: save the sheet as CSV"}},
		{"Parquet", "PAR1rest", "id", []string{"a Parquet file"}},
		{"JSON", " [{\"id\": 1}]", "id", []string{"is JSON"}},
		{"JSON lines", "{\"id\": 1}\n", "id", []string{"is JSON"}},
		{"HTML", "<html>", "id", []string{"is XML or HTML"}},
		{"no gzip", "\x1f\x8bgarbage", "id", []string{"is no gzip file"}},
		{"gzip cut off", packed("id,name\n1,ana\n2,rui\n")[:25], "id", []string{"unexpected EOF"}},
		{"endless line", "id,name\n1," + strings.Repeat("x", maxRecordBytes+1), "id", []string{"line 2 is longer than"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, "a.csv", c.text)
			_, err := Read(t.Context(), Config{Left: Source{Path: path, ID: c.id}})
			if err == nil {
				t.Fatal("was read")
			}
			if !strings.HasPrefix(err.Error(), path) && !strings.Contains(err.Error(), "say which column of "+path) {
				t.Errorf("does not begin with the file: %v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
		})
	}
	if _, err := Read(t.Context(), Config{Left: Source{Path: t.TempDir()}}); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Read(t.Context(), Config{Left: Source{Path: filepath.Join(t.TempDir(), "none.csv")}}); err == nil {
		t.Error("a file that is not there was read")
	}
}

// repeated writes a format with numbers.
func repeated(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func packed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

// TestWarnings names what is read with a warning, the warnings, and the records
// that come of it.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // code, its count and lines
		records    [][]string
	}{
		{
			"short and long rows", "id,name,city\n1,ana\n2,rui,porto,x\n3,eva,braga,,\n",
			[]string{"short_rows 1 [2]", "long_rows 1 [3]"},
			[][]string{{"1", "ana", ""}, {"2", "rui", "porto"}, {"3", "eva", "braga"}},
		},
		{
			"NUL bytes", "id,name\n1,a\x00na\n2,rui\n",
			[]string{"nul_bytes 1 [2]"},
			[][]string{{"1", "ana"}, {"2", "rui"}},
		},
		{
			"empty rows", "id,name\n1,ana\n,\n\n2,rui\n , \n",
			[]string{"empty_rows 2 [3 6]"},
			[][]string{{"1", "ana"}, {"2", "rui"}},
		},
		{
			"header again", "id,name\n1,ana\nid,name\n2,rui\n",
			[]string{"header_again 1 [3]"},
			[][]string{{"1", "ana"}, {"2", "rui"}},
		},
		{
			"a quote that never closes", "id,name\n1,\"ana\n2,rui\n3,eva\n",
			[]string{"stray_quotes 1 [2]"},
			[][]string{{"1", "\"ana"}, {"2", "rui"}, {"3", "eva"}},
		},
		{
			"a quote that would swallow a record", "id,name\n1,\"ana\n2,\"rui\n3,eva\n",
			[]string{"stray_quotes 2 [2 3]"},
			[][]string{{"1", "\"ana"}, {"2", "\"rui"}, {"3", "eva"}},
		},
		{
			"a quote that would swallow a record, with one that closes", "id,name,city\n1,\"ana,porto\n2,\"rui\",braga\n3,eva,faro\n",
			[]string{"stray_quotes 1 [2]"},
			[][]string{{"1", "\"ana", "porto"}, {"2", "rui", "braga"}, {"3", "eva", "faro"}},
		},
		{
			"quotes within values", "id,name,city\n1,\"Bob\" Smith,\"x\"\n2,\"Smith, \"Bob\" J\",y\n",
			nil,
			[][]string{{"1", "\"Bob\" Smith", "x"}, {"2", "Smith, \"Bob\" J", "y"}},
		},
		{
			"columns without a name, or with one of another", "id,,phone,phone,Phone\n1,ana,5,6,7\n2,rui,8,9,1\n",
			[]string{"column_name 0 []", "column_name 0 []", "column_name 0 []"},
			[][]string{{"1", "ana", "5", "6", "7"}, {"2", "rui", "8", "9", "1"}},
		},
		{
			"a column without a value, and one with the same", "id,name,none,country\n1,ana,,pt\n2,rui, ,pt\n",
			[]string{"empty_column 0 []", "constant 2 []"},
			[][]string{{"1", "ana", "pt"}, {"2", "rui", "pt"}},
		},
		{
			"windows-1252", "id,name\n1,J\xfcrgen \x96 x\n2,Jos\xe9\n",
			[]string{"encoding 2 [2 3]"},
			[][]string{{"1", "Jürgen – x"}, {"2", "José"}},
		},
		{
			"two encodings, in one line as well", "id,name,city\n1,J\xc3\xbcrgen,K\xf6ln\n2,Jos\xc3\xa9,x\n",
			[]string{"encoding 1 [2]"},
			[][]string{{"1", "Jürgen", "Köln"}, {"2", "José", "x"}},
		},
		{
			"no encoding that is known", "id,name\n1,a\x81\n2,rui\n",
			[]string{"encoding 1 [2]", "encoding 1 []"},
			[][]string{{"1", "a\ufffd"}, {"2", "rui"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Read(t.Context(), Config{Left: Source{Path: write(t, "a.csv", c.text), ID: "id"}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range r.Warnings {
				got = append(got, fmt.Sprintf("%s %d %v", w.Code, w.Count, w.Lines))
				if w.Text == "" || strings.Contains(w.String(), "%!") {
					t.Errorf("warning %+v", w)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("warnings (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(c.records, table(r)); diff != "" {
				t.Errorf("records (-want +got)\n%s", diff)
			}
		})
	}
}

func TestAllDifferent(t *testing.T) {
	r, err := Read(t.Context(), Config{Left: Source{Path: write(t, "a.csv", "id,row,name\n"+repeated(30, "r%[1]d,%[1]d,ana\n"))}})
	if err != nil {
		t.Fatal(err)
	}
	var codes []Code
	for _, w := range r.Warnings {
		codes = append(codes, w.Code)
	}
	if diff := cmp.Diff([]Code{ChosenID, AllDifferent, Constant}, codes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	path := write(t, "a.csv", "id,name\n"+repeated(40_000, "%d,ana\n"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Read(ctx, Config{Left: Source{Path: path}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A file that quotes nothing but has quotes at the beginning of values must not
// take long, and loses no record: after a hundred that do not close none is
// followed into the next lines.
func TestManyStrayQuotes(t *testing.T) {
	r, err := Read(t.Context(), Config{Left: Source{Path: write(t, "a.csv", "id,name\n"+repeated(20_000, "%d,\"a\"\"\n"))}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Table.Rows != 20_000 {
		t.Errorf("%d records", r.Table.Rows)
	}
	var said []string
	for _, w := range r.Warnings {
		if w.Code == StrayQuotes {
			said = append(said, w.Text)
		}
	}
	if len(said) != 2 || !strings.Contains(said[1], "none was taken to span lines") {
		t.Errorf("warnings %q", said)
	}
}

// Splitting is linear: were each quote looked for to the end of the line, this
// would take an hour.
func TestSplitIsLinear(t *testing.T) {
	s := splitter{comma: ','}
	fields, open := s.split([]byte(strings.Repeat(`,"a"b`, 1<<18)), greedy)
	if len(fields) != 1<<18+1 || open {
		t.Errorf("%d fields, open %v", len(fields), open)
	}
}

func TestDictionary(t *testing.T) {
	d := newDictionary()
	for range 2 {
		for i := range 10_000 {
			if code, _ := d.code(fmt.Appendf(nil, "value %d", i)); code != uint32(i) {
				t.Fatalf("value %d has code %d", i, code)
			}
		}
	}
	if !d.has("value 9999") || d.has("value 10000") || len(d.values) != 10_000 {
		t.Errorf("%d values", len(d.values))
	}
	// A value whose hash is that of another one is another value all the same.
	hash := maphash.String(d.seed, "twin")
	mask := uint64(len(d.slots) - 1)
	at := hash & mask
	for d.slots[at] != 0 {
		at = (at + 1) & mask
	}
	d.slots[at] = hash>>32<<32 | 1
	if code, fresh := d.code([]byte("twin")); code != 10_000 || !fresh {
		t.Errorf("code %d, new %v", code, fresh)
	}
}
