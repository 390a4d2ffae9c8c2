package tablefile

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// FuzzRead reads anything: it answers with an error that names the file, or
// with records whose ids differ, in UTF-8, trimmed, without NUL bytes.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"id,name\n1,ana\n2,rui\n", "id;name\n1;\"a\n\nb\"\n", "sep=|\nid|name\n1|\"x\"\"y\" z\n", "\xff\xfei\x00d\x00,\x00a\x00\n\x001\x00,\x002\x00",
		"id\tname\r\n1\t\"J\xfcrgen\r\n", packed("id,name\n1,ana\n"), "id,name\n1,\"a\"b\",c\n,,\n1,\x00\n",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "fuzz.csv")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Read(t.Context(), Config{Left: Source{Path: path, ID: "id"}})
		if err != nil {
			if !strings.HasPrefix(err.Error(), path) {
				t.Fatalf("error %q does not name the file", err)
			}
			return
		}
		if err := r.Table.Validate(); err != nil {
			t.Fatal(err)
		}
		if len(r.IDs) != r.Table.Rows || r.Files[0].Records != r.Table.Rows {
			t.Fatalf("%d ids for %d records, %d in the report", len(r.IDs), r.Table.Rows, r.Files[0].Records)
		}
		seen := map[string]bool{}
		for _, id := range r.IDs {
			if seen[id] || id == "" {
				t.Fatalf("id %q twice, or none", id)
			}
			seen[id] = true
		}
		for _, c := range r.Table.Columns {
			for _, v := range c.Values {
				if !utf8.ValidString(v) || strings.TrimSpace(v) != v || strings.Contains(v, "\x00") {
					t.Fatalf("value %q", v)
				}
			}
		}
	})
}

// TestRoundTrip writes records as encoding/csv does and reads them.
func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.Custom(func(t *rapid.T) string {
			return strings.TrimSpace(rapid.StringOfN(rapid.SampledFrom([]rune("aeznßłя0 ,;|\"\n\t'.@-")), 0, 12, -1).Draw(t, "cell"))
		})
		columns := rapid.IntRange(2, 5).Draw(t, "columns")
		header := []string{"id", "alpha", "beta", "gamma", "delta"}[:columns]
		var want [][]string
		for i := range rapid.IntRange(1, 30).Draw(t, "records") {
			record := []string{"r" + strings.Repeat("x", i)}
			for range columns - 1 {
				record = append(record, cell.Draw(t, "value"))
			}
			want = append(want, record)
		}
		want[0][1] = "value" // No column of it all is without a value ...
		for i := range columns {
			if i > 0 && want[0][i] == "" {
				want[0][i] = "value"
			}
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = rapid.SampledFrom([]rune(",;\t|")).Draw(t, "delimiter")
		w.UseCRLF = rapid.Bool().Draw(t, "CRLF")
		if err := w.WriteAll(append([][]string{header}, want...)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Read(t.Context(), Config{Left: Source{Path: path}})
		if err != nil {
			t.Fatalf("%v\n%q", err, b.String())
		}
		got := table(r)
		if w.UseCRLF { // encoding/csv writes CRLF inside of quotes as well.
			for _, record := range got {
				for i := range record {
					record[i] = strings.ReplaceAll(record[i], "\r\n", "\n")
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got)\n%s\n%q", diff, b.String())
		}
	})
}
