package views

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
)

// TestWhatIsReadTogetherIsOnesOwn: who opens, completes or cuts down what a question
// brought changes nothing of what others have of it.
func TestWhatIsReadTogetherIsOnesOwn(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	s.Score(clickhousetest.Score{Profile: ana, Name: "churn", AsOf: day, ComputedAt: day, Value: .5, Detail: "{}"})
	s.Flush(t.Context())
	found, err := s.rows.lookMany(t.Context(), "main", []uint64{uint64(ana)})
	if err != nil || found[0] == nil || found[0].row == nil || len(found[0].row.scores) != 1 {
		t.Fatalf("%+v, %v", found[0], err)
	}
	mine, other := found[0].own(), found[0].own()
	if !mine.row.readable() {
		t.Fatal("the row is not readable")
	}
	mine.row.seen = 7
	mine.row.looked = append(mine.row.looked, 8)
	mine.row.scores = slices.DeleteFunc(mine.row.scores, func(clickhouse.Standing) bool { return true })
	if r := other.row; r.view != nil || r.seen != 0 || len(r.looked) != 1 || len(r.scores) != 1 || r.scores[0].Name != "churn" {
		t.Errorf("another's was changed: %+v", r)
	}
}

// TestReadsAtOnce: whoever reads at the same time, by whichever identifier, gets what is
// read from events, with the scores that stand under any of the identifiers.
func TestReadsAtOnce(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	mail := s.Key("email:ana@example.com")
	for i, whose := range []identity.ProfileID{ana, identity.ProfileID(mail)} {
		s.Score(clickhousetest.Score{Profile: whose, Name: []string{"churn", "value"}[i], AsOf: day, ComputedAt: day, Value: float64(i), Detail: "{}"})
	}
	s.Flush(t.Context())
	want, err := profiles.Find(t.Context(), s.store, "main", mail)
	if err != nil || len(want.Scores) != 2 {
		t.Fatalf("%+v, %v", want, err)
	}
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			p, err := profiles.Find(t.Context(), s.reader, "main", []identity.Key{identity.Key(ana), mail}[i%2])
			if err != nil {
				t.Error(err)
				return
			}
			if d := cmp.Diff(want, p, unexported, cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
		})
	}
	wg.Wait()
}

// TestRowOfAnotherWorkspace: names of workspaces have any letters, so a row of another
// may stand under a key. It is nobody's here.
func TestRowOfAnotherWorkspace(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	if err := s.Conn.Exec(t.Context(), `INSERT INTO profile_lookup (key, workspace, profile_id, name, form, stamp, computed_at, body)
		SELECT key, 'other', profile_id, name, form, stamp + 1, computed_at, body FROM profile_lookup WHERE profile_id = ? AND name = 'view'`, uint64(ana)); err != nil {
		t.Fatal(err)
	}
	found, err := s.work.table.look(t.Context(), "main", []uint64{uint64(ana)})
	if err != nil || found[uint64(ana)] != nil {
		t.Errorf("found %+v, %v", found[uint64(ana)], err)
	}
}

// TestWhoLeavesBeforeTheAnswer is told so, and not that nobody is there.
func TestWhoLeavesBeforeTheAnswer(t *testing.T) {
	s, ana := one(t, clickhouse.DefaultConfig())
	ctx, leave := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer leave()
	if id, err := s.reader.Resolve(ctx, "main", identity.Key(ana)); id != 0 || err == nil {
		t.Errorf("%v, %v", id, err)
	}
}
