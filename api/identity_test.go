package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/profiles"
)

// graphKeeper knows ana of the fixture, whose e-mail is joined to her user id by
// way of a cookie, and ben, whom an operator has parted from her.
type graphKeeper struct {
	err     error
	refused string
	// standing is that of the pair that Review knows and that does not wait.
	standing identity.ReviewStanding
	asked    []string
}

var (
	anaMail   = identity.Identifier{Namespace: "email", Value: "ana@example.com"}
	anaUser   = identity.Identifier{Namespace: "user_id", Value: "42"}
	anaCookie = identity.Identifier{Namespace: "anonymous_id", Value: "cookie-of-ana"}
	benMail   = identity.Identifier{Namespace: "email", Value: "ben@example.com"}
)

func (g *graphKeeper) Why(_ context.Context, workspace string, a, b identity.Identifier) (*identity.Explanation, error) {
	g.asked = append(g.asked, workspace+" "+a.String()+" "+b.String())
	if g.err != nil {
		return nil, g.err
	}
	e := &identity.Explanation{A: a, B: b, ProfileA: 7}
	switch b {
	case anaUser:
		e.Same, e.ProfileB = true, 7
		e.Path = []identity.Hop{
			{From: a, To: anaCookie, Kind: identity.HopFollows, Rule: "a cookie follows the e-mail it was first seen with", Evidence: []identity.Seen{
				{Source: "web", Rule: "event", Period: 2026*4 + 2, FirstEvent: 1785000000000, LastEvent: 20700, MessageID: "m1", WitnessTime: 1785000000000},
			}},
			{From: anaCookie, To: b, Kind: identity.HopFused, Rule: "an operator linked them", Decision: "c1"},
			{From: b, To: b, Kind: identity.HopLinked, Rule: "the records agree", Weight: 1250, Link: &identity.LinkScore{
				Model: "m1", Weight: 1250, Probability: .9998, ScoredAt: 1785000000000,
				Contributions: []identity.Contribution{{Field: "surname", Level: "equal", Weight: 1600}, {Field: "prior", Weight: -350}},
			}},
		}
	case benMail:
		e.ProfileB = 9
		e.Barrier = &identity.Barrier{Kind: identity.BarrierCannotLink, From: anaCookie, To: b, Detail: "an operator parted them"}
	default:
		e.Barrier = &identity.Barrier{Kind: identity.BarrierUnknown, Detail: "no evidence connects them"}
	}
	return e, nil
}

func (g *graphKeeper) Subgraph(_ context.Context, workspace string, id identity.ProfileID) (*identity.Subgraph, error) {
	if g.err != nil {
		return nil, g.err
	}
	key := keyer(workspace).Key
	return &identity.Subgraph{
		Profile: id, Household: "h1", Truncated: true,
		Identifiers: []identity.GraphIdentifier{
			{Identifier: anaMail, Key: key(anaMail), FirstSeen: 1785000000000, Founder: true},
			{Identifier: anaCookie, Key: key(anaCookie), FirstSeen: 1785000000001, State: "crowded", Follows: anaMail.String()},
		},
		Pairs: []identity.GraphPair{
			{A: anaMail, B: anaCookie, Links: true, State: "linking", First: 1785000000000, Last: 20700},
			{A: anaMail, B: anaMail, Links: true, State: "record_link", Link: &identity.LinkScore{Model: "m1", Weight: 900, Probability: .998}},
		},
	}, nil
}

func (g *graphKeeper) Health(_ context.Context, workspace string) (*identity.Health, error) {
	if g.err != nil {
		return nil, g.err
	}
	key := keyer(workspace).Key
	return &identity.Health{
		Identifiers: 5, Profiles: 2, Merges: 3, Pairs: 4, Sizes: []int{1, 0, 1}, Density: .8,
		Largest:   []identity.HealthProfile{{Profile: 7, Identifiers: 4, Pairs: 4}},
		Weakest:   []identity.HealthBridge{{Profile: 7, A: key(anaMail), B: key(anaUser), Smaller: 1}},
		Generics:  []identity.HealthValue{{Key: 12, Namespace: "email", Neighbours: 2000}},
		Conflicts: map[identity.BarrierKind]int{identity.BarrierLimit: 3},
	}, nil
}

