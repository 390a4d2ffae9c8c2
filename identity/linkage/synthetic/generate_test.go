package synthetic

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/identity/linkage"
)

// small is a preset with fewer records.
func small(c Config, records int) Config {
	c.People = c.People * records / c.Records
	c.Records = records
	return c
}

func generate(t *testing.T, c Config) (*linkage.Table, []int32) {
	t.Helper()
	table, truth, err := Generate(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Validate(); err != nil {
		t.Fatal(err)
	}
	return table, truth
}

// sum is a hash of all that was generated.
func sum(t *linkage.Table, truth []int32) string {
	h := sha256.New()
	for row := range t.Rows {
		for i := range t.Columns {
			fmt.Fprintf(h, "%s\x1f", t.Columns[i].Value(row))
		}
		fmt.Fprintln(h, truth[row])
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// The hashes are the promise that a seed gives the same bytes on every machine.
// They change only when the generator is meant to.
func TestSameSeedSameBytes(t *testing.T) {
	want := map[string]string{
		"febrl": "458ba660eb0b3546", "sparse": "55f46a0a61c4baf2", "names": "0f92be2041b17cfe",
		"heavy": "2e6451ad71ac8c34", "million": "a436167efd5764d8", "crm": "abb76b05bd0b01d0",
	}
	for _, p := range Presets() {
		c := small(p.Config, 1000)
		c.Seed = 7
		got := sum(generate(t, c))
		if got != want[p.Name] {
			t.Errorf("%q: %q, want %q", p.Name, got, want[p.Name])
		}
		c.Seed = 8
		if sum(generate(t, c)) == got {
			t.Errorf("%s: another seed gives the same records", p.Name)
		}
	}
}

func TestCountsAreKept(t *testing.T) {
	for _, p := range Presets() {
		c := small(p.Config, 2000)
		table, truth := generate(t, c)
		records := map[int32]int{}
		for _, person := range truth {
			records[person]++
		}
		if table.Rows != c.Records || len(records) != c.People {
			t.Errorf("%s: %d records of %d people, want %d of %d", p.Name, table.Rows, len(records), c.Records, c.People)
		}
		several := map[int]int{}
		for _, n := range records {
			several[n]++
		}
		if several[2] <= several[3] || several[3] < several[6] || several[7] > 0 || len(several) < 4 {
			t.Errorf("%s: people by number of records: %v", p.Name, several)
		}
	}
	// As many records as can be.
	c := small(Heavy50k(), 500)
	c.People = 100
	generate(t, c)
}

// Half of the fields of further records differ with heavy errors, one in eight
// with light ones, none without, and never none of all where there are errors.
func TestHowMuchIsTouched(t *testing.T) {
	for level, want := range map[Errors][2]int{None: {0, 0}, Light: {10, 18}, Heavy: {46, 60}} {
		c := Heavy50k()
		c.Errors, c.Seed = level, 5
		p := newPopulation(c)
		touched, all, copies := 0, 0, 0
		for range 5000 {
			one := p.next()
			p.live(&one, level.level())
			r := p.further(&one, level.level())
			if r == one.now {
				copies++
			}
			for f := range r {
				if one.now[f] != "" && field(f) != suffix {
					all++
					if r[f] != one.now[f] {
						touched++
					}
				}
			}
		}
		if percent := 100 * touched / all; percent < want[0] || percent > want[1] {
			t.Errorf("%s: %d %% of the fields are touched, want %v", level, percent, want)
		}
		if level != None && copies > 50 {
			t.Errorf("%s: %d of 5000 further records are copies", level, copies)
		}
	}
}

// Names are skewed as names are: the most frequent one of a hundred people or
// so, and many that are rare.
func TestNamesAreSkewed(t *testing.T) {
	c := small(Million(), 50_000)
	c.Flavour, c.Errors = English, None
	table, _ := generate(t, c)
	counts := make([]int, len(table.Columns[1].Values))
	for _, code := range table.Columns[1].Codes {
		counts[code]++
	}
	most, rare := 0, 0
	for _, n := range counts[1:] {
		most = max(most, n)
		if n < 50 {
			rare++
		}
	}
	if share := 1000 * most / table.Rows; share < 10 || share > 30 || rare < 500 {
		t.Errorf("the most frequent surname has %d of 1000, %d are rare", share, rare)
	}
}

func TestMissing(t *testing.T) {
	c := small(Sparse(), 10_000)
	c.Errors, c.Missing = None, .3
	table, _ := generate(t, c)
	for i, want := range []int{10, 10, 30, 30, 30} {
		empty := 0
		for _, code := range table.Columns[i].Codes {
			if code == 0 {
				empty++
			}
		}
		if percent := (100*empty + table.Rows/2) / table.Rows; percent < want-2 || percent > want+2 {
			t.Errorf("%s: %d %% are missing, want %d", table.Columns[i].Name, percent, want)
		}
	}
}

// Whom linkage must tell apart is there: twins, namesakes, couples with one
// telephone or mailbox, all at one address; and their own numbers differ.
func TestHouseholds(t *testing.T) {
	c := Million()
	c.Households = .5
	p := newPopulation(c)
	var before person
	found := map[string]int{}
	numbers := map[string]bool{}
	for range 20_000 {
		one := p.next()
		if numbers[one.now[number]] {
			t.Fatal("two people have one customer number")
		}
		numbers[one.now[number]] = true
		a, b := &before.now, &one.now
		home := a[street] == b[street] && a[house] == b[house] && a[postcode] == b[postcode]
		switch {
		case home && a[birth] == b[birth] && a[given] != b[given]:
			found["twins"]++
		case a[given] == b[given] && a[surname] == b[surname] && a[birth] < b[birth] && b[suffix] == "Jr" && a[suffix] == "Sr":
			found["namesakes"]++
		case home && a[phone] == b[phone]:
			found["one telephone"]++
		case home && a[email] == b[email]:
			found["one mailbox"]++
		case home:
			found["one home"]++
		}
		before = one
	}
	for _, what := range []string{"twins", "namesakes", "one telephone", "one mailbox", "one home"} {
		if found[what] < 100 {
			t.Errorf("%s: %d of 20 000 people", what, found[what])
		}
	}
	c.Households = 0
	p = newPopulation(c)
	for range 2000 {
		before, one := p.next(), p.next()
		if before.now[street] == one.now[street] && before.now[house] == one.now[house] && before.now[city] == one.now[city] {
			t.Fatal("a household where there is none")
		}
	}
}

func TestTwoFiles(t *testing.T) {
	c := small(Heavy50k(), 2000)
	c.TwoFiles = true
	table, truth := generate(t, c)
	left, all := map[int32]int{}, map[int32]int{}
	for row, source := range table.Source {
		if row > 0 && source < table.Source[row-1] {
			t.Fatal("the files are mixed")
		}
		if source == 0 {
			left[truth[row]]++
		}
		all[truth[row]]++
	}
	for person, n := range all {
		if n > 1 && left[person] != 1 || left[person] > 1 {
			t.Errorf("person %d has %d records, %d in the first file", person, n, left[person])
		}
	}
}

// Every kind of fault happens, and only with errors.
func TestFaultsHappen(t *testing.T) {
	c := small(Heavy50k(), 10)
	c.Seed = 3
	p := newPopulation(c)
	l := Heavy.level()
	found := map[string]int{}
	note := func(what string, is bool) {
		if is {
			found[what]++
		}
	}
	for range 30_000 {
		one := p.next()
		p.live(&one, l)
		r, was := p.further(&one, l), one.now
		note("swapped names", r[given] == was[surname] && r[surname] == was[given])
		note("initial", len(r[given]) > 0 && strings.TrimSuffix(r[given], ".") == was[given][:1])
		note("nickname", len(r[given]) > 0 && strings.Contains(strings.Join(one.flavour.nick[was[given]], ","), r[given]) && len(r[given]) > 2)
		note("double surname", strings.HasPrefix(r[surname], was[surname]+"-"))
		note("moved", r[street] == one.later[street] && r[street] != "")
		note("day and month", len(r[birth]) == 8 && r[birth] == was[birth][:4]+was[birth][6:]+was[birth][4:6] && r[birth] != was[birth])
		note("century", len(r[birth]) == 8 && r[birth][2:] == was[birth][2:] && r[birth][:2] != was[birth][:2])
		note("first of January", len(r[birth]) == 8 && r[birth][4:] == "0101" && was[birth][4:] != "0101")
		note("another column", r[phone] != "" && strings.Contains(r[phone], "@"))
		note("abroad", strings.HasPrefix(r[phone], "+"))
		note("another mailbox", strings.Contains(r[email], "@") && r[email] == one.later[email])
		note("letters of scanners", strings.ContainsAny(r[surname], "015"))
		note("ASCII", r[surname] != was[surname] && r[surname] == plain(was[surname], 0))
		note("abbreviated", strings.HasPrefix(r[street], "R. ") || strings.HasSuffix(r[street], " St") || strings.HasSuffix(r[street], "str."))
		note("cut", len(r[surname]) >= 3 && r[surname] != was[surname] && strings.HasPrefix(was[surname], r[surname]))
		note("missing", r[postcode] == "")
	}
	for _, what := range []string{
		"swapped names", "initial", "nickname", "double surname", "moved", "day and month", "century", "first of January", "another column", "abroad",
		"another mailbox", "letters of scanners", "ASCII", "abbreviated", "cut", "missing",
	} {
		if found[what] < 30 {
			t.Errorf("%s: %d of 30 000 further records", what, found[what])
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for text, change := range map[string]func(*Config){
		"records must be":    func(c *Config) { c.Records = 0 },
		"people must be":     func(c *Config) { c.People = c.Records + 1 },
		"more than five":     func(c *Config) { c.People = c.Records / 6 },
		"errors must be":     func(c *Config) { c.Errors = "many" },
		"unknown layout":     func(c *Config) { c.Layout = "x" },
		"flavour must be":    func(c *Config) { c.Flavour = "latin" },
		"missing values":     func(c *Config) { c.Missing = 1 },
		"share of people in": func(c *Config) { c.Households = 2 },
	} {
		c := Sparse()
		change(&c)
		if _, _, err := Generate(c); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
}

// Lists are of words that differ, so that Zipf's law is over names.
func TestListsHaveNoWordTwice(t *testing.T) {
	p := newPopulation(Million())
	for _, f := range p.flavours {
		for what, list := range map[string][]string{"men": f.given[0], "women": f.given[1], "surnames": strings.Fields(f.words.surnames), "cities": strings.Fields(f.words.cities), "streets": f.street} {
			seen := map[string]bool{}
			for _, w := range list {
				if seen[w] {
					t.Errorf("%s has %q twice among %s", f.domain[0], w, what)
				}
				seen[w] = true
			}
		}
		for name := range f.nick {
			if !strings.Contains(" "+strings.Join(strings.Fields(f.words.male+" "+f.words.female), " ")+" ", " "+name+" ") {
				t.Errorf("nobody is called %q", name)
			}
		}
	}
}

func TestTruthDoesNotFollowTheOrder(t *testing.T) {
	_, truth := generate(t, small(Heavy50k(), 1000))
	beside := 0
	for i := 1; i < len(truth); i++ {
		if truth[i] == truth[i-1] {
			beside++
		}
	}
	if beside > 20 {
		t.Errorf("%d records stand beside one of the same person", beside)
	}
}
