package inquiry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
)

var (
	secret = identity.Secret{1, 2, 3}
	noon   = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	anna   = identity.Member{Identifier: identity.Identifier{Namespace: identity.UserID, Value: "anna"}, Key: 1<<63 - 1}
	home   = identity.Member{Identifier: identity.Identifier{Namespace: identity.Landline, Value: "+351"}, Key: 7}
)

func clock() time.Time { return noon }

// owner owns the workspace "mine".
type owner struct {
	asked int
	fails error
}

var (
	why = identity.Explanation{
		A: anna.Identifier, B: home.Identifier, ProfileA: 1<<63 - 1, Path: []identity.Hop{},
		Barrier: &identity.Barrier{Kind: identity.BarrierUnknown, Detail: "no persons"},
	}
	graph = identity.Subgraph{
		Profile:     42,
		Identifiers: []identity.GraphIdentifier{{Identifier: anna.Identifier, Key: anna.Key, Founder: true}},
		Pairs:       []identity.GraphPair{{A: anna.Identifier, B: home.Identifier, Links: true, State: "linking", First: 5}},
	}
	health = identity.Health{
		Profiles: 3, Sizes: []int{2, 1}, Largest: []identity.HealthProfile{{Profile: 42, Identifiers: 2}},
		Weakest:   []identity.HealthBridge{{Profile: 42, A: anna.Key, B: 7, Smaller: 1}},
		Conflicts: map[identity.BarrierKind]int{identity.BarrierLimit: 2}, Density: .5,
	}
)

func (o *owner) err(workspace string) error {
	o.asked++
	if workspace != "mine" {
		return identity.ErrNotOwner
	}
	return o.fails
}

func (o *owner) Why(_ context.Context, workspace string, a, b identity.Member) (identity.Explanation, error) {
	if a != anna || b != home {
		return identity.Explanation{}, errors.New("other members came")
	}
	return why, o.err(workspace)
}

func (o *owner) Subgraph(_ context.Context, workspace string, p identity.ProfileID) (identity.Subgraph, error) {
	if p != 42 {
		return identity.Subgraph{}, errors.New("another profile came")
	}
	return graph, o.err(workspace)
}

func (o *owner) Health(_ context.Context, workspace string) (identity.Health, error) {
	return health, o.err(workspace)
}

var (
	waits = identity.Review{
		Model: "m1", ReviewThreshold: 200, LinkThreshold: 700, Waiting: 2, Next: identity.NewReviewCursor(.1, 3, 1<<63-1),
		Questions: []identity.Question{{
			A: identity.ReviewRecord{Record: anna.Identifier, Key: 3, Profile: 3, Stake: identity.Stake{Identifiers: 1, Events: 1 << 60, Value: .3}},
			B: identity.ReviewRecord{Record: home.Identifier, Key: 1<<63 - 1, Profile: 1<<63 - 1}, Worth: 1. / 3, Uncertainty: 1, Stake: 1. / 3,
			Link:    identity.LinkScore{Model: "m1", Weight: 300, Probability: identity.LinkProbability(300)},
			Barrier: identity.Barrier{Kind: identity.BarrierLimit, Detail: "one only"},
		}},
	}
	asked = identity.ReviewQuery{Limit: 7, After: waits.Next, Pair: &[2]identity.Key{3, 1<<63 - 1}}
)

func (o *owner) Review(_ context.Context, workspace string, ask identity.ReviewQuery) (identity.Review, error) {
	if !cmp.Equal(ask, asked) {
		return identity.Review{}, errors.New("another question came")
	}
	return waits, o.err(workspace)
}

var (
	block = identity.Command{ID: "c1", Workspace: "mine", Kind: identity.BlockValue, Identifiers: []identity.Identifier{anna.Identifier}, Actor: "ops"}
	rules = identity.RulesTrial{
		Before: identity.TrialCounts{Profiles: 3}, After: identity.TrialCounts{Profiles: 4}, Splits: 1, Moves: 2,
		SplitExamples: []identity.TrialExample{{Profile: 1<<63 - 1, Identifiers: []identity.TrialIdentifier{{Key: 7, Namespace: "email", Before: 1<<63 - 1}}, More: 3}},
		JoinExamples:  []identity.TrialExample{}, MoveExamples: []identity.TrialIdentifier{},
	}
	blocked = identity.CommandTrial{
		Outcome:  identity.Outcome{ID: "c1", Workspace: "mine", Decisions: 1, Moved: 1, Epoch: 3, Sequence: 9},
		Decided:  []identity.TrialDecision{{Kind: identity.Block, A: anna.Identifier, On: true}},
		Moves:    []identity.TrialMove{{Identifier: anna.Identifier, Key: anna.Key, Before: 42, After: anna.Key}},
		Profiles: []identity.TrialProfile{{Profile: 42, Before: 2, After: 1}},
	}
	progress = identity.TrialProgress{Running: true, StartedAt: 5, Rows: 7}
)

