package ledger

import (
	"cmp"
	"context"
	"fmt"

	"github.com/kindred-cdp/kindred/identity"
)

// undos are the targets of the undos of a workspace, by their own ids.
type undos map[string]string

// active reports whether a command is in effect: no undo of it is.
func (u undos) active(command string) bool {
	for undo, target := range u {
		if target == command && u.active(undo) {
			return false
		}
	}
	return true
}

// root returns the command whose decisions a chain of undos is about.
func (u undos) root(command string) string {
	for target, ok := u[command]; ok; target, ok = u[command] {
		command = target
	}
	return command
}

// judgeUndo takes a command back, and an undo of an undo brings it again. What
// then stands for each subject is the last decision of all commands that are in
// effect, so that commands may be undone in any order; where a later one decided
// the same subject, nothing changes. A rename is taken back like a command, by
// the id of its message.
func (o *owner) judgeUndo(ctx context.Context, r *order, d *decider) (verdict, error) {
	target, err := o.store.command(ctx, r.space, r.Target)
	if err != nil {
		return verdict{}, err
	}
	switch {
	case target == nil: // It may be the message of a rename.
	case target.code != "":
		return refuse(identity.RefusedUnknown, "the target was refused, and decided nothing"), nil
	case target.kind == identity.Erase:
		return refuse(identity.RefusedMalformed, "nothing brings back what was erased"), nil
	case target.kind == identity.Redeclare:
		return refuse(identity.RefusedMalformed, "rules are not undone: declare the ones before as a new version"), nil
	}
	u, err := o.store.undos(ctx, r.space)
	if err != nil {
		return verdict{}, err
	}
	if !u.active(r.Target) {
		return refuse(identity.RefusedStanding, "the target is undone already"), nil
	}
	history, err := o.store.historyOf(ctx, r.space, u.root(r.Target))
	if err != nil {
		return verdict{}, err
	}
	if target == nil && len(history) == 0 {
		return refuse(identity.RefusedUnknown, "no command has the id of the target, and no message that renames"), nil
	}
	u[r.ID] = r.Target
	u.revise(history, d)
	return d.verdict(), nil
}

// revise decides what u changes in a history, which is in order of subject and
// then of time.
func (u undos) revise(history []identity.Decision, d *decider) {
	active := map[string]bool{}
	inEffect := func(command string) bool {
		on, known := active[command]
		if !known {
			on = u.active(command)
			active[command] = on
		}
		return on
	}
	want := false
	for i, h := range history {
		command := commandOf(h.ID)
		if _, undo := u[command]; !undo && inEffect(command) {
			want = h.On
		}
		if i+1 < len(history) && sameSubject(h, history[i+1]) {
			continue
		}
		if want != h.On {
			d.decide(h.Kind, h.A, h.B, want)
		}
		want = false
	}
}

// byDecision orders by subject and then by what stands.
func byDecision(a, b identity.Decision) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B), cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
}

func sameSubject(a, b identity.Decision) bool { return a.Kind == b.Kind && a.A == b.A && a.B == b.B }

// undos returns the undos of sp that were applied.
func (s *store) undos(ctx context.Context, sp *space) (undos, error) {
	u := undos{}
	var id, target string
	err := s.each(ctx, `SELECT command_id, target FROM identity_commands
		WHERE workspace = {workspace:String} AND kind = 'undo' AND code = '' AND `+countedRows("epoch", "sequence"),
		sp.cuts.args("workspace", sp.name), []any{&id, &target}, func() error {
			u[id] = target
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read undos: %w", err)
	}
	return u, nil
}
