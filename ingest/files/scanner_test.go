package files

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

// good returns a readable line of an invoice with a description as given.
func good(invoice, description string) string {
	return invoice + ",85123A," + description + ",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
}

// outcome is what a file became, in short: "invoice/lines" and "line reason".
func outcome(t *testing.T, content string) (messages, rejects []string) {
	t.Helper()
	_, records := runImport(t, StringInput("f.csv", content), nil)
	for _, r := range records {
		if reason := headerOf(r, "kindred-reject"); reason != "" {
			position := strings.TrimPrefix(headerOf(r, "kindred-position"), "f.csv:")
			rejects = append(rejects, position+" "+reason)
			continue
		}
		messages = append(messages, describe(t, r))
	}
	return messages, rejects
}

func headerOf(r Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

func TestHostileLines(t *testing.T) {
	g := good("1", "A")
	long := strings.Repeat("x", maxLineBytes)
	f := func(name, middle string, messages, rejects []string) {
		t.Run(name, func(t *testing.T) {
			gotMessages, gotRejects := outcome(t, header+g+middle+good("2", "B"))
			want := append([]string{"1/1"}, append(messages, "2/1")...)
			if diff := cmp.Diff(want, gotMessages); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(rejects, gotRejects); diff != "" {
				t.Errorf("rejects (-want +got):\n%s", diff)
			}
		})
	}
	line := func(fields ...string) string { return strings.Join(fields, ",") + "\n" }
	date, uk := "2010-12-01 08:26:00", "United Kingdom"
	f("nothing wrong", good("3", "C"), []string{"3/1"}, nil)
	f("empty lines", "\n\r\n\n", nil, nil)
	f("carriage return", strings.TrimSuffix(good("3", "C"), "\n")+"\r\n", []string{"3/1"}, nil)
	f("too few columns", "3,a,b\n", nil, []string{"3 line: wrong number of columns"})
	f("too many columns", good("3", "C,D"), nil, []string{"3 line: wrong number of columns"})
	f("quoted comma", good("3", `"C,D"`), []string{"3/1"}, nil)
	f("doubled quotes", good("3", `"RECORD FRAME 7"" SINGLE ""X"""`), []string{"3/1"}, nil)
	f("quoted newline", good("3", "\"C\nD\"")+"4,a\n", []string{"3/1"}, []string{"5 line: wrong number of columns"})
	f("quoted blank lines", good("3", "\"C\n\n\r\nD\""), []string{"3/1"}, nil)
	f("quote never closed", good("3", `"C`), nil, []string{"3 Description: quote not closed"})
	f("quote closed by a later line", good("3", `"C`)+good("4", `"D"`), []string{"4/1"}, []string{"3 Description: quote not closed"})
	f("two broken quotes that would match", good("3", `"C`)+good("4", `D"`), nil,
		[]string{"3 Description: quote not closed", "4 Description: quote inside an unquoted field"})
	f("quote open at the end of a line", good("3", "C")+"4,a,\"\n", []string{"3/1"}, []string{"4 Description: quote not closed"})
	f("text after a quote", good("3", `"C"D`), nil, []string{"3 Description: text after a closing quote"})
	f("bare quote", good("3", `C"D`), nil, []string{"3 Description: quote inside an unquoted field"})
	f("quote in the first column", `"`+good("3", "C"), nil, []string{"3 InvoiceNo: quote not closed"})
	f("not UTF-8", good("3", "\xa350"), nil, []string{"3 Description: not UTF-8"})
	f("NUL", good("3", "C\x00"), nil, []string{"3 Description: holds a NUL byte"})
	f("quantity text", line("3", "a", "b", "six", date, "1", "1", uk), nil, []string{"3 Quantity: not a decimal number"})
	f("quantity empty", line("3", "a", "b", "", date, "1", "1", uk), nil, []string{"3 Quantity: not a decimal number"})
	f("quantity fraction", line("3", "a", "b", "1.5", date, "1", "1", uk), nil, []string{"3 Quantity: not a whole number"})
	f("quantity exponent", line("3", "a", "b", "1e3", date, "1", "1", uk), nil, []string{"3 Quantity: not a decimal number"})
	f("quantity huge", line("3", "a", "b", "99999999999999999999", date, "1", "1", uk), nil, []string{"3 Quantity: out of range"})
	f("amount huge", line("3", "a", "b", "99999999999999", date, "99", "1", uk), nil, []string{"3 Quantity: out of range"})
	f("price text", line("3", "a", "b", "1", date, "NaN", "1", uk), nil, []string{"3 UnitPrice: not a decimal number"})
	f("price places", line("3", "a", "b", "1", date, "0.00001", "1", uk), nil, []string{"3 UnitPrice: more than four decimal places"})
	f("date", line("3", "a", "b", "1", "2010-13-01 00:00:00", "1", "1", uk), nil, []string{"3 InvoiceDate: not a date and time"})
	f("date early", line("3", "a", "b", "1", "1900-01-01 00:00:00", "1", "1", uk), nil, []string{"3 InvoiceDate: before 1970"})
	f("date late", line("3", "a", "b", "1", "2999-01-01 00:00:00", "1", "1", uk), nil, []string{"3 InvoiceDate: later than the import"})
	f("customer", line("3", "a", "b", "1", date, "1", "12.5", uk), nil, []string{"3 CustomerID: not a customer number"})
	f("customer text", line("3", "a", "b", "1", date, "1", "x@y.example", uk), nil, []string{"3 CustomerID: not a customer number"})
	f("no invoice", line(" ", "a", "b", "1", date, "1", "1", uk), nil, []string{"3 InvoiceNo: empty"})
	f("invoice long", line(strings.Repeat("3", 101), "a", "b", "1", date, "1", "1", uk), nil, []string{"3 InvoiceNo: longer than 100 bytes"})
	f("invoice control", line("3\x01", "a", "b", "1", date, "1", "1", uk), nil, []string{"3 InvoiceNo: holds a control character"})
	f("another customer", good("3", "C")+line("3", "a", "b", "1", date, "1", "99", uk), []string{"3/1"},
		[]string{"4 CustomerID: differs from an earlier line of the invoice"})
	f("long line", good("3", long), nil, []string{"3 line: longer than 262144 bytes, kept as far as that"})
	f("long quoted line", good("3", `"`+long), nil, []string{"3 line: longer than 262144 bytes, kept as far as that"})
	f("other lines of the invoice", good("3", "C")+"3,a\n"+good("3", "D"), []string{"3/2"}, []string{"4 line: wrong number of columns"})
	f("invoice apart", good("3", "C")+good("4", "E")+good("3", "D"), []string{"4/1", "3/2"}, nil)
}

func TestRejectKeepsBytesAndAddress(t *testing.T) {
	bad := "3,a,\"b\xff,six,x@y.example"
	_, records := runImport(t, StringInput("f.csv", header+good("1", "A")+bad+"\r\n"), func(c *Config) { c.Workspace = "acme" })
	var got Record
	for _, r := range records {
		if headerOf(r, "kindred-reject") != "" {
			got = r
		}
		if headerOf(r, "kindred-workspace") != "acme" {
			t.Error("a record without its workspace")
		}
	}
	if string(got.Value) != bad+"\r" {
		t.Errorf("value %q", got.Value)
	}
	if got.Topic != "kindred.transaction" || headerOf(got, "kindred-source") != "online-retail" || headerOf(got, "kindred-position") != "f.csv:3" {
		t.Errorf("record %s %v", got.Topic, got.Headers)
	}
	for _, h := range got.Headers {
		if bytes.Contains(h.Value, []byte("example")) {
			t.Error("a header holds a value of the line")
		}
	}
}

func TestUnreadableFiles(t *testing.T) {
	f := func(name, content, want string) {
		t.Run(name, func(t *testing.T) {
			cfg := DefaultConfig()
			cfg.Input, cfg.StateFolder = StringInput("f.csv", content), t.TempDir()
			var c collector
			importer, err := New(cfg, testDeps(&c))
			if err != nil {
				t.Fatal(err)
			}
			_, err = importer.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q", err, want)
			}
			if len(c.records) != 0 {
				t.Error("records of an unreadable file were published")
			}
		})
	}
	f("empty", "", "f.csv is empty")
	f("other columns", "a,b,c\n1,2,3\n", "no column invoiceno, stockcode")
	f("binary", "\x00\x01\x02\x03", "no column")
	f("header quote", "\"InvoiceNo\n", "header line: quote not closed")
	f("gzip cut off", string(gzipped(t, header+good("1", "A")))[:60], "cut off")
	f("gzip damaged", "\x1f\x8bgarbage", "gzip")
}

