package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// decisionBlock is rows of identity_decisions, of one command: stored whole or
// not at all.
type decisionBlock struct {
	workspace, kind   []string
	a, b              []uint64
	at                []int64
	id, actor, reason []string
	value             []string
	on                []bool
}

func (*decisionBlock) table() string { return "identity_decisions" }
func (*decisionBlock) statement() string {
	return `INSERT INTO identity_decisions (workspace, kind, a, b, decided_at, decision_id, is_on, value, actor, reason)`
}
func (b *decisionBlock) rows() int { return len(b.id) }
func (b *decisionBlock) columns(i, j int) []any {
	return []any{
		names(b.workspace[i:j]), names(b.kind[i:j]), b.a[i:j], b.b[i:j], b.at[i:j], b.id[i:j], b.on[i:j],
		b.value[i:j], b.actor[i:j], b.reason[i:j],
	}
}

func (b *decisionBlock) add(workspace string, d identity.Decision) {
	b.workspace = append(b.workspace, workspace)
	b.kind = append(b.kind, string(d.Kind))
	b.a = append(b.a, uint64(d.A))
	b.b = append(b.b, uint64(d.B))
	b.at = append(b.at, d.At)
	b.id = append(b.id, d.ID)
	b.on = append(b.on, d.On)
	b.value = append(b.value, "")
	b.actor = append(b.actor, d.Actor)
	b.reason = append(b.reason, d.Reason)
}

// commandBlock is rows of identity_commands.
type commandBlock struct {
	workspace, kind, code             []string
	id, target, detail, actor, reason []string
	received                          []int64
	decisions, pairs, moved           []uint64
	epoch, sequence, body             []uint64
}

func (*commandBlock) table() string { return "identity_commands" }
func (*commandBlock) statement() string {
	return `INSERT INTO identity_commands (workspace, command_id, kind, target, received_at, code, detail,
		decisions, pairs, moved, epoch, sequence, actor, reason, body)`
}
func (b *commandBlock) rows() int { return len(b.id) }
func (b *commandBlock) columns(i, j int) []any {
	return []any{
		names(b.workspace[i:j]), b.id[i:j], names(b.kind[i:j]), b.target[i:j], b.received[i:j], names(b.code[i:j]), b.detail[i:j],
		b.decisions[i:j], b.pairs[i:j], b.moved[i:j], b.epoch[i:j], b.sequence[i:j], b.actor[i:j], b.reason[i:j], b.body[i:j],
	}
}

func (b *commandBlock) add(r *order, out identity.Outcome) {
	clip := func(s string, n int) string { return s[:min(len(s), n)] } // A malformed command may have any text.
	b.workspace = append(b.workspace, out.Workspace)
	b.id = append(b.id, out.ID)
	b.kind = append(b.kind, clip(string(r.Kind), maxName))
	b.target = append(b.target, clip(r.Target, maxCommandID))
	b.received = append(b.received, r.received.UnixMilli())
	b.code = append(b.code, string(out.Code))
	b.detail = append(b.detail, out.Detail)
	b.decisions = append(b.decisions, uint64(out.Decisions))
	b.pairs = append(b.pairs, uint64(out.Pairs))
	b.moved = append(b.moved, uint64(out.Moved))
	b.epoch = append(b.epoch, out.Epoch)
	b.sequence = append(b.sequence, out.Sequence)
	b.body = append(b.body, r.Body(r.space.keyer))
	b.actor = append(b.actor, clip(r.Actor, maxText))
	b.reason = append(b.reason, clip(r.Reason, maxText))
}

// done is what is known of a command that has an outcome.
type done struct {
	kind identity.CommandKind
	code identity.RefusalCode
}

