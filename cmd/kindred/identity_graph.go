package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/rulefile"
	"github.com/kindred-cdp/kindred/profiles"
)

// inquirer answers from the identity graph of the workspaces that a process
// owns, or from that of another process. All methods return identity.ErrNotOwner
// where nobody owns the workspace.
type inquirer interface {
	Why(ctx context.Context, workspace string, a, b identity.Member) (identity.Explanation, error)
	Subgraph(ctx context.Context, workspace string, profile identity.ProfileID) (identity.Subgraph, error)
	Health(ctx context.Context, workspace string) (identity.Health, error)
}

// graphKeeper is api.Identity.
type graphKeeper struct {
	inquirer inquirer
	keyer    func(workspace string) identity.Keyer
	// dryRun is nil where no graph can be computed.
	dryRun func(ctx context.Context, workspace string, rules rulefile.File) (*api.DryRun, error)
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

// DryRun implements api.Identity.
func (g graphKeeper) DryRun(ctx context.Context, workspace string, rules []byte) (*api.DryRun, error) {
	if g.dryRun == nil {
		return nil, api.ErrIdentityNotHere
	}
	f, err := rulefile.Parse(rules)
	if err != nil {
		return nil, fmt.Errorf("read rules to try: %w", err)
	}
	d, err := g.dryRun(ctx, workspace, f)
	if err != nil {
		return nil, notHere(err)
	}
	return d, nil
}

// notHere turns the answer of a process that does not own a workspace into that
// of the API.
func notHere(err error) error {
	if errors.Is(err, identity.ErrNotOwner) {
		return api.ErrIdentityNotHere
	}
	return err
}
