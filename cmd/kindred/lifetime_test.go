package main

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"maps"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

// cdnowFile writes the CDNOW sample as a table with a header.
func cdnowFile(t *testing.T) string {
	t.Helper()
	f, err := os.Open("../../profiles/lifetime/testdata/CDNOW_sample.txt.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("customer,date,cds,dollars\n")
	for s := bufio.NewScanner(z); s.Scan(); {
		if l := strings.Fields(s.Text()); len(l) == 5 {
			b.WriteString(l[1] + "," + l[2] + "," + l[3] + "," + l[4] + "\n")
		}
	}
	return writeFiles(t, map[string]string{"cdnow.csv": b.String()})
}

// The promise on CDNOW, in the file as in the answer: no number of the scores
// is negative or not finite, and the holdout is met.
func TestLifetimeOnCDNOW(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and tests of package lifetime see its goroutines")
	}
	dir := cdnowFile(t)
	run := func(more ...string) lifetimeReport {
		t.Helper()
		args := append([]string{"lifetime", "--input", dir + "/cdnow.csv", "--id", "customer", "--time", "date", "--calibration-end", "1997-09-30", "--out", dir + "/scores.csv", "--json"}, more...)
		out, err := runLink(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		var r lifetimeReport
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := run("--amount", "dollars", "--holdout-end", "1998-06-30")
	h := r.Holdout
	t.Logf("%s %v, %+v, %+v", r.Model, r.Parameters, r.Selection, h)
	if h == nil || h.Purchases != 1882 || h.RMSE > 1.61 || h.MAE > .79 || math.Abs(h.TotalBias) > .17 || h.Coverage < .9 || h.GiniTransactions < .65 || h.GiniMoney < max(.665, h.Baselines["past_rate"].GiniMoney) {
		t.Errorf("holdout %+v", h)
	}
	if r.Customers != 2357 || r.Horizon != 39 || r.ValueHorizon != 39 || r.Unscored != 0 || r.Spend == nil || r.Spend.Model != "gammagamma_all" || len(r.Spend.Selection.Candidates) != 3 || r.Selection == nil {
		t.Errorf("%+v", r)
	}
	if math.Abs(h.Baselines["past_rate"].MAE-1.0237) > .001 {
		t.Errorf("baselines %+v", h.Baselines)
	}
	// All of them came in the first quarter of 1997.
	var all lifetimeCohort
	held := cohortHoldout{}
	for i, c := range r.Cohorts {
		if c.Begin != []string{"1997-01", "1997-02", "1997-03"}[i] || !(c.Alive > 0) || c.Alive > float64(c.Customers) || !(c.Value > 0) || c.Holdout == nil {
			t.Fatalf("cohort %+v", c)
		}
		all.Customers, all.Repeaters, all.Expected = all.Customers+c.Customers, all.Repeaters+c.Repeaters, all.Expected+c.Expected
		held.Purchases, held.Expected = held.Purchases+c.Holdout.Purchases, held.Expected+c.Holdout.Expected
	}
	if len(r.Cohorts) != 3 || all.Customers != 2357 || all.Repeaters != r.Repeaters || held.Purchases != h.Purchases || math.Abs(held.Expected-h.Expected) > 1e-6 || math.Abs(all.Expected-h.Expected) > 1e-6 {
		t.Errorf("%d cohorts add up to %+v and %+v", len(r.Cohorts), all, held)
	}
	first := checkScores(t, dir+"/scores.csv", 2357)
	again := run("--amount", "dollars", "--holdout-end", "1998-06-30")
	if second := checkScores(t, dir+"/scores.csv", 2357); second != first || again.LogLikelihood != r.LogLikelihood {
		t.Error("the same run gives other scores")
	}
	// The choice of the model must not know of the holdout.
	if without := run("--amount", "dollars", "--horizon", "39"); without.Model != r.Model || checkScores(t, dir+"/scores.csv", 2357) != first {
		t.Error("the holdout changes the scores")
	}
	// The model as published, where it is named.
	if p := run("--amount", "dollars", "--spend", "gammagamma", "--model", "bgnbd"); math.Abs(p.Spend.Parameters["p"]-6.25) > .01 || p.Spend.Selection != nil || p.Selection != nil {
		t.Errorf("%+v", p.Spend)
	}
	r = run("--model", "bgnbd")
	if math.Abs(r.Parameters["alpha"]-4.414) > .001 || math.Abs(r.LogLikelihood+9582.429) > .001 || r.Spend != nil || r.Horizon != 52 {
		t.Errorf("%+v", r)
	}
	if s := read(t, dir+"/scores.csv"); !strings.Contains(s, ",,,") {
		t.Error("without amounts there is a value")
	}
}

func checkScores(t *testing.T, path string, rows int) string {
	t.Helper()
	text := read(t, path)
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(lines[0], ",") != "id,frequency,recency,T,p_alive,expected_purchases,expected_spend,value,low,high" || len(lines) != rows+1 {
		t.Fatalf("%d lines, header %v", len(lines), lines[0])
	}
	for _, l := range lines[1:] {
		var v [10]float64
		for i, cell := range l[1:] {
			n, err := strconv.ParseFloat(cell, 64)
			if err != nil || n < 0 || math.IsNaN(n) || math.IsInf(n, 0) {
				t.Fatalf("%v", l)
			}
			v[i+1] = n
		}
		if v[4] > 1 || v[2] > v[3] || v[8] > v[9] {
			t.Fatalf("%v", l)
		}
	}
	return text
}

// With costs there are margins beside the value; where few costs are known there
// are none, and the answer says so.
func TestLifetimeMargins(t *testing.T) {
	dir := cdnowFile(t)
	lines := strings.Split(strings.TrimSpace(read(t, dir+"/cdnow.csv")), "\n")
	lines[0] += ",cost"
	for i := 1; i < len(lines); i++ {
		amount, err := strconv.ParseFloat(lines[i][strings.LastIndexByte(lines[i], ',')+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		lines[i] += ","
		if i%4 != 0 { // of a quarter the cost is unknown
			lines[i] += strconv.FormatFloat(.75*amount, 'f', 4, 64)
		}
	}
	dir = writeFiles(t, map[string]string{"cost.csv": strings.Join(lines, "\n") + "\n"})
	run := func(known string) (r lifetimeReport) {
		t.Helper()
		out, err := runLink(t, "lifetime", "--input", dir+"/cost.csv", "--id", "customer", "--time", "date", "--amount", "dollars", "--cost", "cost", "--model", "bgnbd", "--spend", "gammagamma_all", "--min-known", known, "--out", dir+"/scores.csv", "--json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	m := run("0.7").Margin
	if m == nil || m.Refused != "" || math.Abs(m.Mean-.25) > .001 || math.Abs(m.KnownShare-.75) > .02 || math.Abs(m.MarginValue-.25*m.Value) > .001*m.Value || m.Contributed.Upper < 1.5*m.Contributed.Value {
		t.Errorf("%+v", m)
	}
	if s := read(t, dir+"/scores.csv"); !strings.Contains(s, "low,high,margin,margin_value,known\n") || !strings.Contains(s, ",0.000000\n") {
		t.Error("no margins in the scores")
	}
	if m := run("0.9").Margin; m == nil || !strings.Contains(m.Refused, "at least they must be") || m.MarginValue != 0 {
		t.Errorf("%+v", m)
	}
	if s := read(t, dir+"/scores.csv"); strings.Contains(s, "margin") {
		t.Error("margins without costs")
	}
}

func TestLifetimeRefuses(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.csv": "id,date,amount\n1,2011-01-01,5\n2,2011-02-01,6\n", "header.csv": "id,date\n", "empty.csv": "",
	})
	good := []string{"--input", dir + "/a.csv", "--id", "id", "--time", "date", "--out", dir + "/s.csv"}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"too few":          {good, "at least 100 are needed"},
		"no input":         {[]string{"--id", "id"}, "--input"},
		"no such file":     {append(good, "--input", dir+"/none.csv"), "none.csv"},
		"no such column":   {append(good, "--id", "idd"), `did you mean "id"?`},
		"amount of none":   {append(good, "--amount", "price"), `no column "price"`},
		"empty":            {append(good, "--input", dir+"/empty.csv"), "is empty"},
		"header only":      {append(good, "--input", dir+"/header.csv"), "no line of a purchase"},
		"unit":             {append(good, "--unit", "year"), "--unit is"},
		"model":            {append(good, "--model", "magic"), "--model is"},
		"cost alone":       {append(good, "--cost", "amount"), "--cost needs --amount"},
		"cost and margin":  {append(good, "--amount", "amount", "--cost", "c", "--margin", ".3"), "two ways"},
		"spend":            {append(good, "--spend", "magic"), "--spend is"},
		"date":             {append(good, "--calibration-end", "31/12/2011"), "is a date such as"},
		"order of ends":    {append(good, "--calibration-end", "2011-02-01", "--holdout-end", "2011-01-01"), "must come after"},
		"holdout alone":    {append(good, "--holdout-end", "2011-03-01"), "needs --calibration-end"},
		"horizon":          {append(good, "--horizon", "-1"), "--horizon"},
		"confidence":       {append(good, "--confidence", "2"), "confidence"},
		"before the data":  {append(good, "--calibration-end", "2001-02-01"), "no purchase up to the end"},
		"output is input":  {append(good, "--out", dir+"/a.csv"), "would be overwritten"},
		"nowhere to write": {append(good, "--out", dir+"/none/s.csv"), "no folder"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runLink(t, append([]string{"lifetime"}, c.args...)...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if _, err := os.Stat(dir + "/s.csv"); err == nil {
				t.Error("something was written")
			}
		})
	}
}

// What is refused says so in the answer as well, with what was counted until then.
func TestLifetimeRefusalsAreTold(t *testing.T) {
	few := "id,date,amount\n1,2011-01-01,5\n2,2011-02-01,0\n3,2011-02-01,-6\n"
	dir := writeFiles(t, map[string]string{
		"few.csv": few, "bad.csv": few + "4,soon,5\n5,,5\n6,2011-01-01,much\n", "empty.csv": "", "header.csv": "id,date,amount\n",
	})
	for name, want := range map[string]struct {
		refused            string
		lines, zeros       int
		customers, refunds int
		excluded           map[string]int
	}{
		"few":    {"at least 100 are needed", 3, 1, 2, 1, map[string]int{"customer_without_purchase": 1}},
		"bad":    {"3 of 6 lines cannot be used", 6, 1, 0, 1, map[string]int{"no_date": 1, "date_unreadable": 1, "amount_unreadable": 1}},
		"empty":  {"is empty", 0, 0, 0, 0, map[string]int{}},
		"header": {"no line of a purchase", 0, 0, 0, 0, map[string]int{}},
	} {
		out, err := runLink(t, "lifetime", "--input", dir+"/"+name+".csv", "--id", "id", "--time", "date", "--amount", "amount", "--calibration-end", "2011-02-01", "--model", "bgnbd", "--out", dir+"/s.csv", "--json")
		var r lifetimeReport
		if failed := json.Unmarshal([]byte(out), &r); err == nil || failed != nil || r.Refused != err.Error() {
			t.Fatalf("%s: %v, %v: %s", name, err, failed, out)
		}
		if !strings.Contains(r.Refused, want.refused) || r.Lines != want.lines || r.ZeroAmounts != want.zeros || r.Customers != want.customers || r.Refunds != want.refunds || !maps.Equal(r.Excluded, want.excluded) {
			t.Errorf("%s: %s", name, out)
		}
		if _, err := os.Stat(dir + "/s.csv"); err == nil {
			t.Error("something was written")
		}
	}
}

// Customers who say nothing of amounts are counted by reason beside the model of them.
func TestLifetimeCountsAmounts(t *testing.T) {
	dir := cdnowFile(t)
	lines := strings.Split(strings.TrimSpace(read(t, dir+"/cdnow.csv")), "\n")
	for i := 1; i < len(lines); i++ {
		if customer := lines[i][:strings.IndexByte(lines[i], ',')]; customer < "0100" {
			lines[i] = lines[i][:strings.LastIndexByte(lines[i], ',')] + ",0"
		}
	}
	dir = writeFiles(t, map[string]string{"zero.csv": strings.Join(lines, "\n") + "\n"})
	out, err := runLink(t, "lifetime", "--input", dir+"/zero.csv", "--id", "customer", "--time", "date", "--amount", "dollars", "--calibration-end", "1997-09-30", "--model", "bgnbd", "--spend", "gammagamma", "--out", dir+"/s.csv", "--json")
	if err != nil {
		t.Fatal(err)
	}
	var r lifetimeReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	// What is likely to be no date or no amount is named.
	for line, want := range map[string]string{"9999,19000101,1,5\n": "1 customer bought long before all others, who begin on 1997-01-02: if 1900-01-01", "9999,19970105,1,99999999999\n": "100 % of all money"} {
		if err := os.WriteFile(dir+"/odd.csv", []byte(strings.Join(lines, "\n")+"\n"+line), 0o600); err != nil {
			t.Fatal(err)
		}
		odd, err := runLink(t, "lifetime", "--input", dir+"/odd.csv", "--id", "customer", "--time", "date", "--amount", "dollars", "--model", "bgnbd", "--spend", "gammagamma", "--out", dir+"/s.csv", "--json")
		if err != nil || !strings.Contains(odd, want) || strings.Contains(out, want) {
			t.Errorf("%v, no %q: %s", err, want, odd)
		}
	}
	e := r.Spend.Excluded
	if r.ZeroAmounts < 99 || e[lifetime.NoRepeat] != 1411 || e[lifetime.NoAmount] == 0 || r.Spend.Customers+e[lifetime.NoRepeat]+e[lifetime.NoAmount] != r.Customers {
		t.Errorf("%d customers, %d zero amounts, spend of %d, without %v", r.Customers, r.ZeroAmounts, r.Spend.Customers, e)
	}
}
