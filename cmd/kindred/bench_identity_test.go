package main

import (
	"encoding/json"
	"testing"
)

// TestBenchIdentity runs the benchmark over a small population: every answer of
// identity on the way is checked by the benchmark itself, and no time is.
func TestBenchIdentity(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	t.Parallel()
	out, err := kindred(t, t.TempDir(), "bench", "identity", "--identifiers", "6000", "--runs", "3", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var f identityFigures
	if err := json.Unmarshal(out, &f); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if p := f.Population; p.Identifiers < 6000 || p.Pairs < 3*999 || p.Rows <= p.Identifiers+p.Pairs {
		t.Errorf("population = %+v", p)
	}
	if f.Reload <= 0 || f.BytesEach <= 0 || f.DryRun.Seconds <= 0 || f.Rules.EvidenceMS <= 0 {
		t.Errorf("a figure is missing: %s", out)
	}
	if f.WhySame.Runs != 3 || f.Unmerge.Runs != 3 {
		t.Errorf("runs of why %d, of unmerge %d", f.WhySame.Runs, f.Unmerge.Runs)
	}
	if f.WhyEngine.Runs != 3 || f.WhyEngine.P50 <= 0 || f.WhyWaited.Runs != 3 {
		t.Errorf("of why the engine took %v, and waited %v", f.WhyEngine, f.WhyWaited)
	}
}
