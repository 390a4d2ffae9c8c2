package synthetic

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSameSeedSameRecords(t *testing.T) {
	for _, p := range Presets() {
		c := p.Config
		c.Records, c.People = c.Records/100, c.People/100
		one, truth, err := Generate(c)
		if err != nil {
			t.Fatal(err)
		}
		two, again, err := Generate(c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(one, two); diff != "" {
			t.Errorf("%s: (-first +second)\n%s", p.Name, diff)
		}
		if diff := cmp.Diff(truth, again); diff != "" {
			t.Errorf("%s: (-first +second)\n%s", p.Name, diff)
		}
		c.Seed++
		if two, _, _ = Generate(c); cmp.Equal(one, two) {
			t.Errorf("%s: another seed gives the same records", p.Name)
		}
		if err := one.Validate(); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}
