package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/audit"
	"github.com/kindred-cdp/kindred/profiles/cache"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/gather"
	"github.com/kindred-cdp/kindred/profiles/grouping"
	"github.com/kindred-cdp/kindred/profiles/matching"
	"github.com/kindred-cdp/kindred/profiles/privacy"
	"github.com/kindred-cdp/kindred/profiles/valuation"
	"github.com/kindred-cdp/kindred/profiles/views"
	segmentsql "github.com/kindred-cdp/kindred/segments/sql"
)

// web is the API with the cache that it reads through.
type web struct {
	p      *platform
	cache  *cache.Cache
	audit  *audit.Log
	server *api.Server
	news   *news // set by newRoles
	// What is stored and not yet in rows of views.
	feed    *views.Feed
	offsets *storedOffsets
	sources cache.Sources // of what changes profiles
}

// Bounds of the feed: how long it is believed after it was complete, and the keys that
// it keeps (some 50 bytes each).
const (
	feedAge  = 5 * time.Second
	feedKeys = 500_000
)

func newWeb(p *platform, r *roles) (*web, error) {
	form, err := profileConfig(p)
	if err != nil {
		return nil, err
	}
	previewConfig := segmentsql.DefaultConfig()
	previewConfig.Rules, previewConfig.MaxRows = form.Rules, p.settings.segmentRows
	store, err := profilestore.New(form, p.conn, now)
	if err != nil {
		return nil, err
	}
	w := &web{p: p, offsets: r.offsets, feed: views.NewFeed(feedAge, feedKeys)}
	gathered, err := gather.New(gather.DefaultConfig(), store)
	if err != nil {
		return nil, err
	}
	rows, err := views.NewReader(views.DefaultConfig(), views.ReaderDeps{
		Conn: p.conn, Form: form, Store: store, Feed: w.feed, Slow: gathered, Now: now, Registerer: r.registry,
	})
	if err != nil {
		return nil, err
	}
	w.sources = sources{store, w.feed}
	w.cache, err = cache.New(p.settings.cacheConfig(), cache.Deps{
		Store: rows, Now: now, Registerer: r.registry,
		Holds: func(p *profiles.Profile, read time.Time) time.Time { return profiles.Holds(form.Computed, p, read) },
		Form:  &cache.Form{Pack: views.Pack, Unpack: views.Unpack},
	})
	if err != nil {
		return nil, err
	}
	previewConfig.Library = r.decided.segments
	preview, err := segmentsql.New(previewConfig, p.conn, now)
	if err != nil {
		return nil, err
	}
	cfg := api.DefaultConfig()
	cfg.Address, cfg.RateLimit = p.settings.apiAddress, float64(p.settings.rateLimit)
	cfg.TLSCert, cfg.TLSKey = p.settings.tlsCert, p.settings.tlsKey
	if cfg.Keys, err = apiKeys(p.settings.apiKeys); err != nil {
		return nil, err
	}
	if w.audit, err = audit.New(audit.DefaultConfig(), p.conn, p.log.With("role", "api"), r.registry); err != nil {
		return nil, err
	}
	keyer := func(workspace string) identity.Keyer { return identity.NewKeyer(p.secret, workspace) }
	reader := normalize.New(p.settings.normalise)
	tracking, err := newTracker(reader, r.gate)
	if err != nil {
		return nil, err
	}
	events, err := newNativeIntake(reader, r.gate)
	if err != nil {
		return nil, err
	}
	webhooks, err := newWebhookIntake(p.settings.webhooks, r.gate, r.registry)
	if err != nil {
		return nil, err
	}
	linkage := func(ctx context.Context, workspace string) (matching.Rules, error) {
		return linkageRules(ctx, store, workspace)
	}
	w.server, err = api.New(cfg, api.Deps{
		Profiles: w.cache, History: store, Accounts: store, Searcher: store, Consistency: newOwnWrites(p.brokers, gathered), Preview: preview, Vocabulary: preview, Explain: preview, Estimate: preview, Tracking: tracking, Events: events, Webhooks: webhooks,
		Keyring: keyring{r.decided.ring}, Keys: keyKeeper{r.decided.keys, now}, Audit: recorder{w.audit},
		Segments: r.decided.segments, Destinations: r.decided.destinations,
		Plans: planKeeper{r.decided.plans}, Letters: letterKeeper{r.decided.letters},
		Identity: r.graph, Rules: ruleBook{store}, Values: store.Identifiers, Privacy: privacy.NewStore(p.conn),
		Restrictions: restrictionKeeper{r.decided.restrictions, r.decided.restricted},
		Forecasts:    r.decided.models,
		Models:       modelShelf{matching.NewModels(p.conn, nil), linkage},
		Groups:       grouping.NewReader(p.conn),
		Cohorts:      valuation.NewCohortReader(p.conn, now),
		Commands:     commander{writer: r.commands, store: store, keyer: keyer, seen: w.commanded, log: p.log.With("role", "api")},
		Keyer:        keyer,
		Normalize:    reader.Identifier,
		Checks: []api.Check{
			{Name: "clickhouse", Check: p.conn.Ping},
			{Name: "kafka", Check: w.checkKafka},
			{Name: "identity", Check: func(context.Context) error {
				if p.settings.roles.has(roleIdentity) && !r.ledger.Ready() {
					return errors.New("the identity role has not loaded its ledger yet")
				}
				return nil
			}},
		},
		Log: p.log.With("role", "api"), Now: now, Registerer: r.registry, Gatherer: r.registry,
	})
	if err == nil {
		p.collector.serving(w.server.Reads)
	}
	return w, err
}