// TryRules reports the rules it got, and for "slow" waits for the end.
func (o *owner) TryRules(ctx context.Context, workspace string, text []byte) (identity.RulesTrial, error) {
	if string(text) == "slow" {
		<-ctx.Done()
		return identity.RulesTrial{}, ctx.Err()
	}
	if len(text) != 1<<20 {
		return identity.RulesTrial{Refused: string(text)}, o.err(workspace)
	}
	return rules, o.err(workspace)
}

func (o *owner) TrialProgress(_ context.Context, workspace string) (identity.TrialProgress, error) {
	return progress, o.err(workspace)
}

func (o *owner) TryCommand(_ context.Context, c identity.Command) (identity.CommandTrial, error) {
	if !cmp.Equal(c, block) {
		return identity.CommandTrial{}, errors.New("another command came")
	}
	return blocked, o.err(c.Workspace)
}

func serve(t *testing.T, i Inquirer, now func() time.Time) string {
	s := httptest.NewServer(NewHandler(i, secret, now, nil))
	t.Cleanup(s.Close)
	return s.URL
}

func clientOf(t *testing.T, secret identity.Secret, urls ...string) *Client {
	c, err := NewClient(urls, secret, clock)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAnswersArriveWhole: through the client one reads what the owner said.
func TestAnswersArriveWhole(t *testing.T) {
	c := clientOf(t, secret, serve(t, &owner{}, clock)+"/")
	ctx := t.Context()
	gotWhy, err := c.Why(ctx, "mine", anna, home)
	if d := cmp.Diff(why, gotWhy); d != "" || err != nil {
		t.Errorf("why (-want +got):\n%s %v", d, err)
	}
	gotGraph, err := c.Subgraph(ctx, "mine", 42)
	if d := cmp.Diff(graph, gotGraph); d != "" || err != nil {
		t.Errorf("subgraph (-want +got):\n%s %v", d, err)
	}
	gotReview, err := c.Review(ctx, "mine", asked)
	if d := cmp.Diff(waits, gotReview); err != nil || d != "" {
		t.Errorf("review: %v %s", err, d)
	}
	if _, err := c.Review(ctx, "mine", identity.ReviewQuery{After: "x"}); !errors.Is(err, identity.ErrReviewCursor) {
		t.Errorf("review of a bad cursor: %v", err)
	}
	gotHealth, err := c.Health(ctx, "mine")
	if d := cmp.Diff(health, gotHealth); d != "" || err != nil {
		t.Errorf("health (-want +got):\n%s %v", d, err)
	}
	gotRules, err := c.TryRules(ctx, "mine", bytes.Repeat([]byte("#"), 1<<20))
	if d := cmp.Diff(rules, gotRules); d != "" || err != nil {
		t.Errorf("trial of rules (-want +got):\n%s %v", d, err)
	}
	if refused, err := c.TryRules(ctx, "mine", []byte("{")); refused.Refused != "{" || err != nil {
		t.Errorf("refused rules: %+v, %v", refused, err)
	}
	gotProgress, err := c.TrialProgress(ctx, "mine")
	if d := cmp.Diff(progress, gotProgress); d != "" || err != nil {
		t.Errorf("progress (-want +got):\n%s %v", d, err)
	}
	gotBlocked, err := c.TryCommand(ctx, block)
	if d := cmp.Diff(blocked, gotBlocked); d != "" || err != nil {
		t.Errorf("trial of a command (-want +got):\n%s %v", d, err)
	}
}

// TestNextIsAsked: a process that does not own the workspace sends the client
// on, and one that did answer is asked first the next time.
func TestNextIsAsked(t *testing.T) {
	stranger, mine := &owner{fails: identity.ErrNotOwner}, &owner{}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	a, b := serve(t, stranger, clock), serve(t, mine, clock)
	c := clientOf(t, secret, closed.URL, a, b)
	for range 3 {
		if _, err := c.Health(t.Context(), "mine"); err != nil {
			t.Fatal(err)
		}
	}
	if stranger.asked != 1 || mine.asked != 3 {
		t.Errorf("asked %d times elsewhere and the owner %d times", stranger.asked, mine.asked)
	}
	if _, err := clientOf(t, secret, a, b).Health(t.Context(), "other"); !errors.Is(err, identity.ErrNotOwner) {
		t.Errorf("nobody owns it: %v", err)
	}
	if _, err := clientOf(t, secret, closed.URL, a).Health(t.Context(), "mine"); err == nil || errors.Is(err, identity.ErrNotOwner) {
		t.Errorf("the owner may be down: %v", err)
	}
	broken := serve(t, &owner{fails: errors.New("value anna is broken")}, clock)
	if _, err := clientOf(t, secret, broken).Health(t.Context(), "mine"); err == nil || strings.Contains(err.Error(), "anna") {
		t.Errorf("a broken owner: %v", err)
	}
}

// TestTrials: a trial that runs is said so by the owner, without asking others,
// and a client that goes away ends the one that it asked for.
func TestTrials(t *testing.T) {
	busy, other := &owner{fails: identity.ErrTrialRunning}, &owner{}
	c := clientOf(t, secret, serve(t, busy, clock), serve(t, other, clock))
	if _, err := c.TryRules(t.Context(), "mine", []byte("x")); !errors.Is(err, identity.ErrTrialRunning) || other.asked > 0 {
		t.Errorf("%v; another process was asked %d times", err, other.asked)
	}
	begun, ended := make(chan struct{}), make(chan struct{})
	slow := clientOf(t, secret, serve(t, ending{&owner{}, begun, ended}, clock))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-begun; cancel() }()
	if _, err := slow.TryRules(ctx, "mine", []byte("slow")); !errors.Is(err, context.Canceled) {
		t.Errorf("gone away: %v", err)
	}
	<-ended // or the test runs into its end
}

