package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// live is an owner that waits for what the test gives it.
func (w *world) live() (*Ledger, *owner) {
	w.t.Helper()
	l := w.ledger(nil)
	o := newOwner(l, w.topic.join())
	if err := o.start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return l, o
}

// catchUp lets o process all that is left of the topic.
func (w *world) catchUp(o *owner) {
	w.t.Helper()
	for rest := w.topic.log[o.offset:]; len(rest) > 0 || o.flipping(); rest = w.topic.log[o.offset:] {
		if err := o.process(w.t.Context(), rest); err != nil {
			w.t.Fatal(err)
		}
	}
}

// TestTryCommand tries random commands of random ledgers and then gives them: the
// outcome is the one that was said, to the identifiers that move, and the trial
// changed nothing that anybody sees.
func TestTryCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	db := warehousetest.Shared(t)
	applied := map[identity.CommandKind]int{}
	refused := 0
	for i := range histories(t) {
		seed := firstSeed + uint64(i)
		w := newWorld(t, db, seed)
		l, o := w.live()
		for range 40 {
			for range 3 {
				w.send(w.random())
			}
			w.catchUp(o)
			c := w.randomCommand()
			c.ID, c.Actor = fmt.Sprintf("cmd-%d", w.commands+1), "ops@shop.example"
			before, decisions := w.readings(), len(w.decisions(c.Workspace))
			trial, err := l.TryCommand(t.Context(), c)
			if err != nil {
				if errors.Is(err, identity.ErrNotOwner) { // Nothing was sent to it yet.
					continue
				}
				t.Fatalf("seed %d: %v", seed, err)
			}
			if diff := cmp.Diff(before, w.readings(), cmp.AllowUnexported(reading{})); diff != "" || len(w.decisions(c.Workspace)) != decisions {
				t.Fatalf("seed %d: a trial changed something: %s", seed, diff)
			}
			w.ask(c)
			w.catchUp(o)
			out, ok, err := l.Outcome(t.Context(), c.Workspace, c.ID)
			if err != nil || !ok {
				t.Fatalf("seed %d: %v, %v", seed, ok, err)
			}
			said := trial.Outcome
			out.Epoch, out.Sequence, said.Epoch, said.Sequence = 0, 0, 0, 0
			if out != said {
				t.Fatalf("seed %d: %s is %+v, and %+v was said", seed, c.Kind, out, said)
			}
			w.checkMoves(seed, c, trial, before[c.Workspace], w.published(c.Workspace))
			if out.Code == "" {
				applied[c.Kind]++
			} else {
				refused++
			}
		}
		if err := w.check(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	if len(applied) < 4 || refused == 0 {
		t.Errorf("applied %v, %d refused", applied, refused)
	}
}

// checkMoves compares what a trial said of identifiers and profiles with two
// readings.
func (w *world) checkMoves(seed uint64, c identity.Command, trial identity.CommandTrial, before, after reading) {
	w.t.Helper()
	at := func(r reading, k identity.Key) identity.Key {
		if p, ok := r.profile[k]; ok {
			return identity.Key(p)
		}
		return k
	}
	moved := map[identity.Key]bool{}
	for _, m := range trial.Moves {
		moved[m.Key] = true
		if m.Before != at(before, m.Key) || m.After != at(after, m.Key) || m.Before == m.After || m.Value == "" {
			w.t.Fatalf("seed %d: %s moves %+v, from %x to %x", seed, c.Kind, m, at(before, m.Key), at(after, m.Key))
		}
	}
	keys := map[identity.Key]bool{}
	for _, e := range w.sent[c.Workspace] {
		for _, m := range e.Members {
			keys[m.Key] = true
			if !moved[m.Key] && at(before, m.Key) != at(after, m.Key) {
				w.t.Fatalf("seed %d: %s moves %s, which was not said", seed, c.Kind, m.Identifier)
			}
		}
	}
	for _, p := range trial.Profiles {
		var was, is int
		for k := range keys {
			if at(before, k) == p.Profile {
				was++
			}
			if at(after, k) == p.Profile {
				is++
			}
		}
		if was != p.Before && p.Before+was > 1 || is != p.After && p.After+is > 1 {
			w.t.Fatalf("seed %d: %s makes of profile %x %d and then %d identifiers, and %+v was said", seed, c.Kind, p.Profile, was, is, p)
		}
	}
}

// TestTryUnmerge names what an unmerge would do, by the id that it will have.
func TestTryUnmerge(t *testing.T) {
	w := coupled(t)
	l, _ := w.live()
	c := identity.Command{
		ID: "u-1", Workspace: w.workspaces[0], Kind: identity.Unmerge, Actor: "ops", Identifiers: []identity.Identifier{bobMail},
	}
	trial, err := l.TryCommand(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if trial.ID != "u-1" || trial.Pairs != 2 || trial.Decisions != 3 || trial.Moved != 1 || trial.Code != "" {
		t.Errorf("%+v", trial)
	}
	kinds := map[identity.DecisionKind]int{}
	for _, d := range trial.Decided {
		kinds[d.Kind]++
		if d.A.Value == "" || d.B.Value == "" || !d.On {
			t.Errorf("decision %+v", d)
		}
	}
	if kinds[identity.Reject] != 2 || kinds[identity.CannotLink] != 1 {
		t.Errorf("decides %v", kinds)
	}
	if len(trial.Moves) != 1 || trial.Moves[0].Identifier != bobMail || trial.Moves[0].After != w.key(bobMail) {
		t.Errorf("moves %+v", trial.Moves)
	}
	if len(trial.Profiles) != 2 {
		t.Errorf("profiles %+v", trial.Profiles)
	}
	if w.profile(bobMail) != w.profile(ana) {
		t.Error("it was done")
	}
	if out := w.must(c); out.Pairs != trial.Pairs || out.Moved != trial.Moved {
		t.Errorf("%+v, and %+v was said", out, trial)
	}
	l, _ = w.live()
	if again, err := l.TryCommand(t.Context(), c); err != nil || again.Code != identity.RefusedReused {
		t.Errorf("with the id of another command: %+v, %v", again, err)
	}
	for _, bad := range []identity.Command{
		{ID: "r", Workspace: w.workspaces[0], Kind: identity.Redeclare, Rules: "{}", Actor: "ops"},
		{ID: "l", Workspace: w.workspaces[0], Kind: identity.Link, Actor: "ops"},
	} {
		if out, err := l.TryCommand(t.Context(), bad); err != nil || out.Code != identity.RefusedMalformed || out.Detail == "" {
			t.Errorf("%s: %+v, %v", bad.Kind, out, err)
		}
	}
	c.Workspace = "elsewhere"
	if _, err := l.TryCommand(t.Context(), c); !errors.Is(err, identity.ErrNotOwner) {
		t.Errorf("of another workspace: %v", err)
	}
}

// TestTryWaits: a trial waits for the batch of the owner, and no longer than it is
// allowed to.
func TestTryWaits(t *testing.T) {
	w := coupled(t)
	l, o := w.live()
	c := identity.Command{ID: "b", Workspace: w.workspaces[0], Kind: identity.BlockValue, Actor: "ops", Identifiers: []identity.Identifier{tablet}}
	o.turn <- struct{}{} // the owner is at work
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := l.TryCommand(ctx, c)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "wait for a batch") {
		t.Errorf("a trial during a batch ended with %v", err)
	}
	<-o.turn
	if out, err := l.TryCommand(t.Context(), c); err != nil || out.Moved == 0 {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestTryWhileEvidenceComes tries commands while an owner is at work: what it
// publishes is what it would have published.
func TestTryWhileEvidenceComes(t *testing.T) {
	w := newWorld(t, warehousetest.Shared(t), firstSeed)
	l, o := w.live()
	var all [][]kafka.Message
	commands := make([]identity.Command, 60)
	for i := range commands {
		from := len(w.topic.log)
		for range 3 {
			w.send(w.random())
		}
		all = append(all, w.topic.log[from:])
		commands[i] = w.randomCommand()
		commands[i].ID, commands[i].Actor = "trial", "ops"
	}
	done := make(chan error, 1)
	go func() {
		for _, batch := range all {
			if err := o.process(context.WithoutCancel(t.Context()), batch); err != nil {
				done <- err
				return
			}
		}
		for o.flipping() {
			if err := o.process(context.WithoutCancel(t.Context()), nil); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	tried := 0
	for i := 0; ; i++ {
		out, err := l.TryCommand(t.Context(), commands[i%len(commands)])
		if err != nil && !errors.Is(err, identity.ErrNotOwner) { // It has nothing yet.
			t.Fatal(err)
		}
		if out.Moved > 0 {
			tried++
		}
		if len(done) > 0 {
			break
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	w.mustCheck("after trials")
	if tried == 0 {
		t.Error("no trial would have moved anybody")
	}
}

// TestOneTrialOfRules: while rules are tried others are told so, and can see how
// far it is; faults are an answer.
func TestOneTrialOfRules(t *testing.T) {
	w := coupled(t)
	l, _ := w.live()
	same := fileOf(testRules())
	same.Rename = nil // one of them is not trusted
	name, rules := w.workspaces[0], rulefile.FormatJSON(same)
	if p, err := l.TrialProgress(t.Context(), name); err != nil || p.Running {
		t.Errorf("before: %+v, %v", p, err)
	}
	l.beside <- struct{}{} // the first one waits here
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := l.TryRules(ctx, name, rules)
		done <- err
	}()
	for p := (identity.TrialProgress{}); !p.Running; {
		var err error
		if p, err = l.TrialProgress(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	gone, leave := context.WithCancel(t.Context())
	leave() // or it would wait for the first one, were it let in
	if _, err := l.TryRules(gone, name, rules); !errors.Is(err, identity.ErrTrialRunning) {
		t.Errorf("a second one: %v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("an ended one: %v", err)
	}
	<-l.beside
	if r, err := l.TryRules(t.Context(), name, rules); err != nil || r.Refused != "" || r.Before != r.After || r.Before.Profiles == 0 {
		t.Errorf("equal rules: %+v, %v", r, err)
	}
	counted := &trial{}
	if _, err := l.DryRun(counted.watch(t.Context()), name, same); err != nil || counted.rows.Load() == 0 {
		t.Errorf("%d rows were read: %v", counted.rows.Load(), err)
	}
	for _, bad := range []string{"{", `{"caps":{"unit":0}}`, `{"rename":["web"]}`} {
		if r, err := l.TryRules(t.Context(), name, []byte(bad)); err != nil || r.Refused == "" {
			t.Errorf("%s: %+v, %v", bad, r, err)
		}
	}
	if _, err := l.TryRules(t.Context(), "elsewhere", rules); !errors.Is(err, identity.ErrNotOwner) {
		t.Errorf("of another workspace: %v", err)
	}
	if _, err := l.TrialProgress(t.Context(), "elsewhere"); !errors.Is(err, identity.ErrNotOwner) {
		t.Errorf("progress of another workspace: %v", err)
	}
}
