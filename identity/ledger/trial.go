package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
)

// trial is one that runs.
type trial struct {
	begun time.Time
	rows  atomic.Uint64 // read
}

// watch returns a context that counts the rows which queries read.
func (t *trial) watch(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithProgress(func(p *clickhouse.Progress) { t.rows.Add(p.Rows) }))
}

// TryRules is DryRun for those who ask from elsewhere: the rules are a rule file,
// one trial of a workspace runs at a time, its progress can be asked for, and
// what the rules break is an answer. While one runs it returns
// identity.ErrTrialRunning. The end of ctx ends it.
func (l *Ledger) TryRules(ctx context.Context, workspace string, rules []byte) (identity.RulesTrial, error) {
	f, err := rulefile.Parse(rules)
	if err != nil {
		return identity.RulesTrial{Refused: err.Error()}, nil
	}
	t := &trial{begun: l.deps.Now()}
	if err := l.beginTrial(workspace, t); err != nil {
		return identity.RulesTrial{}, err
	}
	defer l.endTrial(workspace)
	r, err := l.DryRun(t.watch(ctx), workspace, f)
	var fault *rulefile.Fault
	switch {
	case errors.As(err, &fault):
		return identity.RulesTrial{Refused: err.Error()}, nil
	case err != nil:
		return identity.RulesTrial{}, err
	}
	counts := func(s Stats) identity.TrialCounts {
		return identity.TrialCounts{Profiles: s.Profiles, Merges: s.Merges}
	}
	return identity.RulesTrial{
		Before: counts(r.Before), After: counts(r.After), Splits: r.Splits, Joins: r.Joins, Moves: r.Moves,
		SplitExamples: trialExamples(r.SplitExamples), JoinExamples: trialExamples(r.JoinExamples),
		MoveExamples: trialIdentifiers(r.MoveExamples),
	}, nil
}

func trialExamples(all []Example) []identity.TrialExample {
	out := make([]identity.TrialExample, len(all))
	for i, e := range all {
		out[i] = identity.TrialExample{Profile: identity.Key(e.Profile), Identifiers: trialIdentifiers(e.Identifiers), More: e.More}
	}
	return out
}

func trialIdentifiers(all []ExampleIdentifier) []identity.TrialIdentifier {
	out := make([]identity.TrialIdentifier, len(all))
	for i, x := range all {
		out[i] = identity.TrialIdentifier{Key: x.Key, Namespace: x.Namespace, Before: identity.Key(x.Before), After: identity.Key(x.After)}
	}
	return out
}

// beginTrial notes a trial of a workspace that this process owns.
func (l *Ledger) beginTrial(workspace string, t *trial) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.spaces[workspace] == nil:
		return identity.ErrNotOwner
	case l.trials[workspace] != nil:
		return identity.ErrTrialRunning
	}
	l.trials[workspace] = t
	return nil
}

func (l *Ledger) endTrial(workspace string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.trials, workspace)
}

// TrialProgress says how far the trial of rules of a workspace is, if one runs.
func (l *Ledger) TrialProgress(_ context.Context, workspace string) (identity.TrialProgress, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spaces[workspace] == nil {
		return identity.TrialProgress{}, identity.ErrNotOwner
	}
	t := l.trials[workspace]
	if t == nil {
		return identity.TrialProgress{}, nil
	}
	return identity.TrialProgress{Running: true, StartedAt: t.begun.UnixMilli(), Rows: t.rows.Load()}, nil
}

// TryCommand says what a command would do if it were given now, by the same code
// that judges and applies commands, between two batches of its owner. Nothing is
// changed or put on record: a command with the same id can be given afterwards.
// Rules are tried by TryRules. It returns identity.ErrNotOwner where this process
// does not own the workspace.
func (l *Ledger) TryCommand(ctx context.Context, c identity.Command) (identity.CommandTrial, error) {
	out := identity.CommandTrial{Outcome: identity.Outcome{ID: c.ID, Workspace: c.Workspace}}
	if err := validateCommand(&c); err != nil || c.Kind == identity.Redeclare {
		if err == nil {
			err = errors.New("rules are tried by a dry run of their own")
		}
		out.Code, out.Detail = identity.RefusedMalformed, err.Error()
		return out, nil
	}
	decisions, moves, err := l.tryCommand(ctx, &c, &out)
	if err != nil {
		return identity.CommandTrial{}, fmt.Errorf("try a command: %w", err)
	}
	out.Decisions, out.Moved = len(decisions), len(moves)
	for _, d := range decisions {
		if d.Kind == identity.Reject && d.On {
			out.Pairs++
		}
	}
	return out, l.describe(ctx, &out, decisions, moves)
}

