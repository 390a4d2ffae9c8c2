package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// customersFile writes invented customers by month: who visits and has a plan of
// gold buys; the outcome is told by a column that is known afterwards.
func customersFile(t *testing.T) string {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	t.Log("seed 1, 2")
	var b strings.Builder
	b.WriteString("customer,month,visits,plan,age,invoice,bought\n")
	for i := range 1200 {
		visits, plan, age := r.IntN(20), []string{"gold", "tin", "none"}[r.IntN(3)], 20+r.IntN(60)
		buys, invoice := float64(visits)/20-.6, ""
		if plan == "gold" {
			buys += .4
		}
		bought := "no"
		if r.Float64() < buys+.2+float64(age%7)/20 {
			bought, invoice = "yes", fmt.Sprint(100+r.IntN(50))
		}
		if i >= 1190 {
			bought = ""
		}
		fmt.Fprintf(&b, "c%d,2025-%02d-01,%d,%s,%d,%s,%s\n", i, 1+i/100, visits, plan, age, invoice, bought)
	}
	return writeFiles(t, map[string]string{"a.csv": b.String()})
}

func TestPropensityFile(t *testing.T) {
	dir := customersFile(t)
	args := []string{"propensity", "--input", dir + "/a.csv", "--target", "bought", "--id", "customer", "--time", "month", "--out", dir + "/p.csv", "--card", dir + "/card.txt", "--model", "logistic", "--json"}
	out, err := runLink(t, args...)
	if err == nil || !strings.Contains(err.Error(), "invoice alone") || !strings.Contains(err.Error(), "--allow") {
		t.Errorf("the invoice did not stop it: %v", err)
	}
	var r propensityReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if !r.Stopped || len(r.Leaks) != 1 || r.Leaks[0].Feature != "invoice" || r.Metrics != nil {
		t.Errorf("%s", out)
	}
	if _, err := os.Stat(dir + "/p.csv"); err == nil {
		t.Error("predictions of a stopped model were written")
	}
	args = append(args, "--drop", "Invoice", "--allow", "plan,visits")
	if out, err = runLink(t, args...); err != nil {
		t.Fatal(err)
	}
	r = propensityReport{}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.AUC < .6 || r.ECE > .15 || r.Judged < 250 || r.New != 10 || r.Positive != "yes" || r.Seconds <= 0 || r.Baselines["base_rate"].LogLoss == 0 || r.Parts[0].Model != "logistic" || len(r.Drift) == 0 {
		t.Errorf("%s", out)
	}
	for _, name := range []string{`"auc"`, `"log_loss"`, `"brier"`, `"ece"`, `"lift"`, `"baselines"`, `"leaks"`, `"seconds"`} {
		if !strings.Contains(out, "\n  "+name) {
			t.Errorf("the answer has no %s", name)
		}
	}
	first := read(t, dir+"/p.csv")
	checkPredictions(t, first)
	if card := read(t, dir+"/card.txt"); !strings.Contains(card, "Model card") || !strings.Contains(card, "visits") || !strings.Contains(card, "EXPECTED") {
		t.Errorf("card %s", card)
	}
	text, err := runLink(t, args[:len(args)-5]...)
	if err == nil || text != "" {
		t.Errorf("stopped, and prints %q: %v", text, err)
	}
	text, err = runLink(t, append(args, "--json=false")...)
	if err != nil || !strings.HasPrefix(text, "bought yes: ") {
		t.Errorf("%v %s", err, text)
	}
	if read(t, dir+"/p.csv") != first {
		t.Error("the same run gives other predictions")
	}
}

func checkPredictions(t *testing.T, text string) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	sets := map[string]int{}
	for _, l := range lines[1:] {
		sets[l[2]]++
		if p, err := strconv.ParseFloat(l[1], 64); err != nil || !(p > 0 && p < 1) {
			t.Fatalf("%v", l)
		}
	}
	if strings.Join(lines[0], ",") != "id,probability,set" || len(lines) != 1201 || lines[1][0] != "c0" || sets["new"] != 10 || sets["holdout"] < 250 || sets["train"] < 800 {
		t.Errorf("%d lines, header %v, %v", len(lines), lines[0], sets)
	}
}

