package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/ledger"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/cache"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
)

var readersNow = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// readers is one workspace with its owners, and everything that reads what they
// publish: the views of SQL users, the profile store, the cache of an API process
// that follows the notices, and the dictionaries.
type readers struct {
	t         testing.TB
	db        driver.Conn
	workspace string
	keyer     identity.Keyer
	topic     *partitionLog
	r         *rand.Rand
	known     map[identity.Identifier]bool
	events    int // sent
	unstored  []seenEvent
	stored    int // events
	send      func(kafka.Message)
	published func(epoch, sequence uint64) // is called after a version was
	noticed   func()                       // is called after notices were taken
	store     *profilestore.Store
	cache     *cache.Cache
}

func newReaders(t testing.TB, db driver.Conn, workspace string, seed uint64) *readers {
	t.Helper()
	r := &readers{
		t: t, db: db, workspace: workspace, keyer: identity.NewKeyer(identity.Secret{1}, workspace),
		topic: &partitionLog{changed: make(chan struct{})}, known: map[identity.Identifier]bool{}, r: rand.New(rand.NewPCG(seed, 5)),
	}
	r.send, r.published, r.noticed = r.topic.add, func(uint64, uint64) {}, func() {}
	var err error
	if r.store, err = profilestore.New(profilestore.DefaultConfig(), db, func() time.Time { return readersNow }); err != nil {
		t.Fatal(err)
	}
	if r.cache, err = cache.New(cache.DefaultConfig(), cache.Deps{Store: r.store, Now: now, Registerer: prometheus.NewRegistry()}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = r.cache.Run(ctx, func() { close(ready) })
	}()
	<-ready
	t.Cleanup(func() { cancel(); <-done })
	return r
}

// WriteMessages takes notices as an API process does that follows them.
func (r *readers) WriteMessages(_ context.Context, messages ...kafka.Message) error {
	for _, m := range messages {
		var n identity.Notice
		if err := json.Unmarshal(m.Value, &n); err != nil {
			return err
		}
		r.cache.Invalidate(n.Workspace, noticed(n)...)
	}
	r.noticed()
	return nil
}

// watchedPublisher tells when a version was published.
type watchedPublisher struct {
	ledger.Publisher
	readers *readers
}

func (p watchedPublisher) Publish(ctx context.Context, workspace string, epoch, sequence uint64) error {
	err := p.Publisher.Publish(ctx, workspace, epoch, sequence)
	if err == nil {
		p.readers.published(epoch, sequence)
	}
	return err
}

// Reject is never called: all evidence is good.
func (r *readers) Reject(_ context.Context, rejections []ledger.Rejection) error {
	return fmt.Errorf("%d records rejected: %s", len(rejections), rejections[0].Detail)
}

