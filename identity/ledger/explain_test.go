package ledger

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func memberOf(workspace string, i identity.Identifier) identity.Member {
	return identity.Member{Identifier: i, Key: identity.NewKeyer(identity.Secret{1}, workspace).Key(i)}
}

// seenAs is what evidenceOf leaves as evidence of each pair.
func seenAs(source string, at time.Time) identity.Seen {
	return identity.Seen{
		Source: source, Rule: "event", Period: identity.PeriodOf(at), FirstEvent: at.UnixMilli(),
		LastEvent: identity.DayOf(at), MessageID: "m", WitnessTime: at.UnixMilli(),
	}
}

// owned runs an owner of w until all is committed, and calls f while it owns.
func (w *world) owned(l *Ledger, f func(ctx context.Context)) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	p := w.topic.join()
	go func() { done <- l.Own(ctx, p) }()
	if err := w.topic.waitCommitted(ctx, int64(len(w.topic.log))); err != nil {
		w.t.Fatal(err)
	}
	f(ctx)
	cancel()
	if err := <-done; err != nil {
		w.t.Fatal(err)
	}
}

// TestExplanations asks a running owner, with values and evidence from its tables.
func TestExplanations(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	w.cfg.BatchWait = time.Millisecond
	ws, early, late := w.workspaces[0], testNow.Add(-500*time.Hour), testNow.Add(-400*time.Hour)
	anna, ben := id(identity.UserID, "anna"), id(identity.UserID, "ben")
	mail, tablet, phone := id(identity.Email, "anna@shop.example"), id(identity.Device, "tablet"), id(identity.AnonymousID, "c1")
	w.send(
		evidenceOf(ws, "crm", early, early, anna, tablet),
		evidenceOf(ws, "crm", early.Add(time.Hour), early.Add(time.Hour), anna, mail),
		evidenceOf(ws, "web", late, late, anna, mail),
		evidenceOf(ws, "crm", late, late, ben, tablet),
		evidenceOf(ws, "crm", late, late, ben, phone),
	)
	l := w.ledger(nil)
	ask := func(ctx context.Context, a, b identity.Identifier) identity.Explanation {
		t.Helper()
		e, err := l.Why(ctx, ws, memberOf(ws, a), memberOf(ws, b))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	w.owned(l, func(ctx context.Context) {
		e := ask(ctx, mail, tablet)
		if !e.Same || e.Barrier != nil || len(e.Path) != 2 || e.Path[0].To != anna || e.Path[1].To != tablet {
			t.Fatalf("why mail and tablet: %+v", e)
		}
		want := []identity.Seen{
			seenAs("crm", early.Add(time.Hour)),
			seenAs("web", late),
		}
		if d := cmp.Diff(want, e.Path[0].Evidence); d != "" || len(e.Path[1].Evidence) != 1 {
			t.Errorf("evidence (-want +got):\n%s\n%+v", d, e.Path[1])
		}
		if !strings.Contains(e.Path[0].Rule, "email follows the user_id") {
			t.Errorf("rule is %q", e.Path[0].Rule)
		}
		e = ask(ctx, phone, mail)
		if e.Same || e.Barrier == nil || e.Barrier.Kind != identity.BarrierLimit || e.Barrier.From != ben || e.Barrier.To != tablet ||
			len(e.Path) != 1 || e.Path[0].To != ben {
			t.Errorf("why not phone and mail: %+v %+v", e, e.Barrier)
		}
		if e := ask(ctx, phone, id(identity.Email, "nobody@shop.example")); e.Barrier == nil || e.Barrier.Kind != identity.BarrierUnknown {
			t.Errorf("why not phone and nobody: %+v", e)
		}
		w.askGraph(ctx, l, ws, anna, mail)
	})
	if _, err := l.Why(t.Context(), ws, memberOf(ws, anna), memberOf(ws, ben)); !errors.Is(err, identity.ErrNotOwner) {
		t.Errorf("a ledger that owns nothing answers %v", err)
	}
	if _, err := l.Health(t.Context(), ws); !errors.Is(err, identity.ErrNotOwner) {
		t.Errorf("a ledger that owns nothing answers %v", err)
	}
}

// askGraph asks for the subgraph of anna and the health of ws.
func (w *world) askGraph(ctx context.Context, l *Ledger, ws string, anna, mail identity.Identifier) {
	w.t.Helper()
	s, err := l.Subgraph(ctx, ws, identity.ProfileID(memberOf(ws, mail).Key))
	if err != nil {
		w.t.Fatal(err)
	}
	if len(s.Identifiers) != 3 || len(s.Pairs) != 2 || s.Truncated || s.Identifiers[2].Identifier != mail ||
		s.Identifiers[2].Follows != anna.String() || s.Pairs[0].State != "linking" || s.Pairs[1].B.Value == "" {
		w.t.Errorf("subgraph: %+v", s)
	}
	h, err := l.Health(ctx, ws)
	if err != nil {
		w.t.Fatal(err)
	}
	if h.Identifiers != 5 || h.Profiles != 2 || h.Conflicts[identity.BarrierLimit] != 1 || h.Largest[0].Identifiers != 3 || len(h.Weakest) != 1 {
		w.t.Errorf("health: %+v", h)
	}
	metrics := l.deps.Metrics.(*prometheus.Registry)
	const want = `# HELP kindred_identity_profiles Profiles, as of at most a minute ago.
# TYPE kindred_identity_profiles gauge
kindred_identity_profiles 2
`
	if err := testutil.GatherAndCompare(metrics, strings.NewReader(want), "kindred_identity_profiles"); err != nil {
		w.t.Error(err)
	}
}

// TestNoAnswerBetweenFlushes: what was told and not evaluated is waited for.
func TestNoAnswerBetweenFlushes(t *testing.T) {
	rules := testRules()
	sp := &space{name: "w", rules: rules, graph: NewGraph(rules)}
	l := &Ledger{spaces: map[string]*space{"w": sp}}
	sp.graph.See(identity.Sighting{Members: []identity.Node{{Key: 1, Namespace: identity.UserID}}, Source: "crm"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.view(ctx, "w", func(Graph) { t.Error("read between two flushes") }); !errors.Is(err, context.Canceled) {
		t.Errorf("answered %v", err)
	}
	sp.flush()
	read := false
	if err := l.view(ctx, "w", func(Graph) { read = true }); err != nil || !read {
		t.Errorf("after the flush: %v", err)
	}
}

// TestManyLookUps: as many keys and pairs as go to the engine in a table of their own are
// found as few of them are.
func TestManyLookUps(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	ws, all := w.workspaces[0], people(w.workspaces[0], 3*fewKeys)
	w.send(all...)
	w.whole = true
	if err := w.own(nil); err != nil {
		t.Fatal(err)
	}
	names := newNaming()
	var path []graph.Hop
	for _, e := range all {
		if len(e.Members) > 1 {
			names.want(e.Members[0].Key, e.Members[1].Key)
			path = append(path, graph.Hop{From: e.Members[0].Key, To: e.Members[1].Key})
		}
	}
	s := w.ledger(nil).store
	if err := s.name(t.Context(), ws, names); err != nil {
		t.Fatal(err)
	}
	seen, err := s.seen(t.Context(), ws, path)
	if err != nil || len(path) <= fewKeys {
		t.Fatalf("%d hops: %v", len(path), err)
	}
	for _, h := range path[:20] {
		few := newNaming()
		few.want(h.From)
		if err := s.name(t.Context(), ws, few); err != nil || names.of[h.From].Value == "" || names.of[h.From] != few.of[h.From] {
			t.Errorf("%d is %v among many and %v alone: %v", h.From, names.of[h.From], few.of[h.From], err)
		}
		pair := keyPair(h.From, h.To)
		alone, err := s.seen(t.Context(), ws, []graph.Hop{h})
		if d := cmp.Diff(alone[pair], seen[pair]); err != nil || len(seen[pair]) == 0 || d != "" {
			t.Errorf("evidence alone and among many: %v\n%s", err, d)
		}
	}
}
