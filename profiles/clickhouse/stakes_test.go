package clickhouse_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
)

// TestStakes: the events of a profile are those that its view counts, and its
// value is the score that its view shows.
func TestStakes(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	ctx := context.Background()
	store, w := newStore(t)
	ana, ben := anaAndBen(w)
	at := day.Add(20 * time.Hour)
	const value = "lifetime_value_1y"
	w.Score(
		clickhousetest.Score{Profile: ana, Name: value, Model: "m", AsOf: day, ComputedAt: at.Add(-time.Hour), Value: 90},
		clickhousetest.Score{Profile: ana, Name: value, Model: "m", AsOf: day, ComputedAt: at, Value: 120},
		clickhousetest.Score{Profile: ben, Name: value, Model: "m", AsOf: day, ComputedAt: at.Add(-time.Hour), Value: 60},
		clickhousetest.Score{Profile: 0, Name: value, Model: "m", AsOf: day, ComputedAt: at},
	)
	w.Flush(ctx)
	before := identity.ProfileID(w.Key("email:ana@example.com")) // Her e-mail is of her profile.
	got, err := store.Stakes(ctx, "main", value, []identity.ProfileID{ana, ben, before, 77})
	if err != nil {
		t.Fatal(err)
	}
	want := map[identity.ProfileID]identity.Stake{}
	for _, id := range []identity.ProfileID{ana, ben} {
		p, err := store.Load(ctx, "main", id)
		if err != nil {
			t.Fatal(err)
		}
		s := identity.Stake{Events: p.Activity.Total()}
		for _, score := range p.Scores {
			if score.Name == value {
				s.Value = score.Value
			}
		}
		want[id] = s
	}
	if d := cmp.Diff(want, got); d != "" || want[ana].Value != 120 || want[ben].Value != 0 || want[ben].Events < 2 {
		t.Errorf("stakes (-want +got):\n%s%+v", d, want)
	}
	for _, ids := range [][]identity.ProfileID{nil, {ana}} {
		if got, err := store.Stakes(ctx, "other", value, ids); err != nil || len(got) != 0 {
			t.Errorf("in another workspace: %v, %v", got, err)
		}
	}
}
