package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/inquiry"
	"github.com/kindred-cdp/kindred/identity/ledger"
	"github.com/kindred-cdp/kindred/identity/rulefile"
	"github.com/kindred-cdp/kindred/profiles"
)

// identityGraph is api.Identity: the graph of this process where it has one, and
// otherwise that of the process which owns it, found by the addresses of the
// settings or, on one machine, by what such processes write to the data folder.
type identityGraph struct{ r *roles }

var _ api.Identity = identityGraph{}

// Why implements api.Identity.
func (g identityGraph) Why(ctx context.Context, workspace string, a, b identity.Identifier) (*identity.Explanation, error) {
	keyer := identity.NewKeyer(g.r.p.secret, workspace)
	member := func(i identity.Identifier) identity.Member { return identity.Member{Key: keyer.Key(i), Identifier: i} }
	return asked(g, func(i inquiry.Inquirer) (identity.Explanation, error) {
		return i.Why(ctx, workspace, member(a), member(b))
	})
}

// Subgraph implements api.Identity.
func (g identityGraph) Subgraph(ctx context.Context, workspace string, id identity.ProfileID) (*identity.Subgraph, error) {
	s, err := asked(g, func(i inquiry.Inquirer) (identity.Subgraph, error) { return i.Subgraph(ctx, workspace, id) })
	if err == nil && len(s.Identifiers) == 0 {
		return nil, profiles.ErrNotFound
	}
	return s, err
}

// Health implements api.Identity.
func (g identityGraph) Health(ctx context.Context, workspace string) (*identity.Health, error) {
	return asked(g, func(i inquiry.Inquirer) (identity.Health, error) { return i.Health(ctx, workspace) })
}

// asked returns the first answer of those who may own the graph.
func asked[V any](g identityGraph, ask func(inquiry.Inquirer) (V, error)) (*V, error) {
	if g.r.p.settings.roles.has(roleIdentity) {
		v, err := ask(g.r.ledger)
		if !errors.Is(err, identity.ErrNotOwner) {
			return &v, err
		}
	}
	if urls := g.r.p.identityURLs(); len(urls) > 0 {
		client, err := inquiry.NewClient(urls, g.r.p.secret, now)
		if err != nil {
			return nil, fmt.Errorf("ask the identity role: %w", err)
		}
		v, err := ask(client)
		if !errors.Is(err, identity.ErrNotOwner) {
			return &v, err
		}
	}
	return nil, api.ErrIdentityNotHere
}

// graphFolder holds a file for each process that serves its graph: the file's
// name is the port on loopback.
const graphFolder = "identity"

// identityURLs are the addresses of processes that may own graphs.
func (p *platform) identityURLs() (urls []string) {
	if len(p.settings.identityURLs) > 0 {
		return p.settings.identityURLs
	}
	files, _ := os.ReadDir(filepath.Join(p.settings.data, graphFolder))
	for _, f := range files {
		urls = append(urls, "http://"+net.JoinHostPort("127.0.0.1", f.Name()))
	}
	return urls
}

// serveGraph answers other processes from the graphs of this one, and serves its
// metrics, until ctx ends.
func (r *roles) serveGraph(ctx context.Context) error {
	if r.p.settings.roles.has(roleAPI) {
		<-ctx.Done() // The API of this process does both.
		return nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.p.settings.identityAddress)
	if err != nil {
		return fmt.Errorf("serve the identity graph: %w; change --identity-address", err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	file := filepath.Join(r.p.settings.data, graphFolder, port)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, nil, 0o600)); err != nil {
		_ = l.Close()
		return fmt.Errorf("announce the identity graph: %w", err)
	}
	defer func() { _ = os.Remove(file) }()
	mux := http.NewServeMux()
	mux.Handle("/inquiry/", inquiry.NewHandler(r.ledger, r.p.secret, now, r.p.log.With("role", "identity")))
	mux.Handle("GET /metrics", promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the identity graph: %w", err)
	}
	return nil
}

// splitURLs reads the addresses of a setting.
func splitURLs(text string) (urls []string) {
	for _, u := range strings.Split(text, ",") {
		if u = strings.TrimSpace(u); u != "" {
			urls = append(urls, u)
		}
	}
	return urls
}

// DryRun implements api.Identity. It is for processes that own the graph.
func (g identityGraph) DryRun(ctx context.Context, workspace string, rules []byte) (*api.DryRun, error) {
	f, err := rulefile.Parse(rules)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	if !g.r.p.settings.roles.has(roleIdentity) {
		return nil, api.ErrIdentityNotHere
	}
	r, err := g.r.ledger.DryRun(ctx, workspace, f)
	if errors.Is(err, identity.ErrNotOwner) {
		return nil, api.ErrIdentityNotHere
	}
	if err != nil {
		return nil, err
	}
	counts := func(s ledger.Stats) api.DryRunCounts { return api.DryRunCounts{Profiles: s.Profiles, Merges: s.Merges} }
	return &api.DryRun{
		Version: r.Before.Rules, Before: counts(r.Before), After: counts(r.After), Split: r.Splits, Joined: r.Joins, Moved: r.Moves,
		Splits: dryRunExamples(r.SplitExamples, func(i ledger.ExampleIdentifier) identity.ProfileID { return i.After }),
		Joins:  dryRunExamples(r.JoinExamples, func(i ledger.ExampleIdentifier) identity.ProfileID { return i.Before }),
	}, nil
}

// dryRunExamples puts the identifiers of each example into the parts that part
// tells them by, in the order in which parts first occur.
func dryRunExamples(all []ledger.Example, part func(ledger.ExampleIdentifier) identity.ProfileID) []api.DryRunExample {
	out := make([]api.DryRunExample, len(all))
	for i, e := range all {
		out[i].Profile = e.Profile
		place := map[identity.ProfileID]int{}
		for _, x := range e.Identifiers {
			at, ok := place[part(x)]
			if !ok {
				at = len(out[i].Parts)
				place[part(x)] = at
				out[i].Parts = append(out[i].Parts, nil)
			}
			out[i].Parts[at] = append(out[i].Parts[at], x.Key)
		}
	}
	return out
}
