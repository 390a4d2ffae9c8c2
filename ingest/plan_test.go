package ingest

import "testing"

func TestPlanRoundTrips(t *testing.T) {
	p := plan{from: 7, to: 1_000_000}
	got, ok, err := parsePlan(p.String())
	if err != nil || !ok || got != p {
		t.Errorf("parsePlan(%q) = %v, %v, %v", p.String(), got, ok, err)
	}
	// Metadata from before tracking plans has no revision, and so has a range that
	// was planned without any.
	if p.String() != "plan 7-1000000" {
		t.Errorf("without plans: %q", p)
	}
	p.revision = 42
	if got, ok, err := parsePlan("plan 7-1000000@42"); err != nil || !ok || got != p || p.String() != "plan 7-1000000@42" {
		t.Errorf("with a revision: %v, %v, %v", got, ok, err)
	}
	if p.token("t", 1) != (plan{from: 7, to: 1_000_000}).token("t", 1) {
		t.Error("the token depends on the revision")
	}
	p.born = 1_700_000_000_123
	if got, ok, err := parsePlan("plan 7-1000000@42 of 1700000000123"); err != nil || !ok || got != p || p.String() != "plan 7-1000000@42 of 1700000000123" {
		t.Errorf("with a time: %v, %v, %v", got, ok, err)
	}
	p.form = "region=PT+plus"
	if got, ok, err := parsePlan("plan 7-1000000@42 by region=PT+plus of 1700000000123"); err != nil || !ok || got != p || p.String() != "plan 7-1000000@42 by region=PT+plus of 1700000000123" {
		t.Errorf("with a form: %v, %v, %v", got, ok, err)
	}
	if p.token("t", 1) == (plan{from: 7, to: 1_000_000, born: 1}).token("t", 1) {
		t.Error("ranges of two logs have one token")
	}
	if _, ok, err := parsePlan(""); ok || err != nil {
		t.Errorf("empty metadata: %v, %v", ok, err)
	}
	for _, bad := range []string{"plan", "plan 1", "plan 5-5", "plan 6-5", "plan -1-5", "7-9", "plan a-b", "{}", "plan 1-2@", "plan 1-2@x", "plan 1-2@-1", "plan 1@2-3", "plan 1-2@3@4", "plan 1-2 of ", "plan 1-2 of x", "plan 1-2 of 3@4", "plan 1-2 by ", "plan 1-2 by a b", "plan 1-2 by a@1"} {
		if _, _, err := parsePlan(bad); err == nil {
			t.Errorf("parsePlan(%q) succeeds", bad)
		}
	}
}
