package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
)

// world is one history: a topic, a database, and owners that come and go.
type world struct {
	t          testing.TB
	db         driver.Conn
	workspaces []string
	topic      *topic
	notebook   notebook
	bin        bin
	rules      *identity.Rules
	newGraph   func(*identity.Rules) Graph
	sent       map[string][]identity.Evidence // by workspace
	linked     map[string][]identity.Links    // sent, by workspace
	commands   int                            // sent
	r          *rand.Rand
	seen       struct{ tenures, households int } // that were compared
	whole      bool                              // batches are as large as can be, not random
	looked     *looked                           // by the check that is running
	cfg        Config
	stakes     map[identity.ProfileID]identity.Stake
}

var testNow = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// testRules has small bounds, so that small histories reach all of them.
func testRules() *identity.Rules {
	rules := identity.DefaultRules()
	for name, rule := range rules.Namespaces {
		rule.FanOutUp, rule.FanOutDown = 2, 6
		rules.Namespaces[name] = rule
	}
	rules.Untrusted = map[string]bool{"web": true}
	rules.ModelVersion = "m1"
	rules.Rename = map[string]bool{"crm": true, "web": true} // which is not trusted
	return rules
}

var worldCount int

func newWorld(t testing.TB, db driver.Conn, seed uint64) *world {
	worldCount++
	w := &world{
		t: t, db: db, topic: newTopic(worldCount), rules: testRules(), newGraph: NewGraph,
		sent: map[string][]identity.Evidence{}, linked: map[string][]identity.Links{}, r: rand.New(rand.NewPCG(seed, 1)), cfg: DefaultConfig(),
	}
	for i := range 2 {
		w.workspaces = append(w.workspaces, fmt.Sprintf("w%d-%d", worldCount, i))
	}
	w.cfg.FlipSets = 2
	w.cfg.CacheEntries = 8
	w.cfg.FlushPause = 0
	w.cfg.NoticeChanges = 3
	return w
}

func (w *world) ledger(step func(string) error) *Ledger {
	w.t.Helper()
	l, err := New(w.cfg, Deps{
		DB: w.db, NewGraph: w.newGraph, Rules: func(string) *identity.Rules { return w.rules },
		Keyer:     func(name string) identity.Keyer { return identity.NewKeyer(identity.Secret{1}, name) },
		Publisher: publisher{w.db}, Notifier: &w.notebook, Rejecter: &w.bin,
		Owns: func(name string, _ int) bool { return slices.Contains(w.workspaces, name) },
		Now:  func() time.Time { return testNow }, Metrics: prometheus.NewRegistry(),
		Stakes: func(context.Context, string, []identity.ProfileID) (map[identity.ProfileID]identity.Stake, error) {
			return w.stakes, nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	l.step = step
	if worldCount%2 == 0 { // Small ledgers have several ranges, too.
		l.store.rangeRows = 12
	}
	return l
}

// own starts an owner of a new generation and lets it process batches of random
// size until nothing is left, or step stops it.
func (w *world) own(step func(string) error) error {
	o := newOwner(w.ledger(step), w.topic.join())
	ctx := w.t.Context()
	if err := o.start(ctx); err != nil {
		return err
	}
	for {
		w.topic.mu.Lock()
		rest := w.topic.log[o.offset:]
		w.topic.mu.Unlock()
		if len(rest) == 0 && !o.flipping() {
			return nil
		}
		n := min(len(rest), w.batch())
		if n == 0 && !o.flipping() {
			continue
		}
		if err := o.process(ctx, rest[:n]); err != nil {
			return err
		}
	}
}

// send appends evidence to the topic.
func (w *world) send(all ...identity.Evidence) {
	for _, e := range all {
		// A log holds both forms after an upgrade.
		value := identity.AppendEvidence(nil, &e)
		if w.r.IntN(2) == 0 {
			var err error
			if value, err = json.Marshal(e); err != nil {
				w.t.Fatal(err)
			}
		}
		w.sent[e.Workspace] = append(w.sent[e.Workspace], e)
		w.topic.add(value)
	}
}

var testNamespaces = []identity.Namespace{
	identity.UserID, identity.UserID, identity.Email, identity.Email, identity.Phone, identity.Device,
	identity.AnonymousID, identity.AnonymousID, identity.AnonymousID, identity.Loyalty, identity.Landline,
	identity.Record, identity.Record, identity.Record, identity.Record,
}

// random returns a random piece of evidence of a small world.
func (w *world) random() identity.Evidence {
	var ids []identity.Identifier
	for range 1 + w.r.IntN(3) {
		value := fmt.Sprintf("v%d", w.r.IntN(7))
		if w.r.IntN(25) == 0 {
			value = "guest" // blocked
		}
		ids = append(ids, identity.Identifier{Namespace: testNamespaces[w.r.IntN(len(testNamespaces))], Value: value})
	}
	at := testNow.Add(-time.Duration(w.r.IntN(900*24)) * time.Hour)
	if w.r.IntN(12) == 0 {
		return w.randomAlias(at)
	}
	return evidenceOf(w.workspaces[w.r.IntN(len(w.workspaces))], []string{"web", "app", "crm"}[w.r.IntN(3)], at,
		at.Add(time.Duration(w.r.IntN(100))*time.Hour), ids...)
}

// randomAlias returns an alias of a user id and another one, or an anonymous id
// that may be one.
func (w *world) randomAlias(at time.Time) identity.Evidence {
	before := []identity.Namespace{identity.UserID, identity.AnonymousID}[w.r.IntN(2)]
	e := evidenceOf(w.workspaces[w.r.IntN(len(w.workspaces))], []string{"web", "app", "crm"}[w.r.IntN(3)], at, at,
		id(identity.UserID, fmt.Sprintf("v%d", w.r.IntN(7))), id(before, fmt.Sprintf("v%d", w.r.IntN(7))))
	e.Rule, e.Witness.MessageID = identity.RuleAlias, fmt.Sprintf("alias-%d", w.r.IntN(1000))
	return e
}

func evidenceOf(workspace, source string, at, received time.Time, ids ...identity.Identifier) identity.Evidence {
	keyer := identity.NewKeyer(identity.Secret{1}, workspace)
	members, _ := keyer.Members(ids)
	return identity.Evidence{
		Workspace: workspace, Anchor: keyer.Anchor(members), Members: members, Source: source,
		Period: identity.PeriodOf(at), Rule: "event",
		Span: identity.Span{
			FirstEvent: at.UnixMilli(), FirstReceived: received.UnixMilli(),
			LastEvent: identity.DayOf(at), LastReceived: identity.DayOf(received),
		},
		Witness: identity.Witness{Time: at.UnixMilli(), MessageID: "m"},
	}
}

// batch returns how many records the next batch may have.
func (w *world) batch() int {
	if w.whole {
		return len(w.topic.log)
	}
	return w.r.IntN(12)
}