// ledger returns an identity role on db, which may hold it up.
func (r *readers) ledger(db driver.Conn, cfg ledger.Config) *ledger.Ledger {
	r.t.Helper()
	rules := identity.DefaultRules()
	for name, rule := range rules.Namespaces {
		rule.FanOutUp = 3
		rules.Namespaces[name] = rule
	}
	rules.ModelVersion = "m1"
	l, err := ledger.New(cfg, ledger.Deps{
		DB: db, NewGraph: ledger.NewGraph, Rules: func(string) *identity.Rules { return rules },
		Keyer:     func(string) identity.Keyer { return r.keyer },
		Publisher: watchedPublisher{readingPublisher{&platform{conn: db}}, r}, Notifier: r, Rejecter: r,
		Owns: func(name string, _ int) bool { return name == r.workspace },
		Now:  func() time.Time { return readersNow },
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

var readersNamespaces = []identity.Namespace{
	identity.UserID, identity.UserID, identity.Email, identity.Email, identity.Phone, identity.Device,
	identity.AnonymousID, identity.AnonymousID, identity.AnonymousID, identity.Record, identity.Record,
}

// feed appends random evidence of a small world, each with its event, random
// scores of records, and random commands.
func (r *readers) feed(n int) {
	r.t.Helper()
	for range n {
		switch r.r.IntN(8) {
		case 0:
			r.feedLinks()
		case 1:
			r.feedCommand()
		default:
			var ids []identity.Identifier
			for range 1 + r.r.IntN(3) {
				ids = append(ids, identity.Identifier{
					Namespace: readersNamespaces[r.r.IntN(len(readersNamespaces))], Value: fmt.Sprint("v", r.r.IntN(6)),
				})
			}
			r.see("Page Viewed", readersNow.Add(-time.Duration(r.r.IntN(900*24))*time.Hour), ids...)
		}
	}
}

// seenEvent is an event with the evidence of it.
type seenEvent struct {
	identity.Evidence
	name string
}

// see sends the evidence of an event, which storeEvents stores.
func (r *readers) see(name string, at time.Time, ids ...identity.Identifier) {
	r.t.Helper()
	members, _ := r.keyer.Members(ids)
	r.events++
	e := identity.Evidence{
		Workspace: r.workspace, Anchor: r.keyer.Anchor(members), Members: members, Source: "crm", Period: identity.PeriodOf(at), Rule: "event",
		Span: identity.Span{
			FirstEvent: at.UnixMilli(), FirstReceived: at.UnixMilli(), LastEvent: identity.DayOf(at), LastReceived: identity.DayOf(at),
		},
		Witness: identity.Witness{Time: at.UnixMilli(), MessageID: fmt.Sprint("m", r.events)},
	}
	for _, id := range ids {
		r.known[id] = true
	}
	r.unstored = append(r.unstored, seenEvent{e, name})
	r.send(kafka.Message{Key: []byte(r.workspace), Value: identity.AppendEvidence(nil, &e)})
}

// storeEvents stores the events of all evidence so far.
func (r *readers) storeEvents() {
	r.t.Helper()
	batch, err := r.db.PrepareBatch(r.t.Context(), "INSERT INTO events (workspace, anchor_id, time, message_hash, message_id, kind, name, source, received_time)")
	for i, e := range r.unstored {
		if err == nil {
			at := time.UnixMilli(e.Span.FirstEvent).UTC()
			err = batch.Append(r.workspace, uint64(e.Anchor), at, big.NewInt(int64(r.stored+i)), e.Witness.MessageID, "behaviour", e.name, "crm", at)
		}
	}
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.stored, r.unstored = r.stored+len(r.unstored), nil
}

func (r *readers) feedLinks() {
	a, b := r.r.IntN(6), r.r.IntN(5)
	if b >= a {
		b++
	}
	l := identity.Links{
		Workspace: r.workspace, Model: "m1", ScoredAt: readersNow.Add(-time.Duration(r.r.IntN(5)) * time.Hour).UnixMilli(),
		Pairs: []identity.RecordLink{{A: fmt.Sprint("v", a), B: fmt.Sprint("v", b), Weight: []int64{100, 900, 1500}[r.r.IntN(3)]}},
	}
	r.send(kafka.Message{
		Key: []byte(r.workspace), Value: identity.AppendLinks(nil, &l), Headers: []kafka.Header{{Key: identity.HeaderLinks, Value: []byte("1")}},
	})
}

func (r *readers) feedCommand() {
	if len(r.known) == 0 {
		return
	}
	known := slices.SortedFunc(maps.Keys(r.known), func(a, b identity.Identifier) int { return strings.Compare(a.String(), b.String()) })
	c := identity.Command{
		ID: fmt.Sprint("c", len(r.topic.log)), Workspace: r.workspace, Actor: "ops", Identifiers: []identity.Identifier{known[r.r.IntN(len(known))]},
		Kind: []identity.CommandKind{identity.Unmerge, identity.Unmerge, identity.BlockValue, identity.UnblockValue}[r.r.IntN(4)],
	}
	r.ask(c)
}

func (r *readers) ask(c identity.Command) {
	r.t.Helper()
	value, err := json.Marshal(c)
	if err != nil {
		r.t.Fatal(err)
	}
	r.send(kafka.Message{
		Key: []byte(r.workspace), Value: value, Headers: []kafka.Header{{Key: identity.HeaderCommand, Value: []byte("1")}},
	})
}

// readingQueries are what SQL can see of the reading, each row as one text. The
// tables of the reading are read as every reader must: under identity_counted.
var readingQueries = func() map[string]string {
	queries := map[string]string{}
	for _, view := range []string{"anchor_profile", "profiles", "behaviour_events", "events_masked", "identifiers_masked", "identity_counted"} {
		queries[view] = `SELECT toString(tuple(*)) AS row FROM ` + view + ` WHERE workspace = ? ORDER BY row`
	}
	const counted = ` AS r INNER JOIN identity_counted AS c ON r.workspace = c.workspace AND r.epoch = c.epoch
		WHERE r.workspace = ? AND r.sequence <= c.last_sequence`
	for table, columns := range map[string]string{
		"identifier_profile": "identifier_id, profile_id, previous_id",
		"anchor_owner":       "anchor_id, owner_id, previous_id, has_tenures",
		"identity_changes":   "subject_kind, subject_id, changed_at, old_id, new_id, cause",
		"identity_commands":  "command_id, kind, code, decisions, pairs, moved",
	} {
		list := "r.epoch, r.sequence, r." + strings.ReplaceAll(columns, ", ", ", r.")
		queries[table] = `SELECT DISTINCT toString(tuple(` + list + `)) AS row FROM ` + table + counted + ` ORDER BY row`
	}
	queries["identity_decisions"] = `SELECT DISTINCT toString(tuple(kind, a, b, decided_at, decision_id, is_on)) AS row
		FROM identity_decisions WHERE workspace = ? ORDER BY row`
	queries["record_links"] = `SELECT toString(tuple(model_version, record_a, record_b, max((scored_at, weight)))) AS row
		FROM record_links WHERE workspace = ? GROUP BY model_version, record_a, record_b ORDER BY row`
	return queries
}()

// snapshot is what every reader sees: SQL by query, the base of the reading after
// it was loaded again, and by identifier the profile store and the cache.
func (r *readers) snapshot() map[string]string {
	r.t.Helper()
	seen := r.layers()
	for name, query := range readingQueries {
		seen["SQL: "+name] = r.rows(query, r.workspace)
	}
	r.store.Refresh(r.workspace)
	for name, store := range map[string]profiles.Store{"store: ": r.store, "cache: ": r.cache} {
		loaded := map[identity.ProfileID]string{}
		for id := range r.known {
			seen[name+id.String()] = r.look(store, id, loaded)
		}
	}
	return seen
}

// layers is where the rows of the reading lie: past the base, and in it.
func (r *readers) layers() map[string]string {
	r.t.Helper()
	seen := map[string]string{"recent layer": r.rows(`SELECT toString(tuple(arraySort(arrayZip(recent.1, recent.2)),
		arraySort(arrayZip(recent.3, recent.4)))) AS row FROM reading`)}
	for _, name := range []string{"reading_owners", "reading_profiles"} {
		if err := r.db.Exec(r.t.Context(), "SYSTEM RELOAD DICTIONARY "+name); err != nil {
			r.t.Fatal(err)
		}
		seen["dictionary: "+name] = r.rows(`SELECT toString(tuple(*)) AS row FROM dictionary('` + name + `') ORDER BY row`)
	}
	return seen
}

// look returns the profile of id as store has it. Profiles that were loaded are
// not loaded again.
func (r *readers) look(store profiles.Store, id identity.Identifier, loaded map[identity.ProfileID]string) string {
	r.t.Helper()
	profile, err := store.Resolve(r.t.Context(), r.workspace, r.keyer.Key(id))
	if errors.Is(err, profiles.ErrNotFound) {
		return "not found"
	}
	if err != nil {
		r.t.Fatal(err)
	}
	if loaded[profile] == "" {
		p, err := store.Load(r.t.Context(), r.workspace, profile)
		if err != nil && !errors.Is(err, profiles.ErrNotFound) {
			r.t.Fatal(err)
		}
		text, err := json.Marshal(p)
		if err != nil {
			r.t.Fatal(err)
		}
		loaded[profile] = string(text)
	}
	return loaded[profile]
}

func (r *readers) rows(query string, args ...any) string {
	r.t.Helper()
	rows, err := r.db.Query(r.t.Context(), query, args...)
	if err != nil {
		r.t.Fatalf("%v: %s", err, query)
	}
	defer func() { _ = rows.Close() }()
	var text strings.Builder
	for rows.Next() {
		var row string
		if err := rows.Scan(&row); err != nil {
			r.t.Fatal(err)
		}
		text.WriteString(row + "\n")
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	return text.String()
}
