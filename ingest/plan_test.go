package ingest

import "testing"

func TestPlanRoundTrips(t *testing.T) {
	p := plan{from: 7, to: 1_000_000}
	got, ok, err := parsePlan(p.String())
	if err != nil || !ok || got != p {
		t.Errorf("parsePlan(%q) = %v, %v, %v", p.String(), got, ok, err)
	}
	if _, ok, err := parsePlan(""); ok || err != nil {
		t.Errorf("empty metadata: %v, %v", ok, err)
	}
	for _, bad := range []string{"plan", "plan 1", "plan 5-5", "plan 6-5", "plan -1-5", "7-9", "plan a-b", "{}"} {
		if _, _, err := parsePlan(bad); err == nil {
			t.Errorf("parsePlan(%q) succeeds", bad)
		}
	}
}
