package ledger

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// TestDryRun predicts what random rules change, and compares it with the
// definition under both rules. It changes nothing.
func TestDryRun(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	db := warehousetest.Shared(t)
	differed := 0
	for i := range 2 * histories(t) {
		seed := firstSeed + uint64(i)
		w := newWorld(t, db, seed)
		for range 60 {
			w.sendRandom()
		}
		w.whole = true
		l := w.ledger(nil)
		o := newOwner(l, w.topic.join())
		if err := o.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := o.process(t.Context(), w.topic.log); err != nil {
			t.Fatal(err)
		}
		name, f := w.workspaces[0], w.randomRules()
		before := w.truth(name)
		reading := w.readings()
		report, err := l.DryRun(t.Context(), name, f)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff(reading, w.readings(), cmp.AllowUnexported(reading[name])); diff != "" {
			t.Fatalf("seed %d: a dry run changed the reading: %s", seed, diff)
		}
		w.adopt(f)
		after := w.truth(name)
		want := DryRunReport{Version: 2, Changes: rulefile.Diff(fileOf(testRules()), f), Before: before.Stats(), After: after.Stats()}
		want.Changes = report.Changes
		want.Before.Rules, want.After.Rules = 1, 2
		splits, joins := map[identity.ProfileID]map[identity.ProfileID]bool{}, map[identity.ProfileID]map[identity.ProfileID]bool{}
		for k, a := range after.result.Profile {
			b := before.result.Profile[k]
			if a != b {
				want.Moves++
			}
			note(splits, b, a)
			note(joins, a, b)
		}
		want.Splits, want.Joins = several(splits), several(joins)
		got := report
		got.SplitExamples, got.JoinExamples, got.MoveExamples = nil, nil, nil
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
		if len(report.Changes) == 0 || len(report.SplitExamples) != min(20, want.Splits) || len(report.JoinExamples) != min(20, want.Joins) || len(report.MoveExamples) != min(20, want.Moves) {
			t.Errorf("seed %d: %d, %d and %d examples of %d, %d and %d; %d changes of the rules", seed, len(report.SplitExamples),
				len(report.JoinExamples), len(report.MoveExamples), want.Splits, want.Joins, want.Moves, len(report.Changes))
		}
		checkExamples(t, report, before, after)
		if want.Splits > 0 && want.Joins > 0 {
			differed++
		}
	}
	if differed == 0 {
		t.Error("no rules split and joined profiles")
	}
}

func note(m map[identity.ProfileID]map[identity.ProfileID]bool, from, to identity.ProfileID) {
	if from == 0 {
		return // A household.
	}
	if m[from] == nil {
		m[from] = map[identity.ProfileID]bool{}
	}
	m[from][to] = true
}

func several(m map[identity.ProfileID]map[identity.ProfileID]bool) (n int) {
	for _, to := range m {
		if len(to) > 1 {
			n++
		}
	}
	return n
}

// checkExamples checks that examples are what they say.
func checkExamples(t *testing.T, r DryRunReport, before, after *bruteForce) {
	t.Helper()
	sizes := func(of map[identity.Key]identity.ProfileID) map[identity.ProfileID]int {
		n := map[identity.ProfileID]int{}
		for k := range after.result.Profile {
			n[of[k]]++
		}
		return n
	}
	whole := func(examples []Example, size map[identity.ProfileID]int) {
		for _, e := range examples {
			if n := len(e.Identifiers) + e.More; n != size[e.Profile] {
				t.Errorf("example %s speaks of %d identifiers of %d", e.Profile, n, size[e.Profile])
			}
		}
	}
	whole(r.SplitExamples, sizes(before.result.Profile))
	whole(r.JoinExamples, sizes(after.result.Profile))
	for _, e := range append(append([]Example(nil), r.SplitExamples...), r.JoinExamples...) {
		if len(e.Identifiers) < 2 {
			t.Errorf("example %s has %d identifiers", e.Profile, len(e.Identifiers))
		}
		for _, i := range e.Identifiers {
			if i.Before != before.Profile(i.Key) || i.After != after.Profile(i.Key) || i.Namespace != after.namespaces[i.Key] ||
				e.Profile != i.Before && e.Profile != i.After {
				t.Errorf("identifier %+v of example %s: before %s, after %s", i, e.Profile, before.Profile(i.Key), after.Profile(i.Key))
			}
		}
	}
	for _, i := range r.MoveExamples {
		if i.Before == i.After || i.Before != before.Profile(i.Key) || i.After != after.Profile(i.Key) {
			t.Errorf("moved identifier %+v", i)
		}
	}
}

// TestDryRunRefused: faults of the rules, a foreign workspace and an ended
// context are errors.
func TestDryRunRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	w := coupled(t)
	l := w.ledger(nil)
	if _, err := l.DryRun(t.Context(), w.workspaces[0], rulefile.Default()); !errors.Is(err, identity.ErrNotOwner) {
		t.Errorf("of a workspace of another process: %v", err)
	}
	o := newOwner(l, w.topic.join())
	if err := o.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	bad := rulefile.Default()
	bad.Caps.Unit = 0
	var fault *rulefile.Fault
	if _, err := l.DryRun(t.Context(), w.workspaces[0], bad); !errors.As(err, &fault) {
		t.Errorf("of rules with a fault: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	l.beside <- struct{}{} // another one is on its way
	cancel()
	if _, err := l.DryRun(ctx, w.workspaces[0], rulefile.Default()); !errors.Is(err, context.Canceled) {
		t.Errorf("of an ended context: %v", err)
	}
}

// TestAsOf compares random moments of random ledgers, with decisions, with the
// definition given the evidence up to then.
func TestAsOf(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	db := warehousetest.Shared(t)
	for i := range histories(t) {
		seed := firstSeed + uint64(i)
		w := newWorld(t, db, seed)
		for range 70 {
			w.sendRandom()
			if w.r.IntN(10) == 0 {
				w.ask(w.randomCommand())
			}
		}
		if err := w.own(nil); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for range 12 {
			name := w.workspaces[w.r.IntN(2)]
			at := testNow.Add(-time.Duration(w.r.IntN(900*24*60)) * time.Minute)
			profiles, err := w.ledger(nil).AsOf(t.Context(), name, at)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			got := map[identity.Key]identity.ProfileID{}
			for k, p := range profiles {
				got[k] = p
			}
			if diff := cmp.Diff(w.truthAt(name, at).result.Profile, got); diff != "" {
				t.Fatalf("seed %d: workspace %s as of %s: %s", seed, name, at, diff)
			}
		}
	}
}

// truthAt is the definition, given the evidence of up to a moment.
func (w *world) truthAt(workspace string, at time.Time) *bruteForce {
	g := newBruteForce(w.rules).(*bruteForce)
	sp := &space{rules: w.rules}
	for _, e := range w.sent[workspace] {
		seen := e.Span.FirstReceived
		if w.rules.Trusted(e.Source) {
			seen = e.Span.FirstEvent
		}
		if seen <= at.UnixMilli() {
			g.See(sp.sighting(&e, 0xff))
			w.rename(g, &e)
		}
	}
	w.tellLinks(g, w.rules, workspace)
	for _, d := range w.decisions(workspace) {
		g.Decide(d)
	}
	g.Flush()
	return g
}