func TestPropensityRefuses(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"a.csv": "id,t,y,x\n1,2011-01-01,1,3\n2,2011-01-02,0,4\n", "one.csv": "y,x\n1,2\n1,3\n", "empty.csv": "", "header.csv": "y,x\n",
	})
	good := []string{"--input", dir + "/a.csv", "--target", "y", "--out", dir + "/p.csv"}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"few":             {good, "at least 50 of each"},
		"no input":        {[]string{"--target", "y"}, "--input"},
		"no target":       {[]string{"--input", "a.csv"}, "--target"},
		"unknown target":  {append(good, "--target", "z"), `no column "z"`},
		"unknown drop":    {append(good, "--drop", "z"), `no column "z"`},
		"unknown allow":   {append(good, "--allow", "z"), `no column "z"`},
		"unknown id":      {append(good, "--id", "z"), `no column "z"`},
		"unknown time":    {append(good, "--time", "z"), `no column "z"`},
		"time and order":  {append(good, "--time", "t", "--ordered"), "exclude each other"},
		"folds, holdout":  {append(good, "--folds", "5", "--holdout", ".2"), "exclude each other"},
		"model":           {append(good, "--model", "magic"), "magic"},
		"holdout":         {append(good, "--holdout", "1"), "holdout must"},
		"folds":           {append(good, "--folds", "1"), "folds must"},
		"positive":        {append(good, "--positive", "7"), "no row has the value"},
		"one answer":      {append(good, "--input", dir+"/one.csv"), "the same answer"},
		"empty":           {append(good, "--input", dir+"/empty.csv"), "is empty"},
		"header only":     {append(good, "--input", dir+"/header.csv"), "no record"},
		"monotone":        {append(good, "--monotone", "x"), "is not column=up"},
		"output is input": {append(good, "--out", dir+"/a.csv"), "would be overwritten"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runLink(t, append([]string{"propensity"}, c.args...)...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if _, err := os.Stat(dir + "/p.csv"); err == nil {
				t.Error("something was written")
			}
		})
	}
}

// What is refused says so in the answer as well, with what was counted until then.
func TestPropensityRefusalsAreTold(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"few.csv": "y,x,k,t\n1,3,7,2011-01-01\n0,4,7,2011-01-02\n,5,7,2011-01-03\n", "one.csv": "y,x\n1,2\n1,3\n", "constant.csv": "y,x\n1,\n0,\n", "no time.csv": "y,x,t\n1,2,soon\n0,3,\n", "empty.csv": "",
	})
	for name, want := range map[string]struct {
		refused              string
		rows, labelled, news int
	}{
		"few":      {"at least 50 of each", 3, 2, 1},
		"one":      {"the same answer", 2, 2, 0},
		"no time":  {"no date that can be read in 2 of 2 rows", 2, 0, 0},
		"constant": {"no column is left", 2, 2, 0},
		"empty":    {"is empty", 0, 0, 0},
	} {
		out, err := runLink(t, "propensity", "--input", dir+"/"+name+".csv", "--target", "y", "--out", dir+"/p.csv", "--json", "--time="+map[string]string{"no time": "t"}[name])
		var r propensityReport
		if failed := json.Unmarshal([]byte(out), &r); err == nil || failed != nil || r.Refused != err.Error() {
			t.Fatalf("%s: %v, %v: %s", name, err, failed, out)
		}
		if !strings.Contains(r.Refused, want.refused) || r.Rows != want.rows || r.Labelled != want.labelled || r.New != want.news || r.Stopped || r.Metrics != nil {
			t.Errorf("%s: %s", name, out)
		}
		if name == "no time" && (len(r.Excluded) != 2 || r.Excluded[0].Rows != 1 || r.Excluded[1].Rows != 1) || name == "constant" && (len(r.Excluded) != 1 || r.Excluded[0].Column != "x") {
			t.Errorf("%s: %s", name, out)
		}
	}
}
