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
	gotHealth, err := c.Health(ctx, "mine")
	if d := cmp.Diff(health, gotHealth); d != "" || err != nil {
		t.Errorf("health (-want +got):\n%s %v", d, err)
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

// TestTokens: only a genuine request of this minute is read.
func TestTokens(t *testing.T) {
	o := &owner{}
	if _, err := clientOf(t, identity.Secret{9}, serve(t, o, clock)).Health(t.Context(), "mine"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("with another secret: %v", err)
	}
	body := []byte(`{"workspace":"mine"}`)
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