// ending tells when a trial has begun and ended.
type ending struct {
	*owner
	begun, ended chan struct{}
}

func (e ending) TryRules(ctx context.Context, workspace string, text []byte) (identity.RulesTrial, error) {
	defer close(e.ended)
	close(e.begun)
	return e.owner.TryRules(ctx, workspace, text)
}

// TestTokens: only a genuine request of this minute is read.
func TestTokens(t *testing.T) {
	o := &owner{}
	if _, err := clientOf(t, identity.Secret{9}, serve(t, o, clock)).Health(t.Context(), "mine"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("with another secret: %v", err)
	}
	body := []byte(`{"workspace":"mine"}`)
	foreign := []byte(`{"workspace":"mine","command":{"id":"c","workspace":"other","kind":"undo"}}`)
	s := newSigner(secret)
	for name, c := range map[string]struct {
		token, path string
		body        []byte
		now         time.Time
		status      int
	}{
		"genuine":              {s.token(noon, pathHealth, body), pathHealth, body, noon, 200},
		"clock behind":         {s.token(noon, pathHealth, body), pathHealth, body, noon.Add(-time.Minute), 200},
		"replayed in a minute": {s.token(noon, pathHealth, body), pathHealth, body, noon.Add(time.Minute), 200},
		"replayed later":       {s.token(noon, pathHealth, body), pathHealth, body, noon.Add(61 * time.Second), 401},
		"of the future":        {s.token(noon, pathHealth, body), pathHealth, body, noon.Add(-61 * time.Second), 401},
		"another path":         {s.token(noon, pathWhy, body), pathHealth, body, noon, 401},
		"another body":         {s.token(noon, pathHealth, body), pathHealth, []byte(`{"workspace":"other"}`), noon, 401},
		"another date":         {"1777896001" + s.token(noon, pathHealth, body)[10:], pathHealth, body, noon, 401},
		"no token":             {"", pathHealth, body, noon, 401},
		"no sum":               {"1777896000.", pathHealth, body, noon, 401},
		"no digits":            {"1777896000.zz", pathHealth, body, noon, 401},
		"malformed":            {s.token(noon, pathHealth, []byte("{")), pathHealth, []byte("{"), noon, 400},
		"no workspace":         {s.token(noon, pathHealth, []byte("{}")), pathHealth, []byte("{}"), noon, 400},
		"no members":           {s.token(noon, pathWhy, body), pathWhy, body, noon, 400},
		"no rules":             {s.token(noon, pathRules, body), pathRules, body, noon, 400},
		"no command":           {s.token(noon, pathCommand, body), pathCommand, body, noon, 400},
		"a foreign command":    {s.token(noon, pathCommand, foreign), pathCommand, foreign, noon, 400},
		"no profile":           {s.token(noon, pathSubgraph, body), pathSubgraph, body, noon, 400},
		"too large":            {"", pathHealth, bytes.Repeat([]byte("x"), maxRequest+1), noon, 413},
	} {
		before := o.asked
		r := httptest.NewRequest(http.MethodPost, c.path, bytes.NewReader(c.body))
		r.Header.Set(tokenHeader, c.token)
		w := httptest.NewRecorder()
		NewHandler(o, secret, func() time.Time { return c.now }, nil).ServeHTTP(w, r)
		if w.Code != c.status || o.asked != before && c.status != 200 {
			t.Errorf("%s: %d %s, want %d; asked %v", name, w.Code, w.Body, c.status, o.asked != before)
		}
	}
}

// TestOnlyPosts: nothing is answered to a browser that follows a link.
func TestOnlyPosts(t *testing.T) {
	w := httptest.NewRecorder()
	NewHandler(&owner{}, secret, clock, nil).ServeHTTP(w, httptest.NewRequest(http.MethodGet, pathHealth, nil))
	if body, _ := io.ReadAll(w.Body); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d %s", w.Code, body)
	}
}

func TestClientNeedsURLs(t *testing.T) {
	for _, urls := range [][]string{nil, {"localhost:8125"}, {"ftp://host"}, {"http://"}} {
		if _, err := NewClient(urls, secret, clock); err == nil {
			t.Errorf("%q are urls", urls)
		}
	}
}