// tryCommand judges c and tries what it decides, and keeps the verdict in out.
func (l *Ledger) tryCommand(ctx context.Context, c *identity.Command, out *identity.CommandTrial) ([]identity.Decision, []identity.Move, error) {
	sp, release, err := l.idle(ctx, c.Workspace)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	if !sp.graph.Settled() {
		return nil, nil, identity.ErrNotOwner // Its owner stopped in the midst of a batch, and goes.
	}
	done, err := l.store.command(ctx, sp, c.ID)
	if err != nil {
		return nil, nil, err
	}
	if done != nil {
		out.Code, out.Detail = identity.RefusedReused, fmt.Sprintf("a command of kind %s has the id and an outcome", done.kind)
		return nil, nil, nil
	}
	shown := sp.shown(sp.owner.epoch)
	out.Epoch, out.Sequence = shown.Epoch, shown.Sequence
	r := &order{Command: *c, space: sp, received: received(l.deps.Now())}
	if c.Kind == identity.Erase {
		return nil, nil, sp.owner.tryErase(ctx, r, out)
	}
	v, err := sp.owner.judge(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	out.Code, out.Detail = v.code, v.detail
	sp.mu.Lock()
	defer sp.mu.Unlock()
	if len(v.decisions) == 0 {
		return nil, nil, nil
	}
	moves := sp.graph.Try(v.decisions)
	out.Profiles = profilesOf(sp.graph, moves)
	return v.decisions, moves, nil
}

// idle waits until the owner of a workspace is between two batches, and holds it
// there until release: what changes the graph belongs to one goroutine at a time.
func (l *Ledger) idle(ctx context.Context, workspace string) (sp *space, release func(), err error) {
	for {
		l.mu.Lock()
		sp := l.spaces[workspace]
		l.mu.Unlock()
		if sp == nil || sp.owner == nil {
			return nil, nil, identity.ErrNotOwner
		}
		turn := sp.owner.turn
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("wait for a batch of the owner: %w", ctx.Err())
		}
		release := func() { <-turn }
		l.mu.Lock()
		current := l.spaces[workspace] == sp
		l.mu.Unlock()
		if current {
			return sp, release, nil
		}
		release() // It has other rules by now, or another owner.
	}
}

// profilesOf returns the profiles that moves take from or add to, with their
// sizes before and after, in order of id.
func profilesOf(g Graph, moves []identity.Move) []identity.TrialProfile {
	change := map[identity.ProfileID]int{}
	for _, m := range moves {
		change[m.Old]--
		change[m.New]++
	}
	delete(change, 0) // Household values are of no profile.
	list := []identity.TrialProfile{}
	for p, n := range change {
		before := 0
		if g.Profile(identity.Key(p)) == p { // Otherwise the id stands for another profile now.
			before = len(g.Members(p))
		}
		list = append(list, identity.TrialProfile{Profile: identity.Key(p), Before: before, After: before + n})
	}
	slices.SortFunc(list, func(a, b identity.TrialProfile) int { return cmp.Compare(a.Profile, b.Profile) })
	return list[:min(len(list), identity.MaxTrialList)]
}

// describe names what a trial speaks of.
func (l *Ledger) describe(ctx context.Context, out *identity.CommandTrial, decisions []identity.Decision, moves []identity.Move) error {
	decisions = decisions[:min(len(decisions), identity.MaxTrialList)]
	moves = moves[:min(len(moves), identity.MaxTrialList)]
	names := newNaming()
	for _, d := range decisions {
		names.want(d.A, d.B)
	}
	for _, m := range moves {
		names.want(m.Identifier)
	}
	if err := l.store.name(ctx, out.Workspace, names); err != nil {
		return err
	}
	out.Decided, out.Moves = []identity.TrialDecision{}, []identity.TrialMove{}
	for _, d := range decisions {
		out.Decided = append(out.Decided, identity.TrialDecision{Kind: d.Kind, A: names.of[d.A], B: names.of[d.B], On: d.On})
	}
	for _, m := range moves {
		out.Moves = append(out.Moves, identity.TrialMove{
			Identifier: names.of[m.Identifier], Key: m.Identifier, Before: identity.Key(m.Old), After: identity.Key(m.New),
		})
	}
	if out.Profiles == nil {
		out.Profiles = []identity.TrialProfile{}
	}
	return nil
}
