package linkage_test

import (
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity/linkage"
)

// fuzzTable makes a small table of a text: records are lines, fields are parted
// by bars, types by the bytes of kinds.
func fuzzTable(kinds []byte, text string, sources bool) (*linkage.Table, map[string]linkage.Type) {
	lines := strings.Split(text, "\n")
	lines = lines[:min(len(lines), 40)]
	width := 1
	for _, l := range lines {
		width = max(width, min(20, 1+strings.Count(l, "|")))
	}
	declared := map[string]linkage.Type{}
	var header []string
	for i := range width {
		name := string(rune('a' + i))
		header = append(header, name)
		if i < len(kinds) && int(kinds[i]) < len(linkage.Types()) {
			declared[name] = linkage.Types()[kinds[i]]
		}
	}
	rows := []string{strings.Join(header, "|")}
	for _, l := range lines {
		fields := strings.SplitN(l, "|", width+1)
		fields = append(fields, make([]string, width)...)[:width]
		rows = append(rows, strings.Join(fields, "|"))
	}
	table := linkage.TableOf(rows...)
	if sources {
		for i := range table.Rows {
			table.Source = append(table.Source, uint8(i%2))
		}
	}
	return table, declared
}

func addTables(f *testing.F) {
	f.Add([]byte{0, 1, 3}, "ana|costa|1980-02-03\nanna|costa|1980-02-03\nrui|silva|1990-05-06", false)
	f.Add([]byte{2, 7, 8, 15}, "Ana Costa Jr|a@b.example|912345678|f\nCOSTA, Ana|a@c.example|912345679|m\n|||", true)
	f.Add([]byte{4, 5, 6, 9, 10, 11, 12, 13}, "1|2|1980|4000|77|12|High St|Porto\n1|2|1980|4000|77|12|High Street|Porto\n\n", false)
	f.Add([]byte{}, "x|y\nx|y\nx|z\n\xff|1", false)
	f.Add([]byte{16, 14, 17}, strings.Repeat("equal|words|x\n", 30), false)
	f.Add([]byte{0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}, "a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s\nb|a|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s", false)
}

// Whatever a table holds, linking it ends in an error or in a partition with
// finite weights that sum.
func FuzzLink(f *testing.F) {
	addTables(f)
	f.Fuzz(func(t *testing.T, kinds []byte, text string, sources bool) {
		table, declared := fuzzTable(kinds, text, sources)
		for _, budget := range []int{0, 20} {
			r, err := linkage.Link(t.Context(), table, linkage.Options{Types: declared, Budget: budget}.Sampling(1<<10))
			if err != nil {
				continue
			}
			checkResult(t, r, table.Rows)
		}
	})
}

// Whatever is added to an index, it ends without a panic and finds rows that are
// there, with the weight that it explains.
func FuzzIndexAdd(f *testing.F) {
	addTables(f)
	f.Fuzz(func(t *testing.T, kinds []byte, text string, _ bool) {
		table, declared := fuzzTable(kinds, text, false)
		r, err := linkage.Link(t.Context(), table, linkage.Options{Types: declared, Budget: 20}.Sampling(1<<10))
		if err != nil {
			return
		}
		x, err := linkage.NewIndex(r.Model)
		if err != nil {
			t.Fatal(err)
		}
		values := strings.FieldsFunc(text, func(r rune) bool { return r == '|' || r == '\n' })
		for i := range min(60, len(values)) {
			record := make([]string, len(x.Columns()))
			for j := range record {
				record[j] = values[(i+j*j)%len(values)]
			}
			row, found, err := x.Add(record)
			if err != nil || int(row) != i {
				t.Fatalf("row %d, %v", row, err)
			}
			for _, s := range found {
				if s.Row < 0 || s.Row >= row || s.Bits != x.Explain(row, s.Row).Bits || s.Bits < linkage.ReviewBits {
					t.Fatalf("row %d finds %+v", row, s)
				}
			}
			if i%5 == 4 {
				x.Remove(row - 2)
			}
		}
	})
}
