package linkage_test

import (
	"testing"

	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// In a file in which nobody is twice, hardly anybody is linked: neither
// housemates, nor namesakes, nor people of one city become one person because
// nothing else stands out.
func TestNobodyTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and what runs beside what is that of TestOrderOfRecords")
	}
	for _, p := range synthetic.Presets() {
		most := map[string]float64{"sparse": .02, "crm": .06}[p.Name]
		if most == 0 {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			c := p.Config
			c.Records, c.People, c.Seed = 4000, 4000, 5
			table, _, err := synthetic.Generate(c)
			if err != nil {
				t.Fatal(err)
			}
			r := link(t, table)
			size := map[int32]int{}
			for _, first := range r.Clusters {
				size[first]++
			}
			linked := 0
			for _, n := range size {
				if n > 1 {
					linked += n
				}
			}
			if share := float64(linked) / float64(table.Rows); share > most {
				t.Errorf("%.3f of the records are linked, want at most %v", share, most)
			}
		})
	}
}

// Records that all agree in nothing are not linked because that is all there is
// to learn from: disagreement never speaks for one person.
func TestDisagreementSpeaksForNobody(t *testing.T) {
	table := &linkage.Table{Rows: 2002, Source: make([]uint8, 2002)}
	names := linkage.Column{Name: "name", Values: []string{"", "Peter Smith", "Ana Ferreira"}, Codes: make([]uint32, 2002)}
	for row := range table.Source {
		table.Source[row], names.Codes[row] = 1, 2
		if row < 2 {
			table.Source[row], names.Codes[row] = 0, 1
		}
	}
	table.Columns = []linkage.Column{names}
	r := link(t, table)
	for row, first := range r.Clusters {
		if table.Source[first] != table.Source[row] {
			t.Fatalf("Peter Smith and Ana Ferreira are one person, weight %v", r.Pairs[0].Bits)
		}
	}
	for _, f := range r.Model.Fields {
		if last := f.Levels[len(f.Levels)-1]; last.Bits > 0 {
			t.Errorf("%s: %q weighs %.2f bits", f.Name, last.Name, last.Bits)
		}
	}
}
