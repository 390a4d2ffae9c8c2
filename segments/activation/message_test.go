package activation

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

func ana() *profiles.Profile {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	id := func(ns identity.Namespace, value string, day int) profiles.Identifier {
		return profiles.Identifier{Identifier: identity.Identifier{Namespace: ns, Value: value}, LastSeen: at.AddDate(0, 0, day)}
	}
	return &profiles.Profile{
		ID:          5,
		Identifiers: []profiles.Identifier{id("email", "old@example.com", 1), id("email", "Ana@example.com", 2), id("user_id", "42", 1), id("phone", "+351911111111", 1)},
		Traits: []profiles.Trait{
			{Name: "city", Value: json.RawMessage(`"Porto"`)}, {Name: "first_name", Value: json.RawMessage(`"Ana"`)}, {Name: "orders", Value: json.RawMessage(`3`)},
		},
		Scores: []profiles.Score{{Name: "churn", Value: .25}},
	}
}

// TestMessages makes the message of each form.
func TestMessages(t *testing.T) {
	change := segments.Change{Segment: "loyal", Profile: 5, Block: 3, Entered: true, Time: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), Cause: segments.ByData, Revision: 7}
	const head = `"kind":"webhook","segments":["loyal"],"url":"https://crm.example.com/x"`
	personas := `"context":{"personas":{"computation_class":"audience","computation_id":"main/loyal","computation_key":"loyal","namespace":"kindred","space_id":"main"}}`
	for name, c := range map[string]struct{ definition, method, url, body string }{
		"own": {
			`{` + head + `,"traits":["city"]}`, "POST", "https://crm.example.com/x",
			`{"id":"loyal/3/0000000000000005","type":"segment.entered","time":"2026-05-04T12:00:00Z","workspace":"main","destination":"crm","segment":"loyal","revision":7,"cause":"data",
			"profile":{"id":"0000000000000005","identifiers":{"email":["Ana@example.com","old@example.com"],"user_id":["42"]},"traits":{"city":"Porto"}}}`,
		},
		"fields": {
			`{` + head + `,"method":"PATCH","fields":[{"to":"who.mail","from":"identifier.email","as":"sha256"},{"to":"who.all","from":"identifiers.email"},{"to":"n","from":"trait.orders"},{"to":"none","from":"trait.none"},
			{"to":"in_{segment}","from":"entered","values":{"true":1,"false":0}},{"to":"risk","from":"score.churn"},{"to":"at","from":"time","as":"unix"},{"to":"list.0.x","value":{"a":[1]}}]}`,
			"PATCH", "https://crm.example.com/x",
			`{"who":{"mail":"8e43ca37701228e74983efdbd0cff5c16b3b1e5d4e29a7c05626d4d25a018e11","all":["Ana@example.com","old@example.com"]},"n":3,"in_loyal":1,"risk":0.25,"at":1777896000,"list":[{"x":{"a":[1]}}]}`,
		},
		"hubspot": {
			`{"kind":"webhook","segments":["loyal"],"preset":"hubspot-contacts","fields":[{"to":"inputs.0.properties.city","from":"trait.city"}]}`, "POST", "https://api.hubapi.com/crm/v3/objects/contacts/batch/upsert",
			`{"inputs":[{"idProperty":"email","id":"Ana@example.com","properties":{"email":"Ana@example.com","firstname":"Ana","phone":"+351911111111","kindred_loyal":"true","city":"Porto"}}]}`,
		},
		"mailchimp members": {
			`{"kind":"webhook","segments":["loyal"],"preset":"mailchimp-members","url":"https://us1.api.mailchimp.com/3.0/lists/L/members/{identifier.email|md5}"}`, "PUT",
			"https://us1.api.mailchimp.com/3.0/lists/L/members/cdb9d6a1dddc375a09cc83e3001598dc", `{"email_address":"Ana@example.com","status_if_new":"subscribed","merge_fields":{"FNAME":"Ana"}}`,
		},
		"mailchimp tags": {
			`{"kind":"webhook","segments":["loyal"],"preset":"mailchimp-tags","url":"https://us1.api.mailchimp.com/3.0/lists/L/members/{identifier.email}/tags"}`, "POST",
			"https://us1.api.mailchimp.com/3.0/lists/L/members/Ana%40example.com/tags", `{"tags":[{"name":"loyal","status":"active"}]}`,
		},
		"segment identify": {
			`{"kind":"segment","segments":["loyal"],"url":"https://api.segment.io/v1/identify","traits":["city"]}`, "POST", "https://api.segment.io/v1/identify",
			`{"type":"identify","messageId":"*","userId":"42","timestamp":"2026-05-04T12:00:00Z","traits":{"city":"Porto","email":"Ana@example.com","loyal":true},` + personas + `}`,
		},
		"segment track": {
			`{"kind":"segment","call":"track","segments":["loyal"],"url":"https://api.segment.io/v1/track"}`, "POST", "https://api.segment.io/v1/track",
			`{"type":"track","event":"Audience Entered","messageId":"*","userId":"42","timestamp":"2026-05-04T12:00:00Z","properties":{"audience_key":"loyal","loyal":true},` + personas + `}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := Parse([]byte(c.definition))
			if err != nil {
				t.Fatalf("%+v", err.(*Invalid).Faults)
			}
			m, err := d.message(&subject{workspace: "main", destination: "crm", change: change, key: Key(change), profile: ana()})
			if err != nil {
				t.Fatal(err)
			}
			var got, want map[string]any
			if err := json.Unmarshal(m.body, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(c.body), &want); err != nil {
				t.Fatal(err)
			}
			if id, ok := got["messageId"].(string); ok && len(id) < 100 && id != "" {
				got["messageId"] = "*"
			}
			if diff := cmp.Diff(want, got); diff != "" || m.method != c.method || m.url != c.url {
				t.Errorf("%s %s\n%s", m.method, m.url, diff)
			}
			if m.header.Get("Idempotency-Key") != "loyal/3/0000000000000005" || m.header.Get("Content-Type") != "application/json" {
				t.Errorf("headers %v", m.header)
			}
		})
	}
}

// TestWhatIsNeededAndNotKnown makes messages of somebody without an address.
func TestWhatIsNeededAndNotKnown(t *testing.T) {
	for _, definition := range []string{
		`{"kind":"webhook","segments":["loyal"],"preset":"hubspot-contacts"}`,
		`{"kind":"webhook","segments":["loyal"],"url":"https://x.example.com/{identifier.email}"}`,
	} {
		d, err := Parse([]byte(definition))
		if err != nil {
			t.Fatal(err)
		}
		if m, err := d.message(&subject{profile: &profiles.Profile{ID: 5}}); err != errIncomplete {
			t.Errorf("%s: %v, %v", definition, m, err)
		}
	}
}

// TestInvalidDefinitions has each rule broken; no fault repeats what was written.
func TestInvalidDefinitions(t *testing.T) {
	const ok = `{"kind":"webhook","segments":["loyal"],"url":"https://x.example.com/a"}`
	if _, err := Parse([]byte(ok)); err != nil {
		t.Fatal(err)
	}
	with := func(more string) string { return strings.TrimSuffix(ok, "}") + "," + more + "}" }
	url := func(u string) string { return strings.Replace(ok, "https://x.example.com/a", u, 1) }
	for text, pointer := range map[string]string{
		`[]`: "", `{`: "", ok + "{}": "", with(`"secretive":1`): "", with(`"attempts":"many"`): "",
		`{"kind":"pigeon","segments":["loyal"]}`:         "/kind",
		strings.Replace(ok, `["loyal"]`, `[]`, 1):        "/segments",
		strings.Replace(ok, `["loyal"]`, `["Loyal"]`, 1): "/segments/0",
		strings.Replace(ok, `["loyal"]`, `["x","x"]`, 1): "/segments/1",
		with(`"on":["moved"]`):                           "/on/0",
		with(`"consent":{}`):                             "/consent",
		with(`"attempts":101`):                           "/attempts",
		with(`"sync_hours":-1`):                          "/sync_hours",
		with(`"channel":"E Mail"`):                       "/channel",
		with(`"preset":"fax"`):                           "/preset",
		with(`"call":"track"`):                           "/call",
		with(`"method":"GET"`):                           "/method",
		`{"kind":"email","segments":["loyal"],"from":"x","subject":"x","text":"x","unsubscribe":"https://x.example.com/"}`:                                                   "/from",
		`{"kind":"email","segments":["loyal"],"from":"a@x.example","subject":"{{","text":"x","unsubscribe":"https://x.example.com/"}`:                                        "/subject",
		`{"kind":"email","segments":["loyal"],"from":"a@x.example","subject":"x","text":"{{range 9}}x{{end}}","unsubscribe":"https://x.example.com/"}`:                       "/text",
		`{"kind":"email","segments":["loyal"],"from":"a@x.example","subject":"x","html":"{{if .Segment}}{{range 9}}x{{end}}{{end}}","unsubscribe":"https://x.example.com/"}`: "/html",
		`{"kind":"email","segments":["loyal"],"from":"a@x.example","subject":"x","text":"x"}`:                                                                                "/unsubscribe",
		`{"kind":"email","segments":["loyal"],"from":"a@x.example","subject":"x","text":"x","unsubscribe":"https://x.example.com/{shoe}"}`:                                   "/unsubscribe",
		`{"kind":"email","segments":["loyal"],"url":"https://x.example.com"}`:                                                                                                "",
		with(`"subject":"x"`):                                                  "",
		with(`"headers":{"Host":"x"}`):                                         "/headers",
		with(`"headers":{"A":"b\r\nC: d"}`):                                    "/headers",
		with(`"headers":{"Kindred-Signature":"x"}`):                            "/headers",
		with(`"fields":[{"to":"a"}]`):                                          "/fields/0",
		with(`"fields":[{"to":"a","from":"shoe.size"}]`):                       "/fields/0/from",
		with(`"fields":[{"to":"a","from":"time","as":"x"}]`):                   "/fields/0/as",
		with(`"fields":[{"to":"a","from":"time"},{"to":"a.b","from":"time"}]`): "/fields/1/to",
		with(`"fields":[{"to":"a.","from":"time"}]`):                           "/fields/0/to",
		url(""): "/url", url("ftp://x.example.com"): "/url", url("https://u:p@x.example.com/"): "/url", url("/a"): "/url",
		url("https://{identifier.email}/"): "/url", url("https://x.example.com{trait.x}/"): "/url", url("https://x.example.com/{secret}"): "/url", url("https://x.example.com/{a"): "/url", url("https://x.example.com/}"): "/url",
	} {
		_, err := Parse([]byte(text))
		invalid, is := err.(*Invalid)
		if !is {
			t.Errorf("%s: %v", text, err)
			continue
		}
		found := false
		for _, f := range invalid.Faults {
			found = found || f.Pointer == "/definition"+pointer
		}
		if !found {
			t.Errorf("%s: %+v, want a fault at %q", text, invalid.Faults, pointer)
		}
	}
	if err := CheckTransport([]byte(url("http://x.example.com/")), false, false); err == nil {
		t.Error("personal data may travel in the clear")
	}
	if err := CheckTransport([]byte(url("HTTP://x.example.com/")), true, false); err != nil {
		t.Error(err)
	}
}

func TestOnlyThePublicInternetIsDialled(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700:4700::1111": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.8.8.8": false, "10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false,
		"224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "::1": false, "::": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false,
		"::ffff:10.0.0.1": false, "::ffff:127.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::1": false, "2001:db8::1": false,
	} {
		if got := public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public is %t", text, got)
		}
		host := text
		if strings.Contains(text, ":") {
			host = "[" + text + "]"
		}
		if err := onlyPublic("tcp", host+":443", nil); (err == nil) != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestSecretsOpenWhereTheyWereSealed(t *testing.T) {
	s, err := NewSealer(identity.Secret{1})
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewSealer(identity.Secret{2})
	if err != nil {
		t.Fatal(err)
	}
	sealed := s.Seal("main", "crm", "signing", "kds_x")
	if strings.Contains(sealed, "kds_x") || sealed == s.Seal("main", "crm", "signing", "kds_x") {
		t.Errorf("sealed is %s", sealed)
	}
	if got, err := s.Open("main", "crm", "signing", sealed); got != "kds_x" || err != nil {
		t.Errorf("opened %q, %v", got, err)
	}
	for _, open := range []func() (string, error){
		func() (string, error) { return s.Open("other", "crm", "signing", sealed) },
		func() (string, error) { return s.Open("main", "ads", "signing", sealed) },
		func() (string, error) { return s.Open("main", "crm", "header:X", sealed) },
		func() (string, error) { return other.Open("main", "crm", "signing", sealed) },
		func() (string, error) { return s.Open("main", "crm", "signing", "no") },
		func() (string, error) { return s.Open("main", "crm", "signing", "") },
	} {
		if got, err := open(); got != "" || err == nil {
			t.Errorf("opened elsewhere: %q", got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "99999999": maxAfter, "Mon, 04 May 2026 12:01:00 GMT": time.Minute, "Mon, 04 May 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
