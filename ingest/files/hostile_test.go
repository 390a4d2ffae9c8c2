package files

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// parquetFile returns a sound file of n rows.
func parquetFile(t testing.TB, n int) string {
	t.Helper()
	type row struct {
		A string  `parquet:"a"`
		B []int64 `parquet:"b,list"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	for i := range n {
		if _, err := w.Write([]row{{A: "x", B: []int64{int64(i)}}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func flip(text string, at int) string {
	b := []byte(text)
	b[at] ^= 0xff
	return string(b)
}

// TestHostileFiles imports damaged and malicious files. Each ends in messages
// and rejected lines as counted, or in an error that says what is wrong.
func TestHostileFiles(t *testing.T) {
	rows := parquetFile(t, 50)
	long := strings.Repeat("x", maxLineBytes+10)
	for _, c := range []struct {
		name, content      string
		messages, rejected int
		err                string // instead of both
		code, reason       string // of the first rejected line
	}{
		{name: "empty.csv", content: "", err: "not even a header line"},
		{name: "blank.csv", content: "\n\n\r\n", err: "not even a header line"},
		{name: "header only.csv", content: "a,b\n"},
		{name: "broken header.csv", content: "a,\"b\nx,1\n", err: "header line cannot be read"},
		{name: "long header.csv", content: long + "\na\n", err: "header line cannot be read"},
		{name: "many columns.csv", content: strings.Repeat("c,", 5000) + "\n", err: "5001 columns; the limit is 2000"},
		{name: "same columns.csv", content: "a,a\nx,y\n", messages: 1},
		{name: "too few.csv", content: "a,b\nx\ny,2\n", messages: 1, rejected: 1, code: wire.CodeField, reason: "line: wrong number of columns"},
		{name: "too many.csv", content: "a,b\nx,1,2\ny,2\n", messages: 1, rejected: 1, code: wire.CodeField, reason: "line: wrong number of columns"},
		{name: "open quote.csv", content: "a,b\nx,\"open\ny,2\nz,3\n", messages: 2, rejected: 1, code: wire.CodeField, reason: "b: quote not closed"},
		{name: "open quote at the end.csv", content: "a,b\nx,1\ny,\"", messages: 1, rejected: 1, code: wire.CodeField, reason: "b: quote not closed"},
		{name: "bare quote.csv", content: "a,b\nx,o\"pen\ny,2\n", messages: 1, rejected: 1, code: wire.CodeField, reason: "b: quote inside an unquoted field"},
		{name: "text after quote.csv", content: "a,b\n\"x\"y,1\ny,2\n", messages: 1, rejected: 1, code: wire.CodeField, reason: "a: text after a closing quote"},
		{name: "quoted newline.csv", content: "a,b\n\"x\ny\",1\n", messages: 1},
		{name: "quotes without end.csv", content: "a,b\n" + strings.Repeat("\"\n", 500), rejected: 500, code: wire.CodeField},
		{name: "nul.csv", content: "a,b\nx\x00,1\ny,2\n", messages: 1, rejected: 1, code: wire.CodeField, reason: "a: holds a NUL byte"},
		{name: "not utf-8.csv", content: "a,b\nx,\xff\xfe\ny,2\n", messages: 1, rejected: 1, code: wire.CodeField, reason: "b: not UTF-8"},
		{name: "long line.csv", content: "a,b\n" + long + ",1\ny,2\n", messages: 1, rejected: 1, code: wire.CodeField, reason: "longer than 262144 bytes"},
		{name: "one endless line.csv", content: "a,b\n" + strings.Repeat(long, 8), rejected: 1, code: wire.CodeField, reason: "longer than 262144 bytes"},
		{name: "no name.csv", content: "a,b\n,1\n", rejected: 1, code: wire.CodeMissing, reason: "events[0].name"},
		{name: "long name.csv", content: "a,b\n" + strings.Repeat("n", 201) + ",1\n", rejected: 1, code: wire.CodeField, reason: "201 bytes"},
		{name: "other columns.csv", content: "c,d\nx,1\n", rejected: 1, code: wire.CodeMissing},
		{name: "formula.csv", content: "a,b\n=cmd|' /C calc'!A0,1\n", messages: 1},
		{name: "carriage returns.csv", content: "a,b\rx,1\ry,2\r", err: ""},
		{name: "half utf-16.csv", content: "\xff\xfea\x00\n\x00x\x00\n\x00y", messages: 2},
		{name: "binary.csv", content: "\x7fELF\x02\x01\x01\x00\x00\n\x00\x01\x02\n", rejected: 1, code: wire.CodeField},

		{name: "empty.ndjson", content: ""},
		{name: "broken line.ndjson", content: "{\"a\":\"x\"}\n{\"a\":\n{\"a\":\"y\"}\n", messages: 2, rejected: 1, code: wire.CodeJSON, reason: "not one JSON value"},
		{name: "two values.ndjson", content: "{\"a\":\"x\"} {\"a\":\"y\"}\n", rejected: 1, code: wire.CodeJSON},
		{name: "scalars.ndjson", content: "{\"a\":\"x\"}\n7\n\"x\"\nnull\ntrue\n[]\n", messages: 1, rejected: 5},
		{name: "deep.ndjson", content: "{\"a\":\"x\"}\n" + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n", messages: 1, rejected: 1, code: wire.CodeTooLarge, reason: "deeper than 64"},
		{name: "long line.ndjson", content: "{\"a\":\"" + strings.Repeat("x", 1<<20) + "\"}\n{\"a\":\"y\"}\n", messages: 1, rejected: 1, code: wire.CodeTooLarge, reason: "kept as far as that"},
		{name: "not utf-8.ndjson", content: "{\"a\":\"\xff\"}\n", rejected: 1, code: wire.CodeJSON, reason: "not UTF-8"},
		{name: "duplicate keys.ndjson", content: "{\"a\":\"x\",\"a\":\"y\"}\n", messages: 1},
		{name: "huge number.ndjson", content: "{\"a\":1e999}\n", messages: 1},
		{name: "wrong type.ndjson", content: "{\"a\":{\"b\":1}}\n", rejected: 1, code: wire.CodeField, reason: "must be text, not an object"},
		{name: "lone surrogate.ndjson", content: "{\"a\":\"\\ud800\"}\n", messages: 1},
		{name: "cut off.json", content: "[{\"a\":\"x\"},{\"a\":", err: "cut off"},
		{name: "no comma.json", content: "[{\"a\":\"x\"}{\"a\":\"y\"}]", err: "comma"},
		{name: "text after.json", content: "[{\"a\":\"x\"}] and more", err: "something follows"},
		{name: "brackets.json", content: strings.Repeat("[", 1_000_000), err: "cut off"},

		{name: "no parquet.parquet", content: "this is text", err: "Parquet file is damaged"},
		{name: "magic only.parquet", content: "PAR1", err: "Parquet file is damaged"},
		{name: "magic twice.parquet", content: "PAR1PAR1", err: "Parquet file is damaged"},
		{name: "cut off.parquet", content: rows[:len(rows)/2], err: "Parquet file is damaged"},
		{name: "no footer.parquet", content: rows[:len(rows)-8], err: "Parquet file is damaged"},
		{name: "huge footer.parquet", content: rows[:len(rows)-8] + "\xff\xff\xff\x7fPAR1", err: "Parquet file is damaged"},

		{name: "cut off.csv.gz", content: string(gzipped(t, "a,b\n"+strings.Repeat("x,1\n", 5000)))[:60], err: "cut off"},
		{name: "damaged.csv.gz", content: flip(string(gzipped(t, "a,b\nx,1\n")), 20), err: "read damaged.csv.gz"},
		{name: "header only.gz", content: "\x1f\x8b", err: "gzip"},
		{name: "cut off.csv.zst", content: packed(t, "zstd", "a,b\n"+strings.Repeat("x,1\n", 5000))[:20], err: "read cut off.csv.zst"},
		{name: "no zstd.csv", content: "\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff", err: "read no zstd.csv"},
		{name: "cut off.csv.xz", content: packed(t, "xz", "a,b\nx,1\n")[:40], err: "read cut off.csv.xz"},
		{name: "no xz.csv", content: "\xfd7zXZ\x00garbage and more", err: "xz"},
		{name: "giant dictionary.xz", content: "\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x28\x00\x00", err: "dictionary is over 64 MiB"},
		{name: "no bzip2.csv", content: "BZh9 is not a column,b\nx,1\n", err: "read no bzip2.csv"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Input, cfg.StateFolder, cfg.Format = StringInput(c.name, c.content), t.TempDir(), mapped(t, anyMapping)
			var out collector
			importer, err := New(cfg, testDeps(&out))
			if err != nil {
				t.Fatal(err)
			}
			sum, err := importer.Run(t.Context())
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v; want %q", err, c.err)
				}
				return
			}
			if err != nil || sum.Messages != c.messages || sum.Rejected != c.rejected || len(out.records) != c.messages+c.rejected {
				t.Fatalf("%d messages, %d rejected, %v; want %d, %d", sum.Messages, sum.Rejected, err, c.messages, c.rejected)
			}
			for _, r := range out.records {
				if reason := headerOf(r, wire.HeaderReject); reason != "" {
					if !strings.Contains(reason, c.reason) || c.code != "" && headerOf(r, wire.HeaderReason) != c.code || len(r.Value) == 0 {
						t.Errorf("%s %s; want %s %s", headerOf(r, wire.HeaderReason), reason, c.code, c.reason)
					}
					break
				}
			}
		})
	}
}

// TestParquetDamageAnywhere flips every byte of a file in turn: an error or
// rows, and never a panic or a hang.
func TestParquetDamageAnywhere(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector's pointer checks end the process where the library's reads panic and are caught")
	}
	rows := parquetFile(t, 5)
	for at := range len(rows) {
		s, err := Preview(t.Context(), StringInput("f.parquet", flip(rows, at)), mapped(t, anyMapping), 100, testNow)
		if err == nil && len(s) > 100 {
			t.Errorf("byte %d: %d samples", at, len(s))
		}
	}
}

func TestTemporaryFilesGo(t *testing.T) {
	dir := t.TempDir()
	runImport(t, StringInput("f.parquet", parquetFile(t, 5)), func(c *Config) { c.Format, c.StateFolder = mapped(t, anyMapping), dir })
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v: only the progress may stay", entries, err)
	}
}

// FuzzMappedImport holds for any content in any format: no panic, and every line is a
// message, a rejected line or ignored.
func FuzzMappedImport(f *testing.F) {
	f.Add("f.csv", "a,b\nx,\"1\n2\"\n")
	f.Add("f.csv", "a;b\n\xff;\x00\n")
	f.Add("f.ndjson", "{\"a\":1}\n[\n")
	f.Add("f.json", "[{\"a\":1},")
	f.Add("f.csv", string("\x1f\x8b\x08\x00"))
	f.Add("f.parquet", parquetFile(f, 3))
	f.Fuzz(func(t *testing.T, name, text string) {
		format := mapped(t, anyMapping)
		c := format.Begin(Options{File: name, AsOf: testNow, SHA256: "0123456789abcdef0", MaxMessageBytes: DefaultConfig().MaxMessageBytes}).(*conversion)
		in := StringInput(name, text)
		n := 0
		err := readPart(in, func(r *content) error {
			return c.Convert(t.Context(), r, 0, func(Record) error { n++; return nil })
		})
		if err != nil {
			return
		}
		if got := c.counts; got.Messages+got.Rejected != n || got.Messages+got.Rejected+got.Ignored < got.Lines {
			t.Fatal(fmt.Sprint(n, " records, ", got))
		}
	})
}
