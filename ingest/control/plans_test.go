package control_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/letters"
	"github.com/kindred-cdp/kindred/ingest/plans"
)

func planOf(mode string) []byte {
	return fmt.Appendf(nil, `{"sources":["web"],"events":[{"name":"Order","version":"1","mode":%q,"schema":
		{"properties":{"properties":{"required":["revenue"],"properties":{"revenue":{"type":"number"}}}},"required":["properties"]}}]}`, mode)
}

func ordered(id, properties string) string {
	return fmt.Sprintf(`{"id":%q,"name":"Order","source":"web","time":"2026-05-04T09:00:00Z","properties":%s}`, id, properties)
}

func (w *world) put(name string, expected uint64, definition []byte) uint64 {
	w.t.Helper()
	revision, err := w.plans.Put(w.t.Context(), "main", "ana", name, expected, definition)
	if err != nil {
		w.t.Fatal(err)
	}
	return revision
}

// TestPlansHold goes from a warning to a dead letter to an event.
func TestPlansHold(t *testing.T) {
	w := newWorld(t)
	first := w.put("web", 0, planOf("warn"))
	w.send(ordered("a", `{"revenue":1}`), ordered("b", `{"revenue":"x"}`), ordered("b", `{"revenue":"x"}`), ordered("c", `{}`))
	w.put("web", first, planOf("block"))
	w.send(ordered("d", `{"revenue":2}`), ordered("e", `{"revenue":"y"}`), ordered("e", `{"revenue":"y"}`), ordered("b", `{"revenue":"x"}`))
	if events, kept := w.count("SELECT count() FROM events"), w.count("SELECT count() FROM dead_letters"); events != 4 || kept != 1 {
		t.Fatalf("%d events and %d letters, want a, b, c, d and one letter of e", events, kept)
	}
	found := w.list(letters.Filter{Reason: "plan_violation", Source: "web", Kind: "behaviour"})
	if len(found) != 1 || !strings.Contains(found[0].Detail, "type at \"/properties/revenue\": is string, must be number") {
		t.Fatalf("letters: %+v", found)
	}
	got, err := w.plans.Violations(t.Context(), "main", "web", time.Time{}.AddDate(1970, 0, 0), 10)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, b := range got {
		told = append(told, fmt.Sprint(b.Mode, " ", b.Rule, " ", b.Pointer, " ", b.Count, " ", b.Examples))
	}
	want := []string{"block type /properties/revenue 1 [e]", "warn required /properties/revenue 1 [c]", "warn type /properties/revenue 1 [b]"}
	if d := cmp.Diff(want, told); d != "" {
		t.Errorf("violations, -want +got:\n%s", d)
	}
	// A replay into the same plan fails again and breaks the rule once more; into
	// a milder one it is an event.
	replay := func(want string) {
		t.Helper()
		if _, err := w.letters.ActAll(t.Context(), "main", "ana", letters.KindReplay, letters.Bulk{Filter: letters.Filter{Reason: "plan_violation"}, Limit: 10}); err != nil {
			t.Fatal(err)
		}
		w.ingest()
		if status, history := w.told(found[0].ID); status != want {
			t.Errorf("the letter is %s, want %s: %v", status, want, history)
		}
	}
	replay(letters.Failed)
	w.put("web", 2, planOf("warn"))
	replay(letters.Stored)
	if events, kept := w.count("SELECT uniqExact(message_id) FROM events"), w.count("SELECT count() FROM dead_letters"); events != 5 || kept != 1 {
		t.Errorf("%d events and %d letters", events, kept)
	}
}

// TestPlanChangesDuringACrash changes a plan between the death of an owner, in the
// middle of an insert, and its successor. With the revision that the range was
// planned with, the successor comes to the same verdicts; with the latest one,
// which is what it would take without, an event is stored and a dead letter too.
func TestPlanChangesDuringACrash(t *testing.T) {
	for _, c := range []struct {
		name            string
		remembered      bool
		before, after   string
		dies            string
		events, kept    uint64
		warned, refused uint64
		wrong           bool // whether the case is the one that must show the harm
	}{
		{name: "stricter", remembered: true, before: "warn", after: "block", dies: "seen_messages", events: 2, warned: 1},
		{name: "milder", remembered: true, before: "block", after: "allow", dies: "seen_messages", events: 1, kept: 1, refused: 1},
		{name: "nothing inserted yet", remembered: true, before: "warn", after: "block", dies: "events", events: 2, warned: 1},
		{name: "stricter, revision forgotten", before: "warn", after: "block", dies: "seen_messages", events: 2, kept: 1, warned: 1, wrong: true},
		{name: "milder, revision forgotten", before: "block", after: "allow", dies: "seen_messages", events: 1, kept: 1, refused: 1, wrong: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			revision := w.put("web", 0, planOf(c.before))
			w.publish(ordered("good", `{"revenue":1}`), ordered("bad", `{"revenue":"x"}`))
			w.dying = func(step string) error {
				if strings.HasPrefix(step, c.dies) {
					return errCrash
				}
				return nil
			}
			w.ingest()
			w.dying = nil
			mark := w.marks["kindred.behaviour"]
			at := fmt.Sprintf("plan 0-2@%d", revision)
			if !strings.HasPrefix(mark, at) {
				t.Fatalf("the plan of the range is %q, want %q", mark, at)
			}
			latest := w.put("web", revision, planOf(c.after))
			if !c.remembered {
				w.marks["kindred.behaviour"] = fmt.Sprintf("plan 0-2@%d", latest) + mark[len(at):]
			}
			w.ingest()
			got := [4]uint64{
				w.count("SELECT count() FROM events"), w.count("SELECT count() FROM dead_letters"),
				w.count("SELECT countIf(mode = 'warn') FROM plan_violations"), w.count("SELECT countIf(mode = 'block') FROM plan_violations"),
			}
			if want := [4]uint64{c.events, c.kept, c.warned, c.refused}; got != want {
				t.Errorf("events, letters, warnings and refusals %v, want %v", got, want)
			}
			// A message that is remembered but is neither an event nor a letter could
			// never be stored any more.
			lost := w.count("SELECT count() FROM seen_messages WHERE message_hash NOT IN (SELECT message_hash FROM events UNION ALL SELECT letter_id FROM dead_letters)")
			if consistent := got[0]+got[1] == 2 && lost == 0; consistent == c.wrong {
				t.Errorf("each message is one event or one letter, and is remembered: %t", consistent)
			}
		})
	}
}

