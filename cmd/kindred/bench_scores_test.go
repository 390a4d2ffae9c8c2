package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// What is measured is the work that is described: every customer is scored, the
// fit finds what the customers were made with, and the trees learn.
func TestBenchScores(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and tests of what it measures see their goroutines")
	}
	top := root()
	var out strings.Builder
	top.SetOut(&out)
	top.SetArgs([]string{"bench", "scores", "--json", "--customers", "20000", "--rows", "4000", "--columns", "6", "--trees", "10", "--shop", "3000"})
	before := os.Stderr
	quiet, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	os.Stderr = quiet
	defer func() { os.Stderr = before }()
	if err := top.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var f scoresFigures
	if err := json.Unmarshal([]byte(out.String()), &f); err != nil {
		t.Fatal(err)
	}
	if f.Scored != 20000 || f.Repeaters < 5000 || f.Worst > .3 || f.AUC < .7 || f.Fit <= 0 || f.Score <= 0 || f.Grow <= 0 || f.Predict <= 0 {
		t.Errorf("%+v", f)
	}
	if s := f.Shop; s == nil || s.Customers != 3000 || s.Orders < 5000 || s.Lines < s.Orders || s.Valued != 3000 || s.Told == 0 && s.NextRefused == "" || s.Value.Seconds <= 0 || s.Next.Seconds <= 0 || s.Next.EnginePeak == 0 {
		t.Errorf("%+v", s)
	}
	for _, args := range [][]string{{"--customers", "5"}, {"--columns", "2"}, {"--shop", "7"}} {
		top := root()
		top.SetArgs(append([]string{"bench", "scores"}, args...))
		if err := top.ExecuteContext(t.Context()); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}
