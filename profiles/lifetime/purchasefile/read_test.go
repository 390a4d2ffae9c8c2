package purchasefile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/cells"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

func read(t *testing.T, text string, cfg Config) (*Log, error) {
	t.Helper()
	cfg.Path = filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(cfg.Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Read(t.Context(), cfg)
}

func columns() Config { return Config{ID: "id", Time: "date", Amount: "amount"} }

func TestRead(t *testing.T) {
	lines := "id,date,amount\n"
	for range 60 { // so that the faults are few
		lines += "z,1970-01-02,1\n"
	}
	lines += "b,1/2/1970,5\na,1970-01-05,10\na,1970-01-05,2\na,1970-01-09,20\na,1970-01-10,-25\nc,1970-01-03,-4\n,1970-01-03,1\nd,,1\nd,soon,1\nd,1970-01-03,\nd,1970-01-03,x\ne,1970-03-01,1\nz,1970-01-02,0\n"
	cfg := columns()
	cfg.Until, cfg.Dates = 40, cells.MonthFirst
	log, err := read(t, lines, cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]lifetime.Purchase{
		"z": {{Day: 1, Amount: 60}}, "b": {{Day: 1, Amount: 5}}, "a": {{Day: 4, Amount: 7}, {Day: 8, Amount: 0}},
	}
	got := map[string][]lifetime.Purchase{}
	for i, id := range log.IDs {
		got[id] = log.Histories[i]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	excluded := map[string]int{NoID: 1, NoDate: 1, BadDate: 1, NoAmount: 1, BadAmount: 1, AfterEnd: 1, OnlyRefunds: 1}
	if diff := cmp.Diff(excluded, log.Excluded); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if log.Lines != 73 || log.Refunds != 2 || log.Zeros != 1 || log.First != 1 || log.Last != 8 || strings.Join(log.IDs, "") != "zba" {
		t.Errorf("%+v", log)
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want string
		edit func(*Config)
	}{
		"empty":         {"", "is empty", nil},
		"header only":   {"id,date,amount\n", "no line of a purchase", nil},
		"unknown":       {"id,day,amount\n1,2,3\n", `no column "date"`, nil},
		"twice":         {"id,date,amount,date\n1,2,3,4\n", "several columns", nil},
		"same":          {"id,date\n1,2\n", "for two things", func(c *Config) { c.Amount = "date" }},
		"ambiguous":     {"id,date,amount\n1,1/2/2011,3\n", "--dates dmy", nil},
		"mostly bad":    {"id,date,amount\n1,2011-01-01,3\n2,x,3\n", "1 date unreadable (lines 3)", nil},
		"all later":     {"id,date,amount\n1,2011-01-01,3\n", "no purchase up to the end", func(c *Config) { c.Until = 5 }},
		"only refunds":  {"id,date,amount\n1,2011-01-01,-3\n", "no purchase", nil},
		"no id named":   {"id,date,amount\n1,2011-01-01,3\n", "for the customer", func(c *Config) { c.ID = "" }},
		"not a table":   {"{\"id\": 1}", "is JSON", nil},
		"huge amounts":  {"id,date,amount\n1,2011-01-01,1e300\n", "amount unreadable", nil},
		"two ways":      {"id,date,amount\n1,13/1/2011,3\n1,1/13/2011,3\n", "written in two ways", nil},
		"missing times": {"id,date,amount\n1,n/a,3\n", "no date", nil},
		"mostly guests": {"id,date,amount\n1,2011-01-01,3\n,2011-01-01,3\n,2011-01-02,3\n", "2 no id (lines 3, 4)", nil},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := columns()
			if c.edit != nil {
				c.edit(&cfg)
			}
			log, err := read(t, c.text, cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			// What was counted until then is told, and nobody is.
			if log != nil && (log.Lines != strings.Count(c.text, "\n")-1 || len(log.IDs) > 0 || len(log.Histories) > 0) {
				t.Errorf("%+v", log)
			}
			if bad := map[string]string{"mostly bad": BadDate, "missing times": NoDate, "huge amounts": BadAmount}[name]; bad != "" && (log == nil || log.Excluded[bad] != 1) {
				t.Errorf("%+v", log)
			}
		})
	}
}

// Orders of guests, up to half of all, are left out and counted.
func TestGuests(t *testing.T) {
	log, err := read(t, "id,date,amount\n1,2011-01-01,3\n,2011-01-02,3\n", columns())
	if err != nil || len(log.IDs) != 1 || log.Excluded[NoID] != 1 {
		t.Errorf("%+v, %v", log, err)
	}
}

// A refund that comes after the day that a fit may know of leaves what was known
// on it alone; it comes off the purchases after that day.
func TestSplit(t *testing.T) {
	cfg := columns()
	cfg.Split = 5
	log, err := read(t, "id,date,amount\na,1970-01-02,10\na,1970-01-03,-1\na,1970-01-09,20\na,1970-01-10,-25\n", cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := []lifetime.Purchase{{Day: 1, Amount: 9}, {Day: 8, Amount: 0}}
	if diff := cmp.Diff(want, log.Histories[0]); diff != "" || log.UnmatchedRefunds != 5 {
		t.Errorf("%v unmatched (-want +got)\n%s", log.UnmatchedRefunds, diff)
	}
}

// Costs are known by line: an empty one is unknown, what is sent back takes its
// share along, and what comes after the split is not looked at.
func TestCosts(t *testing.T) {
	cfg := columns()
	cfg.Cost, cfg.Split = "cost", 8
	log, err := read(t, "id,date,amount,cost\nb,1970-01-02,10,4\na,1970-01-02,10,6\na,1970-01-02,10,\na,1970-01-03,-5,\na,1970-01-05,8,10\na,1970-01-12,100,1\nb,1970-01-02,1,soon\nz,1970-01-02,1,1\nz,1970-01-02,1,1\nz,1970-01-02,1,1\nz,1970-01-02,1,1\nz,1970-01-02,1,1\n", cfg)
	if err != nil {
		t.Fatal(err)
	}
	type sums struct{ Revenue, Covered, Contribution float64 }
	got := map[string]sums{}
	for i, id := range log.IDs {
		e := log.Earnings[i]
		got[id] = sums{e.Revenue, e.Covered, e.Contribution}
	}
	want := map[string]sums{"b": {10, 10, 6}, "a": {23, 15.5, 1}, "z": {5, 5, 0}}
	if diff := cmp.Diff(want, got); diff != "" || log.Excluded[BadCost] != 1 {
		t.Errorf("excluded %v (-want +got)\n%s", log.Excluded, diff)
	}
}
