package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// doubts is a world with pairs of records that a model finds more or less alike:
// a and b of two empty profiles, c and d of two full ones, e and f of two
// customers who may share a profile by no rule, g and h that are one.
func doubts(t *testing.T) *world {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.whole, w.cfg.BatchWait = true, time.Millisecond
	at := testNow.Add(-240 * time.Hour)
	for i, name := range strings.Split("abcdefgh", "") {
		at = at.Add(time.Hour)
		ids := []identity.Identifier{rec(name)}
		if name == "e" || name == "f" {
			ids = append(ids, id(identity.CustomerNo, fmt.Sprint("C-", i)))
		}
		w.send(evidenceOf(w.workspaces[0], "crm", at, at, ids...))
	}
	w.stakes = map[identity.ProfileID]identity.Stake{
		identity.ProfileID(w.key(rec("c"))): {Events: 900, Value: 120},
		identity.ProfileID(w.key(rec("d"))): {Events: 40},
	}
	w.scoreDoubts("m1", testNow.Add(-time.Hour))
	return w
}

func rec(name string) identity.Identifier { return id(identity.Record, "crm/"+name) }

func (w *world) scoreDoubts(model string, at time.Time) {
	w.sendLinks(
		w.scored(model, at, 300, rec("a"), rec("b"), identity.Contribution{Field: "surname", Level: "equal", Weight: 300}),
		w.scored(model, at, 300, rec("d"), rec("c")),
		w.scored(model, at, 1500, rec("f"), rec("e")),
		w.scored(model, at, 1500, rec("g"), rec("h")),
		w.scored(model, at, 150, rec("a"), rec("h")),
	)
}

// queue returns the pairs that wait, page by page, as the letters of their
// records.
func (w *world) queue(ctx context.Context, l *Ledger, limit int) (pairs []string) {
	w.t.Helper()
	var after identity.ReviewCursor
	for {
		r, err := l.Review(ctx, w.workspaces[0], identity.ReviewQuery{Limit: limit, After: after})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, q := range r.Questions {
			letters := []string{strings.TrimPrefix(q.A.Record.Value, "crm/"), strings.TrimPrefix(q.B.Record.Value, "crm/")}
			slices.Sort(letters)
			pairs = append(pairs, strings.Join(letters, ""))
		}
		if after = r.Next; after == "" {
			return pairs
		}
	}
}

// asks checks what a new process, which loads all anew, would ask.
func (w *world) asks(when string, want ...string) {
	w.t.Helper()
	l := w.ledger(nil)
	w.owned(l, func(ctx context.Context) {
		for !l.Ready() { // All may have been committed before.
			runtime.Gosched()
		}
		if got := w.queue(ctx, l, 1); !slices.Equal(got, want) {
			w.t.Errorf("%s: asks %v, want %v", when, got, want)
		}
		if got := testutil.ToFloat64(waitingOnly{graphCollector{l}}); got != float64(len(want)) {
			w.t.Errorf("%s: the metric says %v, want %d", when, got, len(want))
		}
	})
}

// TestReview: the queue holds what waits, in the order of what a decision is
// worth, and says what there is to know of each pair.
func TestReview(t *testing.T) {
	w := doubts(t)
	l := w.ledger(nil)
	w.owned(l, func(ctx context.Context) {
		for _, limit := range []int{1, 2, 100} {
			if got := w.queue(ctx, l, limit); !slices.Equal(got, []string{"cd", "ef", "ab"}) {
				t.Errorf("by %d: asks %v", limit, got)
			}
		}
		r, err := l.Review(ctx, w.workspaces[0], identity.ReviewQuery{Limit: 3})
		if err != nil || r.Waiting != 3 || r.Model != "m1" || r.ReviewThreshold != 200 || r.LinkThreshold != 700 || r.Next != "" {
			t.Fatalf("review: %v, %+v", err, r)
		}
		p := identity.LinkProbability(300)
		entropy := -p*math.Log2(p) - (1-p)*math.Log2(1-p)
		stake := math.Log2(1+901) + math.Log2(1+120) + math.Log2(1+41)
		want := []identity.Question{
			{Uncertainty: entropy, Stake: stake, Worth: entropy * stake, Barrier: identity.Barrier{Kind: identity.BarrierWeight}},
			{Uncertainty: 1, Stake: 2 * math.Log2(3), Worth: 2 * math.Log2(3), Barrier: identity.Barrier{Kind: identity.BarrierLimit}},
			{Uncertainty: entropy, Stake: 2, Worth: 2 * entropy, Barrier: identity.Barrier{Kind: identity.BarrierWeight}, Link: identity.LinkScore{
				Contributions: []identity.Contribution{{Field: "surname", Level: "equal", Weight: 300}},
			}},
		}
		rest := cmp.FilterPath(func(p cmp.Path) bool {
			return slices.Contains([]string{"A", "B", "Link.Model", "Link.Weight", "Link.Probability", "Link.ScoredAt", "Barrier.From", "Barrier.To", "Barrier.Detail"}, p.String())
		}, cmp.Ignore())
		if diff := cmp.Diff(want, r.Questions, rest, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Error(diff)
		}
		// Of anchors seen at one time the smaller key names the profile.
		of := func(r identity.Identifier) identity.ProfileID {
			key := w.key(r)
			if no, ok := map[string]string{"crm/e": "C-4", "crm/f": "C-5"}[r.Value]; ok {
				key = min(key, w.key(id(identity.CustomerNo, no)))
			}
			return identity.ProfileID(key)
		}
		for _, q := range r.Questions {
			pair, barrier := [2]identity.Identifier{q.A.Record, q.B.Record}, [2]identity.Identifier{q.Barrier.From, q.Barrier.To}
			if q.A.Key >= q.B.Key || q.A.Key != w.key(q.A.Record) || q.A.Profile != of(q.A.Record) || q.B.Profile != of(q.B.Record) || pair != barrier || q.Barrier.Detail == "" {
				t.Errorf("question %+v", q)
			}
		}
		for _, bad := range []identity.ReviewCursor{"x", identity.ReviewCursor(strings.Repeat("z", 48)), identity.ReviewCursor(strings.Repeat("f", 48))} {
			if _, err := l.Review(ctx, w.workspaces[0], identity.ReviewQuery{Limit: 1, After: bad}); !errors.Is(err, identity.ErrReviewCursor) {
				t.Errorf("cursor %q: %v", bad, err)
			}
		}
		for pair, want := range map[string]identity.ReviewStanding{
			"ab": identity.ReviewWaiting, "ba": identity.ReviewWaiting, "gh": identity.ReviewMerged, "ah": identity.ReviewWithdrawn,
			"ac": identity.ReviewUnknown, "ax": identity.ReviewUnknown, "aa": identity.ReviewUnknown,
		} {
			keys := [2]identity.Key{w.key(rec(pair[:1])), w.key(rec(pair[1:]))}
			r, err := l.Review(ctx, w.workspaces[0], identity.ReviewQuery{Pair: &keys})
			if err != nil || r.Standing != want || (len(r.Questions) == 1) != (want == identity.ReviewWaiting) {
				t.Errorf("pair %s: %v, %+v", pair, err, r)
			}
		}
		if _, err := l.Review(ctx, "another", identity.ReviewQuery{Limit: 1}); !errors.Is(err, identity.ErrNotOwner) {
			t.Errorf("another workspace: %v", err)
		}
	})
}

