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

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/inquiry"
)

// graphKeeper answers the API from whoever owns a graph.
func (r *roles) graphKeeper() graphKeeper {
	return graphKeeper{
		inquirer: graphOwner{r},
		keyer:    func(workspace string) identity.Keyer { return identity.NewKeyer(r.p.secret, workspace) },
	}
}

// graphOwner asks the graph of this process where it owns one, and otherwise the
// process which does, found by the addresses of the settings or, on one machine,
// by what such processes write to the data folder.
type graphOwner struct{ r *roles }

var _ inquirer = graphOwner{}

// Why implements inquirer.
func (g graphOwner) Why(ctx context.Context, workspace string, a, b identity.Member) (identity.Explanation, error) {
	return asked(g, func(i inquirer) (identity.Explanation, error) { return i.Why(ctx, workspace, a, b) })
}

// Subgraph implements inquirer.
func (g graphOwner) Subgraph(ctx context.Context, workspace string, id identity.ProfileID) (identity.Subgraph, error) {
	return asked(g, func(i inquirer) (identity.Subgraph, error) { return i.Subgraph(ctx, workspace, id) })
}

// Health implements inquirer.
func (g graphOwner) Health(ctx context.Context, workspace string) (identity.Health, error) {
	return asked(g, func(i inquirer) (identity.Health, error) { return i.Health(ctx, workspace) })
}

// Review implements inquirer.
func (g graphOwner) Review(ctx context.Context, workspace string, ask identity.ReviewQuery) (identity.Review, error) {
	return asked(g, func(i inquirer) (identity.Review, error) { return i.Review(ctx, workspace, ask) })
}

// TryRules implements inquirer.
func (g graphOwner) TryRules(ctx context.Context, workspace string, rules []byte) (identity.RulesTrial, error) {
	return asked(g, func(i inquirer) (identity.RulesTrial, error) { return i.TryRules(ctx, workspace, rules) })
}

// TrialProgress implements inquirer.
func (g graphOwner) TrialProgress(ctx context.Context, workspace string) (identity.TrialProgress, error) {
	return asked(g, func(i inquirer) (identity.TrialProgress, error) { return i.TrialProgress(ctx, workspace) })
}

// TryCommand implements inquirer.
func (g graphOwner) TryCommand(ctx context.Context, c identity.Command) (identity.CommandTrial, error) {
	return asked(g, func(i inquirer) (identity.CommandTrial, error) { return i.TryCommand(ctx, c) })
}

// asked returns the first answer of those who may own the graph.
func asked[V any](g graphOwner, ask func(inquirer) (V, error)) (v V, err error) {
	if g.r.p.settings.roles.has(roleIdentity) {
		if v, err = ask(g.r.ledger); !errors.Is(err, identity.ErrNotOwner) {
			return v, err
		}
	}
	urls := g.r.p.identityURLs()
	if len(urls) == 0 {
		return v, identity.ErrNotOwner
	}
	client, err := inquiry.NewClient(urls, g.r.p.secret, now)
	if err != nil {
		return v, fmt.Errorf("ask the identity role: %w", err)
	}
	return ask(client)
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
	r.p.forgetGone()
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

// forgetGone removes what killed processes have left in the folder.
func (p *platform) forgetGone() {
	folder := filepath.Join(p.settings.data, graphFolder)
	files, _ := os.ReadDir(folder)
	for _, f := range files {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", f.Name()), time.Second)
		if err != nil {
			_ = os.Remove(filepath.Join(folder, f.Name()))
			continue
		}
		_ = conn.Close()
	}
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
