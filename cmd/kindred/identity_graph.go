package main

import (
	"context"
	"errors"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// inquirer answers from the identity graph of the workspaces that a process
// owns, or from that of another process. All methods return identity.ErrNotOwner
// where nobody owns the workspace.
type inquirer interface {
	Why(ctx context.Context, workspace string, a, b identity.Member) (identity.Explanation, error)
	Subgraph(ctx context.Context, workspace string, profile identity.ProfileID) (identity.Subgraph, error)
	Health(ctx context.Context, workspace string) (identity.Health, error)
	Review(ctx context.Context, workspace string, ask identity.ReviewQuery) (identity.Review, error)
	TryRules(ctx context.Context, workspace string, rules []byte) (identity.RulesTrial, error)
	TrialProgress(ctx context.Context, workspace string) (identity.TrialProgress, error)
	TryCommand(ctx context.Context, c identity.Command) (identity.CommandTrial, error)
}

// graphKeeper is api.Identity.
type graphKeeper struct {
	inquirer inquirer
	keyer    func(workspace string) identity.Keyer
}

var _ api.Identity = graphKeeper{}

// Why implements api.Identity.
func (g graphKeeper) Why(ctx context.Context, workspace string, a, b identity.Identifier) (*identity.Explanation, error) {
	keyer := g.keyer(workspace)
	e, err := g.inquirer.Why(ctx, workspace, identity.Member{Identifier: a, Key: keyer.Key(a)}, identity.Member{Identifier: b, Key: keyer.Key(b)})
	if err != nil {
		return nil, notHere(err)
	}
	return &e, nil
}

// Subgraph implements api.Identity.
func (g graphKeeper) Subgraph(ctx context.Context, workspace string, id identity.ProfileID) (*identity.Subgraph, error) {
	s, err := g.inquirer.Subgraph(ctx, workspace, id)
	if err != nil {
		return nil, notHere(err)
	}
	if len(s.Identifiers) == 0 {
		return nil, profiles.ErrNotFound
	}
	return &s, nil
}

// Health implements api.Identity.
func (g graphKeeper) Health(ctx context.Context, workspace string) (*identity.Health, error) {
	h, err := g.inquirer.Health(ctx, workspace)
	if err != nil {
		return nil, notHere(err)
	}
	return &h, nil
}

// Review implements api.Identity.
func (g graphKeeper) Review(ctx context.Context, workspace string, ask identity.ReviewQuery) (*identity.Review, error) {
	r, err := g.inquirer.Review(ctx, workspace, ask)
	if err != nil {
		return nil, notHere(err)
	}
	return &r, nil
}

// DryRun implements api.Identity.
func (g graphKeeper) DryRun(ctx context.Context, workspace string, rules []byte) (*api.DryRun, error) {
	t, err := g.inquirer.TryRules(ctx, workspace, rules)
	if err != nil {
		return nil, notHere(err)
	}
	counts := func(c identity.TrialCounts) api.DryRunCounts { return api.DryRunCounts(c) }
	return &api.DryRun{
		Refused: t.Refused, Before: counts(t.Before), After: counts(t.After), Split: t.Splits, Joined: t.Joins, Moved: t.Moves,
		Splits: dryRunExamples(t.SplitExamples), Joins: dryRunExamples(t.JoinExamples), Moves: dryRunIdentifiers(t.MoveExamples),
	}, nil
}

func dryRunExamples(all []identity.TrialExample) []api.DryRunExample {
	out := make([]api.DryRunExample, len(all))
	for i, e := range all {
		out[i] = api.DryRunExample{Profile: identity.ProfileID(e.Profile), Identifiers: dryRunIdentifiers(e.Identifiers), More: e.More}
	}
	return out
}

func dryRunIdentifiers(all []identity.TrialIdentifier) []api.DryRunIdentifier {
	out := make([]api.DryRunIdentifier, len(all))
	for i, x := range all {
		out[i] = api.DryRunIdentifier{
			Key: x.Key, Namespace: x.Namespace, Before: identity.ProfileID(x.Before), After: identity.ProfileID(x.After),
		}
	}
	return out
}

// DryRunProgress implements api.Identity.
func (g graphKeeper) DryRunProgress(ctx context.Context, workspace string) (*identity.TrialProgress, error) {
	p, err := g.inquirer.TrialProgress(ctx, workspace)
	if err != nil {
		return nil, notHere(err)
	}
	return &p, nil
}

// Try implements api.Identity.
func (g graphKeeper) Try(ctx context.Context, c identity.Command) (*identity.CommandTrial, error) {
	t, err := g.inquirer.TryCommand(ctx, c)
	if err != nil {
		return nil, notHere(err)
	}
	return &t, nil
}

// notHere turns the answer of a process that does not own a workspace into that
// of the API.
func notHere(err error) error {
	if errors.Is(err, identity.ErrNotOwner) {
		return api.ErrIdentityNotHere
	}
	return err
}
