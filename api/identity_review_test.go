package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

var (
	crmBen  = identity.Identifier{Namespace: "record", Value: "crm/ben-7"}
	shopBen = identity.Identifier{Namespace: "record", Value: "shop/ben-41"}
	shopEve = identity.Identifier{Namespace: "record", Value: "shop/eve-42"}
)

// pairOf is the name of the pair of two records.
func pairOf(a, b identity.Identifier) string {
	x, y := keyer("main").Key(a), keyer("main").Key(b)
	return identity.ProfileID(min(x, y)).String() + "-" + identity.ProfileID(max(x, y)).String()
}

// Review knows one pair that waits, of Ben in the CRM and in the shop, and one of
// Ben and Eve of which it says what the test wants.
func (g *graphKeeper) Review(_ context.Context, workspace string, ask identity.ReviewQuery) (*identity.Review, error) {
	text, _ := json.Marshal(ask)
	g.asked = append(g.asked, "review "+workspace+" "+string(text))
	if g.err != nil {
		return nil, g.err
	}
	r := &identity.Review{Model: "m1", ReviewThreshold: 200, LinkThreshold: 700, Waiting: 2, Next: identity.NewReviewCursor(1.5, 3, 4), Questions: []identity.Question{}}
	a, b := keyer(workspace).Key(crmBen), keyer(workspace).Key(shopBen)
	if ask.Pair != nil && !slices.Contains(ask.Pair[:], b) {
		r.Standing = g.standing
		return r, nil
	}
	record := func(i identity.Identifier, k identity.Key) identity.ReviewRecord {
		return identity.ReviewRecord{Record: i, Key: k, Profile: identity.ProfileID(k), Stake: identity.Stake{Identifiers: 2, Events: 40, Value: 9.5}}
	}
	q := identity.Question{
		A: record(crmBen, a), B: record(shopBen, b), Worth: 6, Uncertainty: .5, Stake: 12,
		Link:    identity.LinkScore{Model: "m1", Weight: 310, Probability: .89, ScoredAt: 1785000000000, Contributions: []identity.Contribution{{Field: "surname", Level: "equal", Weight: 310}}},
		Barrier: identity.Barrier{Kind: identity.BarrierWeight, From: crmBen, To: shopBen, Detail: "not alike enough"},
	}
	if b < a {
		q.A, q.B = q.B, q.A
	}
	r.Questions = append(r.Questions, q)
	if ask.Pair != nil {
		r.Standing, r.Next = identity.ReviewWaiting, ""
	}
	return r, nil
}

// reviewed is a fixture with the profiles of the records.
func reviewed() *fixture {
	f := newFixture()
	say := func(p *profiles.Profile, traits ...string) {
		for i := 0; i < len(traits); i += 2 {
			p.Traits = append(p.Traits, profiles.Trait{Name: traits[i], Value: []byte(traits[i+1]), Rule: profiles.Newest, Time: noon})
		}
	}
	say(f.people.add("main", crmBen), "birthday", `"1970-01-01"`, "city", `"Lisboa"`, "email", `"ben@work.example"`, "points", `12`, "title", `"Mr"`)
	say(f.people.add("main", shopBen), "birthday", `"1970-10-01"`, "city", `"LISBOA "`, "email", `"b.ben@home.example"`, "points", `12`)
	f.people.add("main", shopEve)
	return f
}