// command returns the standing outcome of a command; nil when it has none.
func (s *store) command(ctx context.Context, sp *space, id string) (*done, error) {
	var found *done
	var kind, code string
	err := s.each(pointRead(ctx), `SELECT kind, code FROM identity_commands
		WHERE workspace = {workspace:String} AND command_id = {id:String} AND `+countedRows("epoch", "sequence")+`
		ORDER BY epoch DESC, sequence DESC LIMIT 1`,
		sp.cuts.args("workspace", sp.name, "id", id), []any{&kind, &code}, func() error {
			found = &done{identity.CommandKind(kind), identity.RefusalCode(code)}
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read the outcome of a command: %w", err)
	}
	return found, nil
}

// ofCommand is the SQL condition for the decisions of a command, and
// ofCommandArgs binds it. Few decisions are ever made, so reading all ids of a
// workspace takes less than an index of them costs.
const ofCommand = `length(decision_id) = length({command:String}) + {digits:UInt64} + 1 AND startsWith(decision_id, concat({command:String}, '/'))`

func ofCommandArgs(workspace, command string) []any {
	return named("workspace", workspace, "command", command, "digits", uint64(numberDigits))
}

const decisionColumns = `kind, a, b, is_on, toUnixTimestamp64Milli(decided_at), decision_id`

// decisionsOf returns the decisions that were made of the record of a command which
// was received at a time, in order. None of them is of an earlier one, see decider:
// so the engine need not read the ids of those that are.
func (s *store) decisionsOf(ctx context.Context, workspace, command string, received time.Time) ([]identity.Decision, error) {
	return s.decisions(pointRead(ctx), `SELECT `+decisionColumns+` FROM identity_decisions
		PREWHERE decided_at >= fromUnixTimestamp64Milli({received:Int64}, 'UTC')
		WHERE workspace = {workspace:String} AND `+ofCommand+` ORDER BY decision_id LIMIT 1 BY decision_id`,
		append(ofCommandArgs(workspace, command), named("received", received.UnixMilli())...))
}

// subjectsOf returns all decisions about the subjects of a command, by subject,
// each subject's in order.
func (s *store) subjectsOf(ctx context.Context, workspace, command string) ([]identity.Decision, error) {
	return s.decisions(ctx, `SELECT `+decisionColumns+` FROM identity_decisions
		WHERE workspace = {workspace:String} AND (kind, a, b) IN
			(SELECT kind, a, b FROM identity_decisions WHERE workspace = {workspace:String} AND `+ofCommand+`)
		ORDER BY kind, a, b, decided_at, decision_id LIMIT 1 BY kind, a, b, decided_at, decision_id`,
		ofCommandArgs(workspace, command))
}

// mustLinksOf returns all must-links of pairs that commands decided.
func (s *store) mustLinksOf(ctx context.Context, workspace string, pairs [][2]identity.Key) ([]identity.Decision, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	ctx, err := withPairs(ctx, pairs)
	if err != nil {
		return nil, err
	}
	return s.decisions(ctx, `SELECT `+decisionColumns+` FROM identity_decisions
		WHERE workspace = {workspace:String} AND kind = 'must_link' AND (a, b) IN pairs LIMIT 1 BY a, b, decided_at, decision_id`,
		named("workspace", workspace))
}

func (s *store) decisions(ctx context.Context, query string, args []any) ([]identity.Decision, error) {
	var all []identity.Decision
	var kind string
	var a, b uint64
	var d identity.Decision
	err := s.each(ctx, query, args, []any{&kind, &a, &b, &d.On, &d.At, &d.ID}, func() error {
		d.Kind, d.A, d.B = identity.DecisionKind(kind), identity.Key(a), identity.Key(b)
		all = append(all, d)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	return all, nil
}

// Outcome returns what became of a command; false when it has none yet. It reads
// the tables as every reader does, so any process may ask.
func (l *Ledger) Outcome(ctx context.Context, workspace, id string) (identity.Outcome, bool, error) {
	out := identity.Outcome{ID: id, Workspace: workspace}
	var code string
	var decisions, pairs, moved uint64
	found := false
	// Where nothing was published yet, a refusal is of version 0/0.
	err := l.store.each(ctx, `SELECT o.code, o.detail, o.decisions, o.pairs, o.moved, o.epoch, o.sequence FROM identity_commands AS o
		LEFT JOIN identity_counted AS c ON o.workspace = c.workspace AND o.epoch = c.epoch
		WHERE o.workspace = {workspace:String} AND o.command_id = {id:String} AND o.sequence <= c.last_sequence
		ORDER BY o.epoch DESC, o.sequence DESC LIMIT 1`,
		named("workspace", workspace, "id", id),
		[]any{&code, &out.Detail, &decisions, &pairs, &moved, &out.Epoch, &out.Sequence}, func() error {
			found = true
			return nil
		})
	if err != nil {
		return identity.Outcome{}, false, fmt.Errorf("read the outcome of a command: %w", err)
	}
	out.Code = identity.RefusalCode(code)
	out.Decisions, out.Pairs, out.Moved = int(decisions), int(pairs), int(moved)
	return out, found, nil
}
