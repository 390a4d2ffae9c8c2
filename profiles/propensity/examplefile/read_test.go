package examplefile

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles/cells"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

func read(t *testing.T, text string, cfg Config) (*File, error) {
	t.Helper()
	cfg.Path = filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(cfg.Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Read(t.Context(), cfg)
}

// odd is a file of 400 rows with whatever people export.
func odd() string {
	var b strings.Builder
	b.WriteString("customer,as_of,y,amount,plan,since,code,note,empty,amount,serial id,later\n")
	for i := range 400 {
		amount := fmt.Sprintf("%d.5", i%50)
		switch i {
		case 3:
			amount = "n/a"
		case 4:
			amount = "lots"
		case 5:
			amount = strings.Repeat("9", 5000)
		}
		as, y := fmt.Sprintf("2011-02-%02d", 1+i%28), []string{"No", "Yes"}[i%2]
		switch i {
		case 7:
			as = ""
		case 8:
			as = "never"
		case 9:
			y = ""
		}
		fmt.Fprintf(&b, "c%d,%s,%s,%s,%s,2011-01-%02d,%s,note %d of all,,1,%d,2011-02-%02d\n", i%399, as, y, amount, []string{"gold", "tin", "7"}[i%3], 1+i%28, []string{"1", "2"}[i%2], i, i, 5)
	}
	return b.String()
}

func TestReadOdd(t *testing.T) {
	f, err := read(t, odd(), Config{Target: "Y", ID: "customer", Time: "as_of", Drop: []string{"code"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []propensity.Exclusion{
		{Column: "code", Reason: DroppedByYou},
		{Column: "amount", Reason: DoubledName},
		{Rows: 1, Reason: NoTime},
		{Rows: 1, Reason: BadTime},
		{Column: "note", Reason: AllDiffer},
		{Column: "empty", Reason: NoValue},
		{Column: "serial id", Reason: Identifier},
	}
	if diff := cmp.Diff(want, f.Excluded); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var names []string
	for _, c := range f.Table.Columns {
		names = append(names, c.Name+" "+string(c.Kind))
	}
	if diff := cmp.Diff([]string{"amount numeric", "plan category", "since numeric", "later numeric"}, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"amount": 2}, f.Unreadable); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(f.Labelled) != 397 || len(f.New) != 1 || f.New[0] != 9 || f.Rows != 400 || f.Positive != "Yes" || f.DoubledIDs != 1 || f.Disordered < 300 || !f.Y[1] || f.Y[0] {
		t.Errorf("%d labelled, new %v, %+v", len(f.Labelled), f.New, f.Disordered)
	}
	c := f.Table.Columns
	if c[0].Numbers[2] != 2.5 || !math.IsNaN(c[0].Numbers[3]) || !math.IsNaN(c[0].Numbers[5]) {
		t.Errorf("amounts %v", c[0].Numbers[:6])
	}
	if got := c[1].Levels[c[1].Codes[2]]; got != "7" {
		t.Errorf("plan of row 2 is %q", got)
	}
	// Days before the time of the row; those after it are counted.
	if c[2].Numbers[0] != 31 || c[2].KnownLater != 0 || c[3].KnownLater < 50 {
		t.Errorf("since %v, later %d", c[2].Numbers[0], c[3].KnownLater)
	}
	if err := f.Table.Validate(); err != nil {
		t.Error(err)
	}
}

func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		values   string
		positive string
		want     string // the value that is yes, or a part of the error
	}{
		"numbers":        {"0 1 0", "", "1"},
		"words":          {"no Yes no", "", "Yes"},
		"truth":          {"TRUE FALSE", "", "TRUE"},
		"names":          {"stays leaves", "", "--positive"},
		"named":          {"stays leaves", "LEAVES", "leaves"},
		"three":          {"a b c", "", "3 values"},
		"three, one yes": {"a b c", "b", "b"},
		"not there":      {"a b", "x", `no row has the value "x"; the values are "a" (1), "b" (1)`},
		"number forms":   {"0 1.0 1", "1", "1"},
		"one":            {"yes yes", "", "the same answer"},
		"one, named":     {"yes yes", "yes", "the same answer"},
		"none":           {"NA NA", "", "no row has an answer"},
		"both yes":       {"yes true", "", "--positive"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "y,x\n"
			for i, v := range strings.Fields(c.values) {
				text += fmt.Sprintf("%s,%d\n", v, i)
			}
			f, err := read(t, text, Config{Target: "y", Positive: c.positive})
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
				return
			}
			if f.Positive != c.want {
				t.Errorf("yes is %q, want %q", f.Positive, c.want)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	good := "id,t,y,x\n1,2011-01-01,1,3\n2,2011-01-02,0,4\n"
	for name, c := range map[string]struct {
		text string
		cfg  Config
		want string
	}{
		"empty":           {"", Config{Target: "y"}, "is empty"},
		"header only":     {"y,x\n", Config{Target: "y"}, "no record"},
		"no target":       {good, Config{}, "for the target"},
		"unknown target":  {good, Config{Target: "z"}, `no column "z"; the columns are "id", "t", "y", "x"`},
		"unknown id":      {good, Config{Target: "y", ID: "ids"}, `did you mean "id"?`},
		"unknown drop":    {good, Config{Target: "y", Drop: []string{"q"}}, `no column "q"`},
		"target twice":    {"y,y,x\n1,0,3\n", Config{Target: "y"}, "two columns are named"},
		"one for two":     {good, Config{Target: "y", ID: "y"}, "is the target already"},
		"bad times":       {good, Config{Target: "y", Time: "x"}, "no date that can be read"},
		"ambiguous times": {"t,y,x\n1/2/2011,1,3\n3/4/2011,0,4\n", Config{Target: "y", Time: "t"}, "--dates dmy"},
		"nothing left":    {"y,x\n1,\n0,\n", Config{Target: "y"}, "no column is left"},
		"a workbook":      {"PK\x03\x04", Config{Target: "y"}, "Excel"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := read(t, c.text, c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// Dates without a time of the row are days since 1970, compact ones too; text in
// another encoding is a warning.
func TestDatesAndEncodings(t *testing.T) {
	f, err := read(t, "y,d,e,c\n1,2/1/1970,19700103,caf\xe9\n0,13/1/1970,19700104,caf\xc3\xa9\n1,,,b\n", Config{Target: "y", Dates: cells.Auto})
	if err != nil {
		t.Fatal(err)
	}
	c := f.Table.Columns
	if c[0].Numbers[0] != 1 || c[0].Numbers[1] != 12 || !math.IsNaN(c[0].Numbers[2]) || c[1].Numbers[0] != 2 || c[1].Numbers[1] != 3 {
		t.Errorf("%v, %v", c[0].Numbers, c[1].Numbers)
	}
	if c[2].Codes[0] != c[2].Codes[1] || len(f.Warnings) != 1 || f.Warnings[0].Code != "encoding" {
		t.Errorf("%v %v, %v", c[2].Levels, c[2].Codes, f.Warnings)
	}
}
