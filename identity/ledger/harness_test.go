package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

var (
	errCrash = errors.New("crash")
	errFence = errors.New("another generation owns the partition")
)

// topic is one partition of the evidence topic with its group: what Kafka keeps.
type topic struct {
	id         int
	mu         sync.Mutex
	log        []kafka.Message
	offset     int64
	metadata   string
	generation int32
	changed    chan struct{} // closed and replaced at every commit and append
}

func newTopic(id int) *topic { return &topic{id: id, changed: make(chan struct{})} }

func (t *topic) touch() {
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *topic) add(values ...[]byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, v := range values {
		t.log = append(t.log, kafka.Message{Offset: int64(len(t.log)), Value: v, Time: testNow})
	}
	t.touch()
}

// join starts a generation: commits of older ones fail from here on.
func (t *topic) join() *member {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.generation++
	return &member{topic: t, generation: t.generation, offset: t.offset, metadata: t.metadata}
}

// waitCommitted returns when offset has been committed.
func (t *topic) waitCommitted(ctx context.Context, offset int64) error {
	for {
		t.mu.Lock()
		changed, done := t.changed, t.offset >= offset
		t.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// member is one ownership of a topic.
type member struct {
	topic      *topic
	generation int32
	offset     int64
	metadata   string
}

var _ Partition = (*member)(nil)

func (m *member) ID() int                    { return m.topic.id }
func (m *member) Generation() int32          { return m.generation }
func (m *member) Committed() (int64, string) { return m.offset, m.metadata }

func (m *member) Fetch(ctx context.Context, offset int64) ([]kafka.Message, error) {
	for {
		m.topic.mu.Lock()
		log, changed := m.topic.log, m.topic.changed
		m.topic.mu.Unlock()
		if offset < int64(len(log)) {
			return slices.Clone(log[offset:min(int(offset)+7, len(log))]), nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (m *member) Commit(_ context.Context, offset int64, metadata string) error {
	m.topic.mu.Lock()
	defer m.topic.mu.Unlock()
	if m.generation != m.topic.generation {
		return errFence
	}
	m.topic.offset, m.topic.metadata = offset, metadata
	m.topic.touch()
	return nil
}

// publisher is what cmd plugs in.
type publisher struct{ db driver.Conn }

func (p publisher) StartEpoch(ctx context.Context, workspace string, epoch uint64) error {
	_, err := warehouse.StartEpoch(ctx, p.db, workspace, epoch, testNow)
	return err
}

func (p publisher) Publish(ctx context.Context, workspace string, epoch, sequence uint64) error {
	return warehouse.PublishReading(ctx, p.db, workspace, warehouse.Version{Epoch: epoch, Sequence: sequence}, testNow)
}

// notebook keeps notices.
type notebook struct {
	mu      sync.Mutex
	notices []identity.Notice
}

func (n *notebook) WriteMessages(_ context.Context, messages ...kafka.Message) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range messages {
		var notice identity.Notice
		if err := json.Unmarshal(m.Value, &notice); err != nil {
			return err
		}
		n.notices = append(n.notices, notice)
	}
	return nil
}

// bin keeps rejections.
type bin struct{ rejections []Rejection }

func (b *bin) Reject(_ context.Context, rejections []Rejection) error {
	b.rejections = append(b.rejections, rejections...)
	return nil
}

// bruteForce is the definition of profiles as a Graph.
type bruteForce struct {
	*oracle.Oracle
	namespaces map[identity.Key]identity.Namespace
	result     oracle.Result
}

func newBruteForce(rules *identity.Rules) Graph {
	return &bruteForce{Oracle: oracle.New(rules), namespaces: map[identity.Key]identity.Namespace{}}
}

func (g *bruteForce) See(s identity.Sighting) {
	for _, n := range s.Members {
		g.namespaces[n.Key] = n.Namespace
	}
	g.Oracle.See(s)
}

func (g *bruteForce) SeeIdentifier(n identity.Node, source string, p identity.Period, span identity.Span) {
	g.namespaces[n.Key] = n.Namespace
	g.Oracle.SeeIdentifier(n, source, p, span)
}

func class(r oracle.Result, k identity.Key) int {
	switch {
	case r.Gone[k]:
		return 2
	case r.Generic[k] || r.Blocked[k]:
		return 1
	}
	return 0
}

func (g *bruteForce) Flush() (moves []identity.Move, flipped []identity.Key) {
	before := g.result
	g.result = g.Evaluate()
	for _, k := range slices.Sorted(maps.Keys(g.result.Profile)) {
		old, known := before.Profile[k]
		if !known {
			old = identity.ProfileID(k)
		}
		if now := g.result.Profile[k]; now != old {
			moves = append(moves, identity.Move{Identifier: k, Old: old, New: now})
		}
		if known && class(before, k) != class(g.result, k) {
			flipped = append(flipped, k)
		}
	}
	return moves, flipped
}

func (g *bruteForce) Profile(k identity.Key) identity.ProfileID {
	if p, ok := g.result.Profile[k]; ok {
		return p
	}
	return identity.ProfileID(k)
}

func (g *bruteForce) Deciding(members []identity.Node) (identity.Key, bool) {
	named := make([]identity.Node, len(members))
	for i, m := range members {
		named[i] = identity.Node{Key: m.Key, Namespace: g.namespaces[m.Key]}
	}
	return g.result.Deciding(named)
}

func (g *bruteForce) Stats() Stats {
	return Stats{Identifiers: len(g.result.Profile) - len(g.result.Gone), Profiles: g.result.Profiles, Merges: g.result.Merges}
}

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
	r          *rand.Rand
	whole      bool // batches are as large as can be, not random
	cfg        Config
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
	return rules
}

var worldCount int

func newWorld(t testing.TB, db driver.Conn, seed uint64) *world {
	worldCount++
	w := &world{
		t: t, db: db, topic: newTopic(worldCount), rules: testRules(), newGraph: NewGraph,
		sent: map[string][]identity.Evidence{}, r: rand.New(rand.NewPCG(seed, 1)), cfg: DefaultConfig(),
	}
	for i := range 2 {
		w.workspaces = append(w.workspaces, fmt.Sprintf("w%d-%d", worldCount, i))
	}
	w.cfg.FlipSets = 2
	w.cfg.CacheEntries = 8
	w.cfg.NoticeChanges = 3
	return w
}

func (w *world) ledger(step func(string) error) *Ledger {
	w.t.Helper()
	l, err := New(w.cfg, Deps{
		DB: w.db, NewGraph: w.newGraph, Rules: func(string) *identity.Rules { return w.rules },
		Publisher: publisher{w.db}, Notifier: &w.notebook, Rejecter: &w.bin,
		Owns: func(name string, _ int) bool { return slices.Contains(w.workspaces, name) },
		Now:  func() time.Time { return testNow }, Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	l.step = step
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
		value, err := json.Marshal(e)
		if err != nil {
			w.t.Fatal(err)
		}
		w.sent[e.Workspace] = append(w.sent[e.Workspace], e)
		w.topic.add(value)
	}
}

var testNamespaces = []identity.Namespace{
	identity.UserID, identity.UserID, identity.Email, identity.Email, identity.Phone, identity.Device,
	identity.AnonymousID, identity.AnonymousID, identity.AnonymousID, identity.Loyalty, identity.Landline,
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
	return evidenceOf(w.workspaces[w.r.IntN(len(w.workspaces))], []string{"web", "app", "crm"}[w.r.IntN(3)], at,
		at.Add(time.Duration(w.r.IntN(100))*time.Hour), ids...)
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

// reading is what readers see: profiles of identifiers that have a row, and the
// deciding identifiers of sets.
type reading struct {
	profile map[identity.Key]identity.ProfileID
	owner   map[identity.AnchorID]identity.Key
}

// published reads the tables under identity_counted, as every reader does.
func (w *world) published(workspace string) reading {
	w.t.Helper()
	r := reading{map[identity.Key]identity.ProfileID{}, map[identity.AnchorID]identity.Key{}}
	hop := func(table, subject, object string, row func(subject, object uint64)) {
		rows, err := w.db.Query(w.t.Context(), `SELECT r.`+subject+`, argMax(r.`+object+`, (r.epoch, r.sequence)) FROM `+table+` AS r
			INNER JOIN identity_counted AS c ON r.workspace = c.workspace AND r.epoch = c.epoch
			WHERE r.workspace = ? AND r.sequence <= c.last_sequence GROUP BY r.`+subject, workspace)
		if err != nil {
			w.t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var s, o uint64
			if err := rows.Scan(&s, &o); err != nil {
				w.t.Fatal(err)
			}
			row(s, o)
		}
		if err := rows.Err(); err != nil {
			w.t.Fatal(err)
		}
	}
	hop("identifier_profile", "identifier_id", "profile_id", func(s, o uint64) {
		r.profile[identity.Key(s)] = identity.ProfileID(o)
	})
	hop("anchor_owner", "anchor_id", "owner_id", func(s, o uint64) {
		r.owner[identity.AnchorID(s)] = identity.Key(o)
	})
	return r
}

// check compares what readers see with the definition, applied to the set of
// all evidence that was sent.
func (w *world) check() error {
	for _, name := range w.workspaces {
		if err := w.checkReading(name); err != nil {
			return fmt.Errorf("workspace %s: %w", name, err)
		}
		if err := w.checkRebuild(name); err != nil {
			return fmt.Errorf("workspace %s: %w", name, err)
		}
		if err := w.checkHistory(name); err != nil {
			return fmt.Errorf("workspace %s: %w", name, err)
		}
	}
	return nil
}

func (w *world) truth(workspace string) *bruteForce {
	g := newBruteForce(w.rules).(*bruteForce)
	sp := &space{rules: w.rules}
	for _, e := range w.sent[workspace] {
		g.See(sp.sighting(&e))
	}
	g.Flush()
	return g
}

func (w *world) checkReading(workspace string) error {
	truth, got := w.truth(workspace), w.published(workspace)
	for k, want := range truth.result.Profile {
		have, ok := got.profile[k]
		if !ok {
			have = identity.ProfileID(k)
		}
		if have != want {
			return fmt.Errorf("identifier %x: published profile %s, want %s", k, have, want)
		}
	}
	for k := range got.profile {
		if _, ok := truth.result.Profile[k]; !ok {
			return fmt.Errorf("identifier %x is published and was never sent", k)
		}
	}
	anchors := map[identity.AnchorID]bool{}
	for _, e := range w.sent[workspace] {
		if !e.Anchor.IsSet() {
			continue
		}
		anchors[e.Anchor] = true
		want, _ := truth.Deciding(e.Sighting().Members)
		if have := got.owner[e.Anchor]; have != want {
			return fmt.Errorf("set %x: published deciding identifier %x, want %x (of %d)", e.Anchor, have, want, len(e.Members))
		}
	}
	for a := range got.owner {
		if !anchors[a] {
			return fmt.Errorf("set %x is published and was never sent", a)
		}
	}
	return nil
}

// checkRebuild compares a graph that is loaded from the tables.
func (w *world) checkRebuild(workspace string) error {
	g := newBruteForce(w.rules).(*bruteForce)
	sp := &space{name: workspace, rules: w.rules, graph: g}
	if _, err := w.ledger(nil).store.load(w.t.Context(), sp); err != nil {
		return err
	}
	g.Flush()
	if want := w.truth(workspace).result.Profile; !maps.Equal(g.result.Profile, want) {
		return fmt.Errorf("profiles rebuilt from the tables: %v, want %v", g.result.Profile, want)
	}
	return nil
}

// checkHistory replays the changes that count: each starts from what the one
// before left, they end in the reading, and each has had its notice, in order.
func (w *world) checkHistory(workspace string) error {
	rows, err := w.db.Query(w.t.Context(), `SELECT h.epoch, h.sequence, h.subject_kind, h.subject_id, h.old_id, h.new_id FROM identity_changes AS h
		INNER JOIN identity_counted AS c ON h.workspace = c.workspace AND h.epoch = c.epoch
		WHERE h.workspace = ? AND h.sequence <= c.last_sequence ORDER BY h.epoch, h.sequence`, workspace)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var ids []version
	state := reading{map[identity.Key]identity.ProfileID{}, map[identity.AnchorID]identity.Key{}}
	for rows.Next() {
		var v version
		var kind string
		var subject, before, now uint64
		if err := rows.Scan(&v.Epoch, &v.Sequence, &kind, &subject, &before, &now); err != nil {
			return err
		}
		var have uint64
		if kind == string(identity.ChangedSet) {
			have = uint64(state.owner[identity.AnchorID(subject)])
			state.owner[identity.AnchorID(subject)] = identity.Key(now)
		} else {
			have = subject
			if p, ok := state.profile[identity.Key(subject)]; ok {
				have = uint64(p)
			}
			state.profile[identity.Key(subject)] = identity.ProfileID(now)
		}
		if have != before || before == now {
			return fmt.Errorf("change %v of %s %x from %x to %x: it was %x", v, kind, subject, before, now, have)
		}
		ids = append(ids, v)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if got := w.published(workspace); !maps.Equal(got.profile, state.profile) || !maps.Equal(got.owner, state.owner) {
		return fmt.Errorf("changes replayed: %v, published: %v", state, got)
	}
	return w.checkNotices(workspace, ids)
}

func (w *world) checkNotices(workspace string, want []version) error {
	counts := map[version]bool{}
	for _, v := range want {
		counts[v] = true
	}
	first := map[version]bool{}
	var order []version
	for _, n := range w.notebook.notices {
		if n.Workspace != workspace {
			continue
		}
		for _, c := range n.Changes {
			if v := (version{n.Epoch, c.Sequence}); counts[v] && !first[v] {
				first[v] = true
				order = append(order, v)
			}
		}
	}
	if len(order) != len(want) {
		return fmt.Errorf("%d changes of %d had a notice", len(order), len(want))
	}
	if !slices.IsSortedFunc(order, func(a, b version) int {
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Sequence, b.Sequence))
	}) {
		return errors.New("notices out of order")
	}
	return nil
}

// batch returns how many records the next batch may have.
func (w *world) batch() int {
	if w.whole {
		return len(w.topic.log)
	}
	return w.r.IntN(12)
}