func (g *graphKeeper) DryRun(_ context.Context, workspace string, rules []byte) (*api.DryRun, error) {
	g.asked = append(g.asked, "dry run "+string(rules))
	if g.err != nil {
		return nil, g.err
	}
	if g.refused != "" {
		return &api.DryRun{Refused: g.refused}, nil
	}
	key := keyer(workspace).Key
	return &api.DryRun{
		Before: api.DryRunCounts{Profiles: 10, Merges: 5}, After: api.DryRunCounts{Profiles: 11, Merges: 4}, Split: 1, Moved: 1,
		Splits: []api.DryRunExample{{Profile: 7, More: 2, Identifiers: []api.DryRunIdentifier{
			{Key: key(anaMail), Namespace: "email", Before: 7, After: 7}, {Key: 12, Namespace: "user_id", Before: 7, After: 12},
		}}},
		Moves: []api.DryRunIdentifier{{Key: 12, Namespace: "user_id", Before: 7, After: 12}},
	}, nil
}

func (g *graphKeeper) DryRunProgress(context.Context, string) (*identity.TrialProgress, error) {
	return &identity.TrialProgress{Running: len(g.asked) > 0, StartedAt: 1785000000000, Rows: 7}, g.err
}

// Try would part Ben's e-mail from Ana, and knows nobody called nobody.
func (g *graphKeeper) Try(_ context.Context, c identity.Command) (*identity.CommandTrial, error) {
	g.asked = append(g.asked, "try "+c.Workspace+" "+string(c.Kind)+" "+c.ID)
	if g.err != nil {
		return nil, g.err
	}
	if c.Kind == identity.Erase && c.Identifiers[0].Value != "nobody" {
		return &identity.CommandTrial{Outcome: identity.Outcome{ID: c.ID}, Erasure: &identity.TrialErasure{Profile: 7, Erased: c.Identifiers, Shared: []identity.Identifier{anaCookie}}}, nil
	}
	out := identity.Outcome{ID: c.ID, Workspace: c.Workspace, Decisions: 2, Pairs: 1, Moved: 1, Epoch: 3, Sequence: 17}
	if len(c.Identifiers) > 0 && c.Identifiers[0].Value == "nobody" {
		return &identity.CommandTrial{Outcome: identity.Outcome{ID: c.ID, Code: identity.RefusedUnknown, Detail: "identifier 1 of 1 was never seen"}}, nil
	}
	return &identity.CommandTrial{
		Outcome: out,
		Decided: []identity.TrialDecision{
			{Kind: identity.Reject, A: anaCookie, B: benMail, On: true},
			{Kind: identity.CannotLink, A: anaMail, B: benMail, On: true},
			{Kind: identity.Block, A: anaCookie, On: true},
		},
		Moves:    []identity.TrialMove{{Identifier: benMail, Key: 9, Before: 7, After: 9}},
		Profiles: []identity.TrialProfile{{Profile: 7, Before: 4, After: 3}, {Profile: 9, After: 1}},
	}, nil
}

const why = "/v1/identity/why?a=email:ana%40example.com&b="