func TestReview(t *testing.T) {
	f := reviewed()
	h := f.server(t).Handler()
	const path = "/v1/identity/review"
	of := path + "?a=record:crm/ben-7&b=record:shop/"
	secrets := []string{"ben-7", "ben-41", "1970", "Lisboa", "LISBOA", "ben@work"}
	for _, sc := range []scenario{
		{name: "as admin", path: path, key: "admin-dev", status: 200, want: []string{
			`"model":"m1"`, `"review_threshold":200`, `"link_threshold":700`, `"waiting":2`, `"pair":"` + pairOf(crmBen, shopBen) + `"`, `"next":"3ff8`,
			`"worth":6,"uncertainty":0.5,"stake":12`, `"events":40,"value":9.5`, `{"field":"surname","level":"equal","weight":310}`, `"kind":"weight"`, `"crm/ben-7"`,
			`"trait":"birthday","relation":"differ"`, `"1970-10-01"`, `"trait":"city","relation":"agree"`, `"trait":"points","relation":"agree","a":12,"b":12`,
		}},
		{name: "as reader", path: path, key: "read-dev", status: 200, not: secrets, want: []string{
			`"record":{"namespace":"record","value":"c***"}`, `"1***"`, `"relation":"agree"`, `***@work.example"`, `"a":"***","b":"***"`, `"probability":0.89`,
		}},
		{name: "a part", path: path + "?limit=7&after=" + string(identity.NewReviewCursor(2, 1, 2)), key: "read-dev", status: 200, not: secrets},
		{name: "no limit", path: path + "?limit=0", key: "read-dev", status: 400, want: []string{"limit", "1 to 100"}},
		{name: "odd limit", path: path + "?limit=many", key: "read-dev", status: 400, want: []string{"1 to 100"}},
		{name: "large limit", path: path + "?limit=101", key: "read-dev", status: 400, want: []string{"1 to 100"}},
		{name: "odd cursor", path: path + "?after=secret-of-ana", key: "read-dev", status: 400, want: []string{"after", "next"}, not: []string{"secret-of-ana"}},
		{name: "one pair", path: of + "ben-41", key: "read-dev", status: 200, want: []string{`"standing":"waiting"`, `"crm/ben-7"`, `"1***"`}, not: []string{`"waiting":`, "1970"}},
		{name: "one pair by its name", path: path + "?pair=" + pairOf(crmBen, shopBen), key: "read-dev", status: 200, want: []string{`"standing":"waiting"`}, not: secrets},
		{name: "no such name", path: path + "?pair=secret-of-ana", key: "read-dev", status: 400, want: []string{"hexadecimal"}, not: []string{"secret-of-ana"}},
		{name: "twice", path: of + "ben-41&pair=" + pairOf(crmBen, shopBen), key: "read-dev", status: 400, want: []string{"not both"}},
		{name: "half a pair", path: path + "?a=record:crm/7", key: "read-dev", status: 400, want: []string{`\"b\"`}},
		{name: "the other half", path: path + "?b=record:crm/7", key: "read-dev", status: 400, want: []string{`\"a\"`}},
		{name: "one record", path: path + "?a=record:crm/7&b=record:crm/7", key: "read-dev", status: 400, want: []string{"the same record"}},
		{name: "no record", path: path + "?a=secret-of-ana&b=record:crm/7", key: "read-dev", status: 400, not: []string{"secret-of-ana"}},
		{name: "writer", path: path, key: "write-dev", status: 403},
		{name: "nobody", path: path, status: 401},
		{name: "post", method: http.MethodPost, path: path, key: "admin-dev", body: "{}", status: 405},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.run(t, h) })
	}
	f.graph.asked = nil
	scenario{path: path, key: "read-dev", status: 200}.run(t, h)
	if want := []string{`review main {"Limit":20,"After":"","Pair":null}`}; !slices.Equal(f.graph.asked, want) {
		t.Errorf("asked %q", f.graph.asked)
	}
	for standing, detail := range map[identity.ReviewStanding]string{
		identity.ReviewUnknown: "no such pair", identity.ReviewMerged: "unmerge", identity.ReviewDecided: "decided already",
	} {
		f.graph.standing = standing
		scenario{path: of + "eve-42", key: "read-dev", status: 200, want: []string{`"standing":"` + string(standing) + `"`, detail, `"questions":[]`, pairOf(crmBen, shopEve)}}.run(t, h)
	}
	f.people.err = errBroken
	scenario{path: path, key: "read-dev", status: 500, not: []string{"pipe"}}.run(t, h)
	if logs := f.logs.String(); strings.Contains(logs, "ben-7") || strings.Contains(logs, "1970-") {
		t.Error("the log holds values")
	}
}

func decide(name, pair, body string, status int, want ...string) scenario {
	return command(name, "review/"+pair+"/decision", body, status, want...)
}