// TestConflicts lets two people change one plan.
func TestConflicts(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	first := w.put("web", 0, planOf("warn"))
	if _, err := w.plans.Put(ctx, "main", "ben", "web", 0, planOf("block")); !errors.Is(err, plans.ErrConflict) || !strings.Contains(err.Error(), fmt.Sprint("revision ", first)) {
		t.Errorf("a new plan over an old one: %v", err)
	}
	second := w.put("web", first, planOf("block"))
	if _, err := w.plans.Put(ctx, "main", "ben", "web", first, planOf("allow")); !errors.Is(err, plans.ErrConflict) {
		t.Errorf("a change of what is not the latest: %v", err)
	}
	if p, err := w.plans.Get(ctx, "main", "web"); err != nil || p.Revision != second || p.Actor != "ana" || p.Events != 1 {
		t.Errorf("the plan is %+v, %v", p, err)
	}
	if _, err := w.plans.Archive(ctx, "main", "ben", "web", first); !errors.Is(err, plans.ErrConflict) {
		t.Errorf("an end of what is not the latest: %v", err)
	}
	if _, err := w.plans.Archive(ctx, "main", "ben", "nope", 0); !errors.Is(err, plans.ErrConflict) {
		t.Errorf("an end of nothing: %v", err)
	}
	if _, err := w.plans.Put(ctx, "main", "ben", "We b", 0, planOf("warn")); !errors.Is(err, plans.ErrRefused) {
		t.Errorf("a name with a space: %v", err)
	}
	if _, err := w.plans.Put(ctx, "main", "ben", "x", 0, []byte(`{"events":[{"name":"E","mode":"warn","schema":{"$ref":"http://127.0.0.1/"}}]}`)); !errors.As(err, new(*plans.Invalid)) {
		t.Errorf("a schema from elsewhere: %v", err)
	}
	w.put("app", 0, planOf("warn"))
	if _, err := w.plans.Archive(ctx, "main", "ben", "web", second); err != nil {
		t.Error(err)
	}
	if _, err := w.plans.Get(ctx, "main", "web"); !errors.Is(err, plans.ErrNotFound) {
		t.Errorf("an archived plan: %v", err)
	}
	list, err := w.plans.List(ctx, "main")
	if err != nil || len(list) != 1 || list[0].Name != "app" {
		t.Errorf("plans %+v, %v", list, err)
	}
	w.send(ordered("a", `{}`))
	if n := w.count("SELECT count() FROM plan_violations WHERE plan = 'web'"); n != 0 {
		t.Errorf("an archived plan was broken %d times", n)
	}
	w.put("web", 0, planOf("block"))
	if n := w.count("SELECT count() FROM control_outcomes WHERE outcome = 'conflict'"); n != 4 {
		t.Errorf("%d conflicts are on record", n)
	}
	if broken, err := w.plans.Try(ctx, "main", "behaviour", []byte(ordered("t", `{}`)), nil); err != nil || len(broken) != 2 {
		t.Errorf("a try against two live plans: %+v, %v", broken, err)
	}
}

// TestPlanChangesSurviveCrashes kills the owner of commands at each step of two
// changes that both expect to be the first: one wins, whoever applies it.
func TestPlanChangesSurviveCrashes(t *testing.T) {
	for _, step := range []string{"tracking_plans", "control_outcomes", "commit"} {
		w := newWorld(t)
		left := 1
		w.crash = func(at string) error {
			if strings.HasPrefix(at, step) && left > 0 {
				left--
				return errCrash
			}
			return nil
		}
		done := make(chan error, 1)
		go func() {
			_, err := w.plans.Put(t.Context(), "main", "ana", "web", 0, planOf("warn"))
			done <- err
		}()
		var err error
		for waiting := true; waiting; {
			select {
			case err = <-done:
				waiting = false
			case <-time.After(100 * time.Millisecond):
				w.apply() // the successor
			}
		}
		if err != nil {
			t.Errorf("killed at %s: %v", step, err)
		}
		w.apply()
		if n := w.count("SELECT count() FROM tracking_plans"); n != 1 || w.count("SELECT count() FROM control_outcomes WHERE outcome = 'ok'") != 1 {
			t.Errorf("killed at %s: %d plans", step, n)
		}
	}
}
