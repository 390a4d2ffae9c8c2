package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

var noon = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)

// people is a store in memory: profiles by the identifiers they hold.
type people struct {
	mu       sync.Mutex // Protects the fields below.
	byKey    map[string]identity.ProfileID
	profiles map[identity.ProfileID]*profiles.Profile
	err      error  // answers everything when it is set
	hook     func() // runs in Resolve
}

func storeKey(workspace string, key identity.Key) string {
	return workspace + " " + identity.ProfileID(key).String()
}

func (p *people) Resolve(_ context.Context, workspace string, key identity.Key) (identity.ProfileID, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hook != nil {
		p.hook()
	}
	if p.err != nil {
		return 0, p.err
	}
	id, ok := p.byKey[storeKey(workspace, key)]
	if !ok {
		return 0, profiles.ErrNotFound
	}
	return id, nil
}

func (p *people) Load(_ context.Context, _ string, id identity.ProfileID) (*profiles.Profile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.profiles[id]; ok {
		return found, nil
	}
	return nil, profiles.ErrNotFound
}

// add makes a profile of identifiers, the first of which is its founder.
func (p *people) add(workspace string, ids ...identity.Identifier) *profiles.Profile {
	k := keyer(workspace)
	id := identity.ProfileID(k.Key(ids[0]))
	profile := &profiles.Profile{ID: id, IdentifierCount: len(ids)}
	for _, i := range ids {
		p.byKey[storeKey(workspace, k.Key(i))] = id
		profile.Keys = append(profile.Keys, k.Key(i))
		profile.Identifiers = append(profile.Identifiers, profiles.Identifier{
			Identifier: i, Key: k.Key(i), FirstSeen: noon, LastSeen: noon.Truncate(24 * time.Hour), Sources: []string{"web"},
		})
	}
	slices.Sort(profile.Keys)
	p.profiles[id] = profile
	return profile
}

func keyer(workspace string) identity.Keyer { return identity.NewKeyer(identity.Secret{1}, workspace) }

func newPeople() *people {
	p := &people{byKey: map[string]identity.ProfileID{}, profiles: map[identity.ProfileID]*profiles.Profile{}}
	ana := p.add("main",
		identity.Identifier{Namespace: "email", Value: "ana@example.com"},
		identity.Identifier{Namespace: "user_id", Value: "42"},
		identity.Identifier{Namespace: "user_id", Value: "a+b c/d%e"},
		identity.Identifier{Namespace: "user_id", Value: "a%2Fb"},
		identity.Identifier{Namespace: "user_id", Value: "..%2f..%2fetc"},
		identity.Identifier{Namespace: "user_id", Value: "olá 世界"},
		identity.Identifier{Namespace: "user_id", Value: "urn:x:1"},
		identity.Identifier{Namespace: "user_id", Value: "?a=b&c#d"},
	)
	ana.Household = &profiles.Household{ID: 0xab, Profiles: []identity.ProfileID{0xcd}}
	ana.Traits = []profiles.Trait{{Name: "country", Value: []byte(`"PT"`), Rule: profiles.Newest, Source: "web", Time: noon}}
	ana.Activity = profiles.Activity{FirstSeen: noon, LastSeen: noon, Events: map[string]uint64{"behaviour": 2, "transaction": 1}}
	ana.Orders = []profiles.OrderSummary{{Currency: "EUR", Orders: 1, Refunds: 1, Amount: decimal.RequireFromString("12.5"), Refunded: decimal.RequireFromString("-0.1"), FirstOrder: noon, LastOrder: noon}}
	ana.Scores = []profiles.Score{{Name: "churn", Value: .25, Lower: .2, Upper: .3, ModelVersion: "m1", AsOf: noon, ComputedAt: noon, Detail: []byte(`{"unit":"p"}`)}}
	ana.Recent = []profiles.Event{{MessageID: "m", Kind: "behaviour", Name: "View <b>", Source: "web", Time: noon, Properties: []byte(`{"sku":"a"}`)}}
	p.add("main", identity.Identifier{Namespace: "user_id", Value: "stranger"})
	p.add("other", identity.Identifier{Namespace: "email", Value: "ana@example.com"})
	return p
}

// values is api.Values on the profiles.
func (p *people) values(_ context.Context, workspace string, keys []identity.Key) (map[identity.Key]identity.Identifier, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := map[identity.Key]identity.Identifier{}
	for _, key := range keys {
		profile := p.profiles[p.byKey[storeKey(workspace, key)]]
		if profile == nil {
			continue
		}
		for _, i := range profile.Identifiers {
			if i.Key == key {
				found[key] = i.Identifier
			}
		}
	}
	return found, p.err
}

// previewer answers with a fixed result and notes what it was asked.
type previewer struct {
	err       error
	workspace string
	sample    int
}

func (p *previewer) Preview(_ context.Context, workspace string, d segments.Definition, sample int) (*segments.Preview, error) {
	p.workspace, p.sample = workspace, sample
	if p.err != nil {
		return nil, p.err
	}
	return &segments.Preview{
		AsOf: noon, Count: 1, Profiles: 4, Sample: []identity.ProfileID{7}, SQL: "SELECT {p1:String}",
		Parameters: map[string]string{"p1": "x"}, QueryID: "q1", Estimate: segments.Estimate{Rows: 10, Bytes: 80, Leaves: []segments.LeafEstimate{{Pointer: "/trait", Rows: 10, Bytes: 80}}}, RowsRead: 10, Elapsed: 1500 * time.Microsecond,
	}, nil
}