func TestReviewDecisions(t *testing.T) {
	f := reviewed()
	f.graph.standing = identity.ReviewDecided
	h := f.server(t).Handler()
	pair, stale := pairOf(crmBen, shopBen), pairOf(crmBen, shopEve)
	low, high, _ := strings.Cut(pair, "-")
	for _, sc := range []scenario{
		decide("same", pair, `{"answer":"same","id":"d1","reason":"she called"}`, 200, `"kind":"link"`, `"status":"applied"`, `"actor":"name-of-admin-dev"`),
		decide("different", strings.ToUpper(pair), `{"answer":"different"}`, 200, `"kind":"separate"`),
		decide("against a limit", pair, `{"answer":"same","override":true,"reason":"one person"}`, 200, `"kind":"link"`),
		decide("tried", pair, `{"answer":"different","id":"d9","dry_run":true}`, 200, `"dry_run":true`, `"kind":"separate"`),
		decide("decided by others", stale, `{"answer":"same"}`, 409, "pair-not-waiting", `"code":"decided"`, "nothing was changed"),
		decide("given again", stale, `{"answer":"same","id":"d1"}`, 200, `"id":"d1"`),
		decide("no answer", pair, `{}`, 400, `"/answer"`, "different"),
		decide("odd answer", pair, `{"answer":"perhaps"}`, 400, `"/answer"`),
		decide("odd id", pair, `{"answer":"same","id":"a/b"}`, 400, `"/id"`),
		decide("override of different", pair, `{"answer":"different","override":true,"reason":"x"}`, 400, `"/override"`),
		decide("override without a reason", pair, `{"answer":"same","override":true}`, 400, `"/reason"`),
		decide("long reason", pair, `{"answer":"same","reason":"`+strings.Repeat("x", 1001)+`"}`, 400, `"/reason"`),
		decide("unknown field", pair, `{"answer":"same","pair":"x"}`, 400, "not known: pair"),
		decide("wrong type", pair, `{"answer":true}`, 400, `"/answer"`, "must be text"),
		decide("not JSON", pair, `{`, 400),
		decide("turned round", high+"-"+low, `{"answer":"same"}`, 400, "the lesser first"),
		decide("half a pair", low, `{"answer":"same"}`, 400, "hyphen"),
		decide("no pair", "secret-of-ana", `{"answer":"same"}`, 400, "hexadecimal"),
		decide("the same twice", low+"-"+low, `{"answer":"same"}`, 400, "the lesser first"),
		as("read-dev", decide("as reader", pair, `{"answer":"same"}`, 403)),
		as("write-dev", decide("as writer", pair, `{"answer":"same"}`, 403)),
		as("", decide("as nobody", pair, `{"answer":"same"}`, 401)),
		{name: "get", path: "/v1/identity/review/" + pair + "/decision", key: "admin-dev", status: 405},
	} {
		t.Run(sc.name, func(t *testing.T) {
			sc.not = append(sc.not, "secret-of-ana", "ben-7")
			sent := len(f.commands.taken)
			if sc.name == "tried" {
				sc.not = nil
			}
			sc.run(t, h)
			if (sc.status >= 400 || sc.name == "tried") && len(f.commands.taken) != sent {
				t.Error("what was refused, or only tried, was sent")
			}
		})
	}
	records := []identity.Identifier{crmBen, shopBen}
	if keyer("main").Key(shopBen) < keyer("main").Key(crmBen) {
		slices.Reverse(records)
	}
	want := []identity.Command{
		{ID: "d1", Workspace: "main", Kind: identity.Link, Identifiers: records, Actor: "name-of-admin-dev", Reason: "she called"},
		{Workspace: "main", Kind: identity.Separate, Identifiers: records, Actor: "name-of-admin-dev"},
		{Workspace: "main", Kind: identity.Link, Identifiers: records, Override: true, Whole: true, Actor: "name-of-admin-dev", Reason: "one person"},
	}
	got := slices.Clone(f.commands.taken[:3])
	got[1].ID, got[2].ID = "", ""
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for standing, status := range map[identity.ReviewStanding]int{
		identity.ReviewUnknown: 404, identity.ReviewMerged: 409, identity.ReviewWithdrawn: 409, identity.ReviewMuted: 409,
	} {
		f.graph.standing = standing
		decide("", stale, `{"answer":"same"}`, status, `"code":"`+string(standing)+`"`, "nothing was changed").run(t, h)
	}
	f.commands.code, f.commands.detail = identity.RefusedLimit, "the profile would hold more of user_id than its rule allows"
	decide("", pair, `{"answer":"same"}`, 409, `"code":"limit"`, "override").run(t, h)
}