// TestReviewIsDecidedOnce: what was decided is not asked again, by this process or
// another, nor by another model; what is taken back is. Who became one profile
// meanwhile is not asked, though the queue was put in order before.
func TestReviewIsDecidedOnce(t *testing.T) {
	w := doubts(t)
	l := w.ledger(nil)
	command := func(kind identity.CommandKind, a, b string) identity.Command {
		return identity.Command{ID: string(kind) + a + b, Kind: kind, Identifiers: []identity.Identifier{rec(a), rec(b)}}
	}
	w.owned(l, func(ctx context.Context) {
		if got := w.queue(ctx, l, 10); len(got) != 3 {
			t.Fatalf("asks %v", got)
		}
		w.ask(command(identity.Separate, "a", "b"))
		w.sendLinks(w.scored("m1", testNow.Add(-time.Minute), 1500, rec("c"), rec("d")))
		if err := w.topic.waitCommitted(ctx, int64(len(w.topic.log))); err != nil {
			t.Fatal(err)
		}
		if got := w.queue(ctx, l, 10); !slices.Equal(got, []string{"ef"}) {
			t.Errorf("after a decision and a merge it asks %v", got)
		}
	})
	w.asks("after a restart", "ef")
	w.sendLinks(w.scored("m1", testNow.Add(-time.Second), 310, rec("c"), rec("d")), w.scored("m1", testNow.Add(-time.Second), 310, rec("a"), rec("b")))
	same := command(identity.Link, "e", "f")
	if out := w.do(same); out.Code != identity.RefusedLimit {
		t.Fatalf("without override: %+v", out)
	}
	w.asks("scored again, and refused", "cd", "ef")
	same.ID, same.Override, same.Whole, same.Reason = "same", true, true, "one person"
	w.must(same)
	w.asks("after they are linked", "cd")

	w.rules.ModelVersion = "m2"
	w.scoreDoubts("m2", testNow.Add(-time.Hour))
	w.mustOwn()
	w.asks("by another model", "cd")
	w.must(identity.Command{Kind: identity.Undo, Target: "separateab"})
	w.asks("after an undo", "cd", "ab")
	w.must(identity.Command{Kind: identity.Undo, Target: "same"})
	w.asks("after both", "cd", "ef", "ab")
	parted := w.must(identity.Command{ID: "u", Kind: identity.Unmerge, Identifiers: []identity.Identifier{rec("h")}})
	if parted.Pairs != 1 {
		t.Errorf("unmerge %+v", parted)
	}
	w.asks("what an unmerge parted", "cd", "ef", "ab")
	w.mustCheck("in the end")
}

// waitingOnly collects one gauge.
type waitingOnly struct{ graphCollector }

func (waitingOnly) Describe(to chan<- *prometheus.Desc) { to <- reviewDesc }

func (c waitingOnly) Collect(to chan<- prometheus.Metric) {
	all := make(chan prometheus.Metric, 100)
	c.graphCollector.Collect(all)
	close(all)
	for m := range all {
		if m.Desc() == reviewDesc {
			to <- m
		}
	}
}