// serve runs the HTTP server, and says what to do about a port that is taken.
func (w *web) serve(ctx context.Context, ready func(net.Addr)) error {
	err := w.server.Run(ctx, ready)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("the API's address %s is in use; stop that process, or change it with --api-address or --port-offset: %w", w.p.settings.apiAddress, err)
	}
	return err
}

func (w *web) checkKafka(ctx context.Context) error {
	client := &kafka.Client{Addr: kafka.TCP(w.p.brokers...)}
	if _, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{identityTopic}}); err != nil {
		return errors.New("no broker answers")
	}
	return nil
}

// defaultSource is the source of events whose key names none.
const defaultSource = "http"

// runCache holds the cache's memory, and vouches for what is in it.
func (w *web) runCache(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.cache.Run(ctx, nil) })
	g.Go(func() error { return w.cache.Watch(ctx, w.sources, vouchEvery, w.p.log.With("role", "api")) })
	return g.Wait()
}

// stored forgets what the cache holds of the identifiers of stored events.
func (w *web) stored(workspace string, keys []identity.Key) { w.cache.Invalidate(workspace, keys...) }

// commanded forgets what the cache holds of the identifiers of a command, which
// their notices will name a moment later.
func (w *web) commanded(workspace string, ids []identity.Identifier) {
	keyer := identity.NewKeyer(w.p.secret, workspace)
	keys := make([]identity.Key, len(ids))
	for i, id := range ids {
		keys[i] = keyer.Key(id)
	}
	w.cache.Invalidate(workspace, keys...)
}

// follow reads the notices of the identity role and forgets what they name.
func (w *web) follow(ctx context.Context) error {
	return w.followTopic(ctx, identityTopic, func(m *kafka.Message) error {
		n, err := readNotice(m)
		w.cache.Invalidate(n.Workspace, noticed(n)...)
		return err
	})
}

func readNotice(m *kafka.Message) (n identity.Notice, err error) {
	if json.Unmarshal(m.Value, &n) != nil {
		return identity.Notice{}, errors.New("it is no notice") // Its own error may repeat values.
	}
	return n, nil
}

// noticed are the keys of what a notice says to read again.
func noticed(n identity.Notice) []identity.Key {
	keys := make([]identity.Key, 0, 3*len(n.Changes))
	for _, c := range n.Changes {
		if c.Kind != identity.ChangedSet {
			keys = append(keys, identity.Key(c.Subject))
		}
		keys = append(keys, identity.Key(c.Old), identity.Key(c.New))
	}
	return keys
}

func (s *settings) cacheConfig() cache.Config {
	cfg := cache.DefaultConfig()
	cfg.MaxBytes = s.cacheMemory
	return cfg
}
