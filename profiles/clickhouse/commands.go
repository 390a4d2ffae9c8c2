package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// A point read by the whole sorting key. An outcome counts once its version is
// published: what it says can be read then, and what a replaced owner still said
// never does. A refusal before anything was published is of version 0/0.
const commandSQL = `SELECT toString(o.kind), toString(o.code), o.detail, toUInt64(o.decisions), toUInt64(o.pairs), toUInt64(o.moved),
    toUInt64(o.epoch), toUInt64(o.sequence), o.received_at, o.actor, o.reason, o.body
FROM identity_commands AS o
LEFT JOIN (SELECT epoch, last_sequence FROM identity_counted WHERE workspace = {workspace:String}) AS c ON o.epoch = c.epoch
WHERE o.workspace = {workspace:String} AND o.command_id = {command:String} AND o.sequence <= c.last_sequence
ORDER BY o.epoch DESC, o.sequence DESC
LIMIT 1`

// Command returns what became of a command to identity, or
// profiles.ErrNoCommand.
func (s *Store) Command(ctx context.Context, workspace, id string) (*profiles.Command, error) {
	var c *profiles.Command
	err := s.query(ctx, commandSQL, func(rows driver.Rows) error {
		found := profiles.Command{Outcome: identity.Outcome{ID: id, Workspace: workspace}}
		var kind, code string
		var decisions, pairs, moved uint64
		err := rows.Scan(&kind, &code, &found.Detail, &decisions, &pairs, &moved,
			&found.Epoch, &found.Sequence, &found.ReceivedAt, &found.Actor, &found.Reason, &found.Body)
		found.Kind, found.Code, found.ReceivedAt = identity.CommandKind(kind), identity.RefusalCode(code), found.ReceivedAt.UTC()
		found.Decisions, found.Pairs, found.Moved = int(decisions), int(pairs), int(moved)
		c = &found
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("command", id))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read outcome of a command: %w", err)
	case c == nil:
		return nil, profiles.ErrNoCommand
	}
	return c, nil
}

// The pauses between two looks for an outcome: short at first, because most
// commands are applied within a few of them.
const (
	firstPause = 15 * time.Millisecond
	lastPause  = 250 * time.Millisecond
)

// AwaitCommand is Command, but waits for the outcome until ctx ends. Then it
// returns profiles.ErrNoCommand.
func (s *Store) AwaitCommand(ctx context.Context, workspace, id string) (*profiles.Command, error) {
	timer := time.NewTimer(firstPause)
	defer timer.Stop()
	for pause := firstPause; ; pause = min(pause*3/2, lastPause) {
		c, err := s.Command(ctx, workspace, id)
		if err == nil {
			return c, nil
		}
		if over(ctx) {
			return nil, profiles.ErrNoCommand // The look was cut off.
		}
		if !errors.Is(err, profiles.ErrNoCommand) {
			return nil, err
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
			return nil, profiles.ErrNoCommand
		case <-timer.C:
		}
	}
}

// over reports whether the time of ctx has passed. The deadline of a connection
// is that of ctx, and its read can fail before the timer of ctx is served.
func over(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(end)
}

const rulesSQL = `SELECT version, rules, declared_at
FROM identity_rules
WHERE workspace = {workspace:String}
ORDER BY version DESC
LIMIT 1`

// DeclaredRules returns the rules that a workspace declared last, or
// profiles.ErrNoRules.
func (s *Store) DeclaredRules(ctx context.Context, workspace string) (*profiles.DeclaredRules, error) {
	var r *profiles.DeclaredRules
	err := s.query(ctx, rulesSQL, func(rows driver.Rows) error {
		var version uint64
		r = &profiles.DeclaredRules{}
		err := rows.Scan(&version, &r.Rules, &r.DeclaredAt)
		r.Version, r.DeclaredAt = int(version), r.DeclaredAt.UTC()
		return err
	}, clickhouse.Named("workspace", workspace))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read declared rules: %w", err)
	case r == nil:
		return nil, profiles.ErrNoRules
	}
	return r, nil
}