// fixture is a server with everything that a test may look at.
type fixture struct {
	people  *people
	shelf   *shelf
	watch   api.Consistency // nil for none
	preview *previewer
	explain *explainer
	names   *vocabulary
	checks  []api.Check
	cfg     api.Config
	logs    *logBuffer
	metrics *prometheus.Registry

	events   *eventTaker
	webhooks *hook
	tracking *trackTaker
	plans    *planKeeper
	letters  *letterKeeper
	live     *segmentKeeper
	told     *destinationKeeper

	graph    *graphKeeper
	rules    *ruleKeeper
	models   *modelShelf
	foretell *forecastKeeper
	groups   *groupKeeper
	cohorts  *cohortKeeper
	privacy  *privacyKeeper
	limits   *restrictionKeeper
	commands *commandTaker
	owner    api.Commands // in the place of commands when it is set

	ring  *ring
	keys  *keyKeeper
	audit *recorder
	now   func() time.Time
}

// logBuffer is safe for concurrent use.
type logBuffer struct {
	mu sync.Mutex // Protects b.
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newFixture() *fixture {
	cfg := api.DefaultConfig()
	for _, k := range []struct{ secret, workspace, role string }{
		{"read-dev", "main", "read"},
		{"write-dev", "main", "write"},
		{"public-dev", "main", "public"},
		{"admin-dev", "main", "admin"},
		{"marketer-dev", "main", "marketer"},
		{"read-other", "other", "read"},
		{"write-other", "other", "write"},
		{"public-other", "other", "public"},
		{"admin-other", "other", "admin"},
		{"marketer-other", "other", "marketer"},
	} {
		cfg.Keys = append(cfg.Keys, api.Key{Name: "name-of-" + k.secret, Hash: api.HashSecret(k.secret), Role: api.Role(k.role), Workspace: k.workspace})
	}
	all := newPeople()
	return &fixture{
		people: all, shelf: &shelf{people: all}, preview: &previewer{}, explain: &explainer{}, names: &vocabulary{}, cfg: cfg, logs: &logBuffer{}, metrics: prometheus.NewRegistry(),
		events: &eventTaker{}, webhooks: &hook{}, tracking: &trackTaker{},
		plans: newPlanKeeper(), letters: &letterKeeper{}, live: &segmentKeeper{}, told: &destinationKeeper{},
		graph: &graphKeeper{}, rules: &ruleKeeper{}, commands: newCommandTaker(), models: &modelShelf{}, foretell: &forecastKeeper{}, groups: &groupKeeper{}, cohorts: &cohortKeeper{}, privacy: &privacyKeeper{}, limits: &restrictionKeeper{},
		ring: newRing(), keys: &keyKeeper{}, audit: &recorder{}, now: time.Now,
	}
}

func (f *fixture) server(t testing.TB) *api.Server {
	t.Helper()
	var owner api.Commands = f.commands
	if f.owner != nil {
		owner = f.owner
	}
	s, err := api.New(f.cfg, api.Deps{
		Profiles: f.people, History: f.shelf, Accounts: f.shelf, Searcher: f.shelf, Consistency: f.watch, Preview: f.preview, Vocabulary: f.names, Explain: f.explain, Estimate: f.explain, Keyer: keyer, Normalize: normalize.Identifier, Checks: f.checks,
		Events: f.events, Webhooks: f.webhooks, Tracking: f.tracking,
		Plans: f.plans, Letters: f.letters, Segments: f.live, Destinations: f.told,
		Identity: f.graph, Rules: f.rules, Commands: owner, Values: f.people.values, Models: f.models, Forecasts: f.foretell, Groups: f.groups, Cohorts: f.cohorts, Privacy: f.privacy, Restrictions: f.limits,
		Keyring: f.ring, Keys: f.keys, Audit: f.audit,
		Log: slog.New(slog.NewJSONHandler(f.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: f.now, Registerer: f.metrics, Gatherer: f.metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scenario is one request and what its answer must be.
type scenario struct {
	name    string
	method  string // GET when empty
	path    string // as it is sent
	key     string // Bearer
	header  map[string]string
	body    string
	status  int
	want    []string // in the body
	not     []string // not in the body
	headers map[string]string
}

func (sc scenario) run(t *testing.T, h http.Handler) *http.Response {
	t.Helper()
	method := sc.method
	if method == "" {
		method = http.MethodGet
	}
	r := httptest.NewRequestWithContext(t.Context(), method, "http://api.test"+sc.path, strings.NewReader(sc.body))
	if sc.key != "" {
		r.Header.Set("Authorization", "Bearer "+sc.key)
	}
	if sc.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range sc.header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	answer := w.Result()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != sc.status {
		t.Errorf("status %d, want %d; body %s", answer.StatusCode, sc.status, body)
	}
	for _, s := range sc.want {
		if !bytes.Contains(body, []byte(s)) {
			t.Errorf("body lacks %s:\n%s", s, body)
		}
	}
	for _, s := range append(sc.not, "goroutine", ".go:") {
		if bytes.Contains(body, []byte(s)) {
			t.Errorf("body holds %s:\n%s", s, body)
		}
	}
	for name, value := range sc.headers {
		if got := answer.Header.Get(name); got != value {
			t.Errorf("header %s is %q, want %q", name, got, value)
		}
	}
	if sc.status >= 400 && sc.path != "/readyz" && !strings.HasPrefix(sc.path, "/v1/spaces/") {
		if got := answer.Header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("error has content type %q", got)
		}
	}
	if answer.Header.Get("X-Request-Id") == "" || answer.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers lack request id or nosniff: %v", answer.Header)
	}
	if sc.status != http.StatusNotModified {
		checkDocumented(t, method, r.URL.EscapedPath(), answer, body)
	}
	return answer
}

// discardLog is for servers whose log no test reads.
func discardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

var errBroken = errors.New("broken pipe to ana@example.com")