// TestScannerAgreesWithStandard compares with encoding/csv on well-formed text.
func TestScannerAgreesWithStandard(t *testing.T) {
	text := "a,b,c\n\"x,\"\"y\"\"\",,\"\"\n1,\"two\nlines\",3\r\n\n,,\n\"\",\"\"\"\",z"
	want, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := scanAll(t, text, 3)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-standard +ours):\n%s", diff)
	}
}

func scanAll(t *testing.T, text string, columns int) (all [][]string) {
	t.Helper()
	s := newScanner(strings.NewReader(text))
	s.columns = columns
	for {
		rec, err := s.next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil || rec.fault != "" {
			t.Fatalf("line %d: %v %s", rec.line, err, rec.fault)
		}
		var fields []string
		for _, f := range rec.fields {
			fields = append(fields, string(f))
		}
		all = append(all, fields)
	}
}

// FuzzImport feeds any bytes after a good line: the import never fails, never
// loses the lines around them, and accounts for every non-empty line.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{"", "\"", "3,a\n", good("3", "\"C\nD\""), good("3", `"C`) + good("4", `D"`), "\xff\x00\n\r\n", good("1", "Z")} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, middle []byte) {
		content := header + good("1", "A") + string(middle) + "\n" + good("2", "B")
		g := retailReader{opts: Options{File: "f.csv", AsOf: testNow, MaxOpenBytes: 1 << 30}}
		survey, err := g.survey(t.Context(), strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		lines, rejected, physical := 0, 0, 0
		seen := make(map[string]int)
		number := 0
		err = g.invoices(t.Context(), strings.NewReader(content), func(inv *invoice) error {
			for _, l := range inv.lines {
				lines++
				physical += bytes.Count(l.raw, []byte{'\n'}) + 1
			}
			seen[inv.number] += len(inv.lines)
			return nil
		}, func(raw []byte, line int, reason string) error {
			rejected++
			physical += bytes.Count(raw, []byte{'\n'}) + 1
			if line < 2 || reason == "" {
				return fmt.Errorf("line %d reason %q", line, reason)
			}
			number = max(number, line)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if survey.Lines != lines+rejected {
			t.Errorf("%d lines surveyed, %d read, %d rejected", survey.Lines, lines, rejected)
		}
		if seen["1"] < 1 || seen["2"] < 1 {
			t.Errorf("a good line was lost: %v", seen)
		}
		if all := strings.Count(content, "\n"); physical > all || number > all {
			t.Errorf("%d physical lines accounted for, last %d, of %d", physical, number, all)
		}
	})
}

func BenchmarkSurvey(b *testing.B) {
	in := sampleInput()
	for b.Loop() {
		g := retailReader{opts: Options{File: "f.csv", AsOf: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
		if _, err := in.with(func(r io.Reader) error { _, err := g.survey(b.Context(), r); return err }); err != nil {
			b.Fatal(err)
		}
	}
}
