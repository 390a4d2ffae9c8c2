package ledger

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// randomRules returns rules of small bounds that differ from those of the world
// in ranks, limits, fan-outs, blocked values and trusted sources.
func (w *world) randomRules() rulefile.File {
	f := fileOf(testRules())
	for _, name := range slices.Sorted(maps.Keys(f.Namespaces)) {
		rule := f.Namespaces[name]
		if !rule.Household && !rule.Principal {
			rule.FanOutUp, rule.FanOutDown = 1+w.r.IntN(4), 2+w.r.IntN(6)
			if w.r.IntN(2) == 0 {
				rule.Rank = 1 + w.r.IntN(7)
			}
			if rule.LimitWindow == 0 && rule.MovingGap == 0 {
				rule.Limit = w.r.IntN(3)
			}
		}
		f.Namespaces[name] = rule
	}
	sources := []string{"web", "app", "crm"}
	w.r.Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
	f.Untrusted, f.Trusted = sources[:1], sources[1:]
	f.Rename = sources[2 : 2+w.r.IntN(2)]
	f.Blocked = map[identity.Namespace]rulefile.Blocking{identity.AnonymousID: {Add: []string{fmt.Sprintf("v%d", w.r.IntN(7))}}}
	return f
}

// declare sends rules for all workspaces of the world.
func (w *world) declare(f rulefile.File, expected int) {
	w.t.Helper()
	for _, name := range w.workspaces {
		w.ask(identity.Command{Workspace: name, Kind: identity.Redeclare, Rules: string(rulefile.FormatJSON(f)), Expected: expected})
	}
}

// adopt makes f the rules by which the world is checked.
func (w *world) adopt(f rulefile.File) {
	w.t.Helper()
	rules, err := f.Rules()
	if err != nil {
		w.t.Fatal(err)
	}
	rules.ModelVersion = w.rules.ModelVersion // which a file does not declare
	w.rules = rules
}

// TestRedeclareEqualsRebuild applies other rules to random ledgers, with owners
// that stop before random steps: profiles, deciding identifiers, history and
// notices are those of a ledger that had these rules from its start, and stay so
// with the evidence and the commands that follow.
func TestRedeclareEqualsRebuild(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	db := warehousetest.Shared(t)
	for i := range histories(t) {
		seed := firstSeed + uint64(i)
		w := newWorld(t, db, seed)
		first := w.rules
		for version := 1; version <= 2; version++ {
			for range 25 {
				w.sendRandom()
				if w.r.IntN(6) == 0 {
					w.ask(w.randomCommand())
				}
			}
			f := w.randomRules()
			if _, err := f.Rules(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			w.declare(f, version)
			stops := map[string]int{}
			for range 4 {
				left := w.r.IntN(40)
				err := w.own(func(name string) error {
					if left--; left < 0 {
						stops[name]++
						return errCrash
					}
					return nil
				})
				if err != nil && !errors.Is(err, errCrash) {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
			w.rules = first // What the process was given does not matter any more.
			if err := w.own(nil); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			w.adopt(f)
			if err := w.check(); err != nil {
				t.Fatalf("seed %d, version %d, stops %v: %v", seed, version+1, stops, err)
			}
			w.checkOutcomes(fmt.Sprint("seed ", seed))
			w.rules = first
		}
	}
}

// TestRedeclareStopped stops an owner before each step of new rules: the reading
// before serves until the version of the whole, and another owner ends the work.
func TestRedeclareStopped(t *testing.T) {
	db := warehousetest.Shared(t)
	steps := map[string]bool{}
	moved := 0
	first, by := strides(t)
	for stop := first; ; stop += by {
		w := newWorld(t, db, firstSeed)
		declared := w.rules
		for range 40 {
			w.sendRandom()
		}
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		f := w.randomRules()
		before := w.readings()
		w.declare(f, 1)
		left, name, started, shown := stop, "", false, false
		err := w.own(func(step string) error {
			if started = started || step == "command"; !started {
				return nil
			}
			if left--; left < 0 {
				name = step
				return errCrash
			}
			shown = shown || step == "version"
			return nil
		})
		if err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		if !shown && fmt.Sprint(before) != fmt.Sprint(w.readings()) {
			t.Fatalf("stopped before %q: the reading changed before it was published whole", name)
		}
		ended := err == nil
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		w.adopt(f)
		when := fmt.Sprintf("stopped before %q", name)
		w.mustCheck(when)
		w.checkOutcomes(when)
		w.rules = declared
		changed := 0
		for k, p := range w.readings()[w.workspaces[0]].profile {
			was, ok := before[w.workspaces[0]].profile[k]
			if !ok {
				was = identity.ProfileID(k)
			}
			if was != p {
				changed++
			}
		}
		if out := w.outcome("cmd-1"); out.Code != "" || out.Moved != changed {
			t.Errorf("%s: %+v, and %d identifiers moved", when, out, changed)
		}
		moved += changed
		if ended {
			break
		}
		steps[name] = true
	}
	if moved == 0 {
		t.Error("the rules moved nobody")
	}
	mustHaveStopped(t, by, steps, "command", "rules", "catch up", "version", "outcome", "notices", "commit")
}

// TestRedeclareRefused: rules of another version and rules that contradict each
// other change nothing, and the version in force is in the figures.
func TestRedeclareRefused(t *testing.T) {
	w := coupled(t)
	good := string(rulefile.FormatJSON(rulefile.Default()))
	before := w.published(w.workspaces[0])
	for _, test := range []struct {
		rules    string
		expected int
		want     identity.RefusalCode
	}{
		{good, 2, identity.RefusedVersion},
		{good, 0, identity.RefusedVersion},
		{`{"caps": {"unit": 0}}`, 1, identity.RefusedRules},
		{`{"namespaces": {"email": {"principal": true}}}`, 1, identity.RefusedRules},
		{`{`, 1, identity.RefusedRules},
		{`{"normalise": {"strip_plus_tags": true}}`, 1, identity.RefusedRules},
		{"", 1, identity.RefusedMalformed},
	} {
		out := w.do(identity.Command{Kind: identity.Redeclare, Rules: test.rules, Expected: test.expected})
		if out.Code != test.want || out.Detail == "" {
			t.Errorf("rules %.20q of version %d: %+v, want %s", test.rules, test.expected, out, test.want)
		}
	}
	same(t, "after refusals", before, w.published(w.workspaces[0]))
	c := identity.Command{ID: "rules", Kind: identity.Redeclare, Rules: `{"namespaces": {"phone": {"limit": 7}}}`, Expected: 1}
	first := w.must(c)
	if again := w.do(c); again != first {
		t.Errorf("outcome of repeated rules: %+v, was %+v", again, first)
	}
	if out := w.do(identity.Command{Kind: identity.Undo, Target: "rules"}); out.Code != identity.RefusedMalformed {
		t.Errorf("undo of rules: %+v", out)
	}
	o := newOwner(w.ledger(nil), w.topic.join())
	if err := o.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := o.spaces[w.workspaces[0]].rules.Version; got != 2 {
		t.Errorf("version %d in force, want 2", got)
	}
	if got := o.spaces[w.workspaces[0]].rules.Namespaces[identity.Phone].Limit; got != 7 {
		t.Errorf("the declared limit is %d, want 7", got)
	}
}
