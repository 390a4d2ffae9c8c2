package ledger

import (
	"errors"
	"fmt"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// randomCommand returns a command of a small world: most of them can be done, by
// what is published of its workspace, and the rest are refused.
func (w *world) randomCommand() identity.Command {
	c := identity.Command{Workspace: w.workspaces[w.r.IntN(len(w.workspaces))]}
	sent := w.sent[c.Workspace]
	if len(sent) == 0 {
		c.Kind, c.Target = identity.Undo, "nothing"
		return c
	}
	pick := func() identity.Identifier {
		m := sent[w.r.IntN(len(sent))].Members
		return m[w.r.IntN(len(m))].Identifier
	}
	c.Identifiers = []identity.Identifier{pick()}
	switch w.r.IntN(5) {
	case 0:
		c.Kind, c.Identifiers, c.Target = identity.Undo, nil, fmt.Sprintf("cmd-%d", 1+w.r.IntN(w.commands+1))
	case 1:
		c.Kind = []identity.CommandKind{identity.BlockValue, identity.UnblockValue}[w.r.IntN(2)]
	case 2:
		c.Kind = identity.Link
		for other := pick(); len(c.Identifiers) < 2; other = pick() {
			if other != c.Identifiers[0] || len(sent) == 1 {
				c.Identifiers = append(c.Identifiers, other)
			}
		}
		if w.r.IntN(2) == 0 {
			c.Override, c.Reason = true, "we asked them"
		}
	default:
		c.Kind = identity.Unmerge
	}
	return c
}

// TestCommandStream sends random evidence and commands, in random batches, with
// owners that stop before random steps: what readers see is what the definition
// makes of the evidence and the decisions that are in the ledger, and each
// command has one outcome.
func TestCommandStream(t *testing.T) {
	db := warehousetest.Shared(t)
	for i := range histories(t) {
		seed := firstSeed + uint64(i)
		w := newWorld(t, db, seed)
		stops := map[string]int{}
		for range 4 {
			for range 15 {
				w.sendRandom()
				if w.r.IntN(3) == 0 {
					w.ask(w.randomCommand())
				}
			}
			for range 3 {
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
		}
		if err := w.own(nil); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := w.check(); err != nil {
			t.Fatalf("seed %d, stops %v: %v", seed, stops, err)
		}
		applied, refused := w.checkOutcomes(fmt.Sprint("seed ", seed))
		if applied < w.commands/5 || refused == 0 {
			t.Errorf("seed %d: of %d commands %d were applied and %d refused", seed, w.commands, applied, refused)
		}
	}
}

// checkOutcomes returns how many commands were applied and refused, after
// checking that each has one outcome and that outcomes and decisions agree.
func (w *world) checkOutcomes(when string) (applied, refused int) {
	w.t.Helper()
	made := map[string]int{}
	for _, name := range w.workspaces {
		for _, d := range w.decisions(name) {
			made[commandOf(d.ID)]++
		}
	}
	rows, err := w.db.Query(w.t.Context(), `SELECT o.command_id, count(), any(o.code), any(o.decisions), any(o.sequence) <= any(c.last_sequence)
		FROM identity_commands AS o LEFT JOIN identity_counted AS c ON o.workspace = c.workspace AND o.epoch = c.epoch
		WHERE o.workspace IN ? AND o.sequence <= c.last_sequence GROUP BY o.command_id`, w.workspaces)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id, code string
		var n, decisions uint64
		var counted bool
		if err := rows.Scan(&id, &n, &code, &decisions, &counted); err != nil {
			w.t.Fatal(err)
		}
		if n != 1 || !counted || made[id] != int(decisions) {
			w.t.Errorf("%s: command %s has %d outcomes (counted: %v), and %d decisions of %d", when, id, n, counted, made[id], decisions)
		}
		if code == "" {
			applied++
		} else {
			refused++
		}
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	if applied+refused != w.commands {
		w.t.Errorf("%s: %d of %d commands have an outcome", when, applied+refused, w.commands)
	}
	return applied, refused
}

// TestCommandStopped stops an owner before each step of a command, and lets
// another one go on: the command is done once, as if nothing had happened. A
// block flips a class, so all steps are among them.
func TestCommandStopped(t *testing.T) {
	db := warehousetest.Shared(t)
	for _, c := range []identity.Command{
		{Kind: identity.BlockValue, Identifiers: []identity.Identifier{tablet}},
		{Kind: identity.Unmerge, Identifiers: []identity.Identifier{bobMail}},
	} {
		steps := map[string]bool{}
		var want identity.Outcome // undisturbed
		first, by := strides(t)
		for stop := -1; ; stop = after(stop, first, by) {
			w := newWorld(t, db, firstSeed)
			w.whole = true
			w.workspaces = []string{fmt.Sprintf("stopped-%s", c.Kind), fmt.Sprintf("beside-%s", c.Kind)}
			for i := range w.workspaces { // Ids of the same evidence are those of the workspace.
				w.workspaces[i] += fmt.Sprint("-", worldCount)
			}
			couple(w)
			if err := w.own(nil); err != nil {
				t.Fatal(err)
			}
			id := w.ask(c)
			left, name := stop, ""
			var started bool
			err := w.own(func(step string) error {
				started = started || step == "command"
				if !started || stop < 0 {
					return nil
				}
				if left--; left < 0 {
					name = step
					return errCrash
				}
				return nil
			})
			if err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			ended := stop >= 0 && err == nil
			if err := w.own(nil); err != nil {
				t.Fatal(err)
			}
			when := fmt.Sprintf("%s stopped before %q", c.Kind, name)
			w.mustCheck(when)
			w.checkOutcomes(when)
			out := w.outcome(id)
			out.Epoch, out.Sequence = 0, 0
			if stop < 0 {
				want = out
			}
			if out.Code != "" || out.Decisions == 0 || out.Moved == 0 || out.Moved != want.Moved || out.Decisions != want.Decisions {
				t.Errorf("%s: %+v, want %+v", when, out, want)
			}
			if w.profile(c.Identifiers[0]) == w.profile(ana) {
				t.Errorf("%s: still one profile", when)
			}
			if ended {
				break
			}
			steps[name] = true
		}
		mustHaveStopped(t, by, steps, "command", "decisions", "reading", "version", "outcome", "notices", "commit")
		if by == 1 && c.Kind == identity.BlockValue && !steps["start flips"] {
			t.Errorf("a block started no flip: %v", steps)
		}
	}
}

// TestReplacedInCommand holds an owner before each step of a command while its
// successor opens the workspace, and lets it store what it still can before the
// successor comes to the command: the successor finds decisions that it has not
// loaded, and reads them.
func TestReplacedInCommand(t *testing.T) {
	db := warehousetest.Shared(t)
	for _, held := range []string{"command", "decisions", "reading", "version", "outcome", "notices", "commit"} {
		w := newWorld(t, db, firstSeed)
		w.whole = true
		couple(w)
		if err := w.own(nil); err != nil {
			t.Fatal(err)
		}
		id := w.ask(identity.Command{Kind: identity.Unmerge, Identifiers: []identity.Identifier{bobMail}})
		var next *owner
		started := false
		err := w.own(func(name string) error {
			started = started || name == "command"
			if next != nil || !started || name != held {
				return nil
			}
			next = newOwner(w.ledger(nil), w.topic.join())
			return next.start(t.Context())
		})
		if !errors.Is(err, errFence) {
			t.Fatalf("replaced owner held before %q ended with %v", held, err)
		}
		if err := next.process(t.Context(), w.topic.log[next.offset:]); err != nil {
			t.Fatal(err)
		}
		when := fmt.Sprintf("replaced before %q", held)
		w.mustCheck(when)
		w.checkOutcomes(when)
		if out := w.outcome(id); out.Code != "" || w.profile(bobMail) == w.profile(ana) {
			t.Errorf("%s: %+v, and still one profile", when, out)
		}
		if n := next.spaces[w.workspaces[0]].graph; n.Profile(w.key(bobMail)) == n.Profile(w.key(ana)) {
			t.Errorf("%s: the successor does not know of the decisions", when)
		}
	}
}