func TestWhy(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for _, sc := range []scenario{
		{name: "path", path: why + "user_id:42", key: "admin-dev", status: 200, want: []string{
			`"same":true`, `"a":{"namespace":"email","value":"ana@example.com","profile":"0000000000000007"}`,
			`"to":{"namespace":"anonymous_id","value":"cookie-of-ana"},"kind":"follows"`, `"quarter":"2026-Q3"`, `"last_event":"2026-09-04"`, `"decision":"c1"`,
		}},
		{
			name: "masked path", path: why + "user_id:42", key: "read-dev", status: 200,
			want: []string{`"value":"ana@example.com"`, `"value":"42"`, `"value":"c***"`}, not: []string{"cookie-of-ana"},
		},
		{name: "not normalised", path: "/v1/identity/why?a=email:%20ANA%40Example.com&b=user_id:42", key: "read-dev", status: 400, want: []string{"%2B"}},
		{name: "normalised", path: "/v1/identity/why?a=email:ANA%40Example.com&b=user_id:42", key: "read-dev", status: 200, want: []string{`"value":"ana@example.com"`}},
		{
			name: "barrier", path: why + "email:ben%40example.com", key: "read-dev", status: 200,
			want: []string{`"same":false`, `"kind":"cannot_link"`, `"from":{"namespace":"anonymous_id","value":"c***"}`, `"path":[]`},
		},
		{name: "nobody", path: why + "user_id:nobody", key: "read-dev", status: 200, want: []string{`"kind":"nothing_known"`}, not: []string{`"from"`}},
		{name: "no b", path: "/v1/identity/why?a=user_id:1", key: "read-dev", status: 400, want: []string{`\"b\" is missing`}},
		{name: "nothing", path: "/v1/identity/why", key: "read-dev", status: 400, want: []string{`\"a\" is missing`}},
		{name: "empty", path: "/v1/identity/why?a=&b=", key: "read-dev", status: 400, want: []string{`\"a\" is missing`}},
		{name: "empty value", path: "/v1/identity/why?a=user_id:&b=user_id:1", key: "read-dev", status: 400, want: []string{"empty value"}},
		{name: "no namespace", path: "/v1/identity/why?a=secret-of-ana&b=user_id:1", key: "read-dev", status: 400, want: []string{"namespace:value"}, not: []string{"secret-of-ana"}},
		{name: "odd namespace", path: "/v1/identity/why?a=User:1&b=user_id:1", key: "read-dev", status: 400, want: []string{"a-z"}},
		{name: "placeholder", path: "/v1/identity/why?a=user_id:null&b=user_id:1", key: "read-dev", status: 400, want: []string{`\"a\"`, "empty"}},
		{name: "twice", path: why + "user_id:1&b=user_id:2", key: "read-dev", status: 400, want: []string{`\"b\"`, "more than once"}},
		{name: "same", path: why + "email:Ana%40example.com", key: "read-dev", status: 400, want: []string{"the same identifier"}},
		{name: "not encoded", path: why + "user_id:%zz", key: "read-dev", status: 400, want: []string{"percent-encoded"}},
		{name: "plus sign", path: why + "phone:+351912345678", key: "read-dev", status: 400, want: []string{"%2B"}},
		{name: "not UTF-8", path: why + "user_id:%ff", key: "read-dev", status: 400, want: []string{"UTF-8"}},
		{name: "huge", path: why + "user_id:" + strings.Repeat("x", 1100), key: "read-dev", status: 400, want: []string{"1024 bytes"}},
		{name: "long", path: why + "user_id:" + strings.Repeat("x", 600), key: "read-dev", status: 400, want: []string{"512 bytes"}},
		{name: "endless", path: why + strings.Repeat("x", 5000), key: "read-dev", status: 414},
		{name: "writer", path: why + "user_id:42", key: "write-dev", status: 403},
		{name: "nobody's key", path: why + "user_id:42", status: 401},
		{name: "post", method: http.MethodPost, path: why + "user_id:42", key: "read-dev", status: 405},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	for _, value := range []string{"a+b c/d%e", "..%2f..%2fetc", "olá 世界", "urn:x:1", "?a=b&c#d", "a;b", `x'); DROP--`} {
		f.graph.asked = nil
		scenario{path: why + everyByte("user_id:"+value), key: "read-dev", status: 200}.run(t, h)
		if want := "main email:ana@example.com user_id:" + value; strings.Join(f.graph.asked, "") != want {
			t.Errorf("asked for %q, want %q", f.graph.asked, want)
		}
	}
	if logs := f.logs.String(); strings.Contains(logs, "ana@example") || strings.Contains(logs, "DROP") {
		t.Error("the log holds values")
	}
}

func TestProfileIdentity(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	ana := identity.ProfileID(keyer("main").Key(anaMail)).String()
	for _, sc := range []scenario{
		{
			name: "by e-mail", path: "/v1/profiles/email:Ana@Example.com/identity", key: "read-dev", status: 200,
			headers: map[string]string{"Content-Location": "/v1/profiles/" + ana + "/identity"},
			want: []string{
				`"profile":"` + ana, `"value":"ana@example.com"`, `"value":"c***"`, `"follows":"email:ana@example.com"`, `"state":"crowded"`, `"truncated":true`,
				`"state":"record_link","link":{"model":"m1","weight":900,"probability":0.998}}`,
			}, not: []string{"cookie-of-ana"},
		},
		{
			name: "by user id", path: "/v1/profiles/user_id:42/identity", key: "read-dev", status: 200,
			want: []string{`"profile":"` + ana, `"value":"a***@example.com"`, `"follows":"email:a***@example.com"`}, not: []string{"ana@"},
		},
		{name: "by profile id", path: "/v1/profiles/" + ana + "/identity", key: "read-dev", status: 200, want: []string{`"a***@example.com"`}, not: []string{"ana@"}},
		{name: "as admin", path: "/v1/profiles/" + strings.ToUpper(ana) + "/identity", key: "admin-dev", status: 200, want: []string{"ana@example.com", "cookie-of-ana"}},
		{name: "hostile", path: "/v1/profiles/" + everyByte("user_id:a+b c/d%e") + "/identity", key: "read-dev", status: 200, want: []string{`"profile":"` + ana}},
		{name: "nobody", path: "/v1/profiles/user_id:nobody/identity", key: "read-dev", status: 404, want: []string{"profile-not-found"}},
		{name: "of another workspace", path: "/v1/profiles/user_id:42/identity", key: "read-other", status: 404},
		{name: "no identifier", path: "/v1/profiles/ana/identity", key: "read-dev", status: 400},
		{name: "below", path: "/v1/profiles/user_id:42/identity/x", key: "read-dev", status: 404, want: []string{"no-such-route"}},
		{name: "writer", path: "/v1/profiles/user_id:42/identity", key: "write-dev", status: 403},
		{name: "nobody's key", path: "/v1/profiles/user_id:42/identity", status: 401},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	f.graph.err = profiles.ErrNotFound
	scenario{path: "/v1/profiles/user_id:42/identity", key: "read-dev", status: 404, want: []string{"profile-not-found"}}.run(t, h)
}

func TestIdentityHealth(t *testing.T) {
	f := newFixture()
	h := f.server(t).Handler()
	for _, sc := range []scenario{
		{name: "as reader", path: "/v1/identity/health", key: "read-dev", status: 200, not: []string{"ana@"}, want: []string{
			`{"from":1,"to":1,"profiles":1},{"from":2,"to":3,"profiles":0},{"from":4,"to":7,"profiles":1}`, `"conflicts":{"limit":3}`,
			`"value":"a***@example.com"`, `{"key":"000000000000000c","namespace":"email","neighbours":2000}`, `"profile":"0000000000000007"`,
		}},
		{name: "as admin", path: "/v1/identity/health", key: "admin-dev", status: 200, want: []string{`"value":"ana@example.com"`}},
		{name: "as writer", path: "/v1/identity/health", key: "write-dev", status: 403},
		{name: "as nobody", path: "/v1/identity/health", status: 401},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	f.people.err = errBroken
	scenario{path: "/v1/identity/health", key: "read-dev", status: 500, not: []string{"pipe"}}.run(t, h)
}

// TestIdentityNotHere asks a process that does not have the graph, and one that
// has none at all.
func TestIdentityNotHere(t *testing.T) {
	f := newFixture()
	f.graph.err = api.ErrIdentityNotHere
	check := func(h http.Handler, reads ...string) {
		t.Helper()
		for _, path := range reads {
			scenario{
				path: path, key: "read-dev", status: 503, headers: map[string]string{"Retry-After": "1"},
				want: []string{`"code":"identity_not_here"`, "identity-not-here", "/readyz"},
			}.run(t, h)
		}
		scenario{method: http.MethodPost, path: "/v1/identity/dry-run", key: "admin-dev", body: `{}`, status: 503, want: []string{`"identity_not_here"`}}.run(t, h)
	}
	graph := []string{why + "user_id:42", "/v1/profiles/user_id:42/identity", "/v1/identity/health", "/v1/identity/review"}
	check(f.server(t).Handler(), graph...)
	bare := newFixture()
	s, err := api.New(bare.cfg, api.Deps{
		Profiles: bare.people, Preview: bare.preview, Keyer: keyer, Normalize: normalize.Identifier,
		Log: discardLog(), Now: time.Now, Registerer: bare.metrics, Gatherer: bare.metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	check(s.Handler(), append(graph, "/v1/identity/rules", "/v1/identity/commands/c1")...)
	scenario{method: http.MethodPost, path: "/v1/identity/undo", key: "admin-dev", body: `{"target":"c1"}`, status: 503, want: []string{`"identity_not_here"`}}.run(t, s.Handler())
}
