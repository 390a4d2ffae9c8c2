package main

import (
	"context"
	"errors"
	"testing"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// owned is an inquirer of one workspace.
type owned struct {
	err  error
	keys []identity.Key
}

func (o *owned) Why(_ context.Context, _ string, a, b identity.Member) (identity.Explanation, error) {
	o.keys = append(o.keys, a.Key, b.Key)
	return identity.Explanation{A: a.Identifier, B: b.Identifier}, o.err
}

func (o *owned) Subgraph(_ context.Context, _ string, id identity.ProfileID) (identity.Subgraph, error) {
	if id == 9 {
		return identity.Subgraph{}, o.err
	}
	return identity.Subgraph{Profile: id, Identifiers: make([]identity.GraphIdentifier, 1)}, o.err
}

func (o *owned) Health(context.Context, string) (identity.Health, error) {
	return identity.Health{Profiles: 2}, o.err
}

func (o *owned) Review(_ context.Context, _ string, ask identity.ReviewQuery) (identity.Review, error) {
	return identity.Review{Waiting: ask.Limit}, o.err
}

func (o *owned) TryRules(_ context.Context, _ string, rules []byte) (identity.RulesTrial, error) {
	return identity.RulesTrial{Splits: len(rules), Moves: 1, MoveExamples: []identity.TrialIdentifier{{Key: 7, Before: 7, After: 9}}}, o.err
}

func (o *owned) TrialProgress(context.Context, string) (identity.TrialProgress, error) {
	return identity.TrialProgress{Running: true}, o.err
}

func (o *owned) TryCommand(_ context.Context, c identity.Command) (identity.CommandTrial, error) {
	return identity.CommandTrial{Outcome: identity.Outcome{ID: c.ID}}, o.err
}

func TestGraphKeeper(t *testing.T) {
	keyer := func(workspace string) identity.Keyer { return identity.NewKeyer(identity.Secret{1}, workspace) }
	a, b := identity.Identifier{Namespace: "email", Value: "a@b"}, identity.Identifier{Namespace: "user_id", Value: "1"}
	o := &owned{}
	g := graphKeeper{inquirer: o, keyer: keyer}
	ctx := t.Context()
	if e, err := g.Why(ctx, "main", a, b); err != nil || e.B != b || o.keys[0] != keyer("main").Key(a) || o.keys[1] != keyer("main").Key(b) {
		t.Errorf("why: %+v, %v, of %v", e, err, o.keys)
	}
	if s, err := g.Subgraph(ctx, "main", 7); err != nil || s.Profile != 7 {
		t.Errorf("subgraph: %+v, %v", s, err)
	}
	if s, err := g.Subgraph(ctx, "main", 9); !errors.Is(err, profiles.ErrNotFound) {
		t.Errorf("subgraph of nobody: %+v, %v", s, err)
	}
	if d, err := g.DryRun(ctx, "main", []byte(`{}`)); err != nil || d.Split != 2 || d.Moved != 1 || len(d.Moves) != 1 || d.Moves[0].After != 9 {
		t.Errorf("dry run: %+v, %v", d, err)
	}
	if p, err := g.DryRunProgress(ctx, "main"); err != nil || !p.Running {
		t.Errorf("progress: %+v, %v", p, err)
	}
	if c, err := g.Try(ctx, identity.Command{ID: "c1"}); err != nil || c.ID != "c1" {
		t.Errorf("trial: %+v, %v", c, err)
	}
	if r, err := g.Review(ctx, "main", identity.ReviewQuery{Limit: 3}); err != nil || r.Waiting != 3 {
		t.Errorf("review: %+v, %v", r, err)
	}
	o.err = identity.ErrTrialRunning
	if _, err := g.DryRun(ctx, "main", nil); !errors.Is(err, identity.ErrTrialRunning) {
		t.Errorf("while another runs: %v", err)
	}
	o.err = identity.ErrNotOwner
	_, err1 := g.Why(ctx, "main", a, b)
	_, err2 := g.Subgraph(ctx, "main", 7)
	_, err3 := g.Health(ctx, "main")
	_, err4 := g.DryRun(ctx, "main", []byte(`{}`))
	_, err5 := g.DryRunProgress(ctx, "main")
	_, err6 := g.Try(ctx, identity.Command{})
	_, err7 := g.Review(ctx, "main", identity.ReviewQuery{})
	for _, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
		if !errors.Is(err, api.ErrIdentityNotHere) {
			t.Errorf("of another owner: %v", err)
		}
	}
}
