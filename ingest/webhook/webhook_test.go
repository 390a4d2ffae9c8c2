package webhook_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/webhook"
)

var update = flag.Bool("update", false, "write the golden files")

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

const secret = "a long enough secret"

// broker keeps what it acknowledges.
type broker struct {
	workspace string
	items     []intake.Item
	err       error
}

func (b *broker) Submit(_ context.Context, workspace string, items []intake.Item) error {
	if b.err != nil {
		return b.err
	}
	b.workspace, b.items = workspace, append(b.items, items...)
	return nil
}

func secrets(values map[string]string) webhook.Secrets {
	return webhook.Secrets{Getenv: func(name string) string {
		if v, ok := values[name]; ok {
			return v
		}
		if values != nil {
			return ""
		}
		return secret
	}, ReadFile: os.ReadFile}
}

func newIntake(t testing.TB, path string, b *broker) *webhook.Intake {
	t.Helper()
	hooks, err := webhook.Load(path, secrets(nil))
	if err != nil {
		t.Fatal(err)
	}
	in, err := webhook.New(webhook.DefaultConfig(), hooks, webhook.Deps{Submitter: b, Now: func() time.Time { return noon }, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func mac(algorithm func() hash.Hash, signed string) []byte {
	m := hmac.New(algorithm, []byte(secret))
	_, _ = m.Write([]byte(signed))
	return m.Sum(nil)
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// sign returns the headers that each of the example systems would send.
func sign(name, body string) http.Header {
	h := http.Header{}
	switch name {
	case "instagram":
		h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac(sha256.New, body)))
	case "x":
		h.Set("x-twitter-webhooks-signature", "sha256="+b64(mac(sha256.New, body)))
	case "zendesk":
		h.Set("X-Zendesk-Webhook-Signature-Timestamp", noon.Format(time.RFC3339))
		h.Set("X-Zendesk-Webhook-Signature", b64(mac(sha256.New, noon.Format(time.RFC3339)+body)))
	case "intercom":
		h.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(mac(sha1.New, body)))
	case "typeform":
		h.Set("Typeform-Signature", "sha256="+b64(mac(sha256.New, body)))
	case "delighted":
		h.Set("X-Delighted-Webhook-Signature", "sha256="+hex.EncodeToString(mac(sha256.New, body)))
	case "hubspot":
		stamp := strconv.FormatInt(noon.UnixMilli(), 10)
		h.Set("X-HubSpot-Request-Timestamp", stamp)
		h.Set("X-HubSpot-Signature-v3", b64(mac(sha256.New, "POSThttps://cdp.example.com/v1/webhooks/hubspot"+body+stamp)))
	case "pipedrive":
		h.Set("Authorization", "Basic "+b64([]byte(secret)))
	}
	return h
}

const examples = "../../deploy/webhooks"

var exampleNames = []string{"instagram", "x", "zendesk", "intercom", "typeform", "delighted", "hubspot", "pipedrive"}

// TestExamples delivers the shipped samples to the shipped webhooks.
func TestExamples(t *testing.T) {
	for _, name := range exampleNames {
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join(examples, "samples", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			b := &broker{}
			env := secrets(nil)
			if name == "pipedrive" {
				env.Getenv = func(string) string { return "kindred:" + secret }
			}
			hooks, err := webhook.Load(filepath.Join(examples, name+".toml"), env)
			if err != nil {
				t.Fatal(err)
			}
			in, _ := webhook.New(webhook.DefaultConfig(), hooks, webhook.Deps{Submitter: b, Now: func() time.Time { return noon }, Registerer: prometheus.NewRegistry()})
			d := webhook.Delivery{Name: name, Method: http.MethodPost, Header: sign(name, string(body)), Body: body}
			if name == "pipedrive" {
				d.Header.Set("Authorization", "Basic "+b64([]byte("kindred:"+secret)))
			}
			reply, err := in.Deliver(t.Context(), d)
			if err != nil || reply.Rejected != 0 || reply.Accepted == 0 {
				t.Errorf("%+v, %v", reply, err)
			}
			var got bytes.Buffer
			for _, it := range b.items {
				fmt.Fprintf(&got, "%s %s %s\n", it.Kind, it.Source, it.Value)
				if it.Reject != nil {
					t.Errorf("rejected: %+v", it.Reject)
				}
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, err := in.Deliver(t.Context(), d)
			if err != nil || !again.Duplicate {
				t.Errorf("delivered again: %+v, %v", again, err)
			}
			d.Body = append(bytes.Clone(body), ' ')
			if _, err := in.Deliver(t.Context(), d); name != "pipedrive" && !errors.Is(err, webhook.ErrSignature) {
				t.Errorf("another body under the signature: %v", err)
			}
		})
	}
}

func TestExamplesTogether(t *testing.T) {
	hooks, err := webhook.Load(examples, secrets(nil))
	if err != nil || len(hooks) != len(exampleNames) {
		t.Errorf("%d webhooks, %v", len(hooks), err)
	}
}

// folder writes a webhook with the given signature table and a mapping.
func folder(t testing.TB, definition string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"w.toml":         "name = \"w\"\nsource = \"w\"\nmapping = \"w.mapping.toml\"\n" + definition,
		"w.mapping.toml": "[[events]]\nkind = \"behaviour\"\nname = \"${name}\"\nforeach = \"events[]\"\nproperties = \"rest\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const stamped = `
[signature]
header = "Sig"
pairs = true
signed = "{timestamp}.{body}"
secret_env = ["A"]
`

func stripe(at time.Time, body, key string) http.Header {
	m := hmac.New(sha256.New, []byte(key))
	_, _ = fmt.Fprintf(m, "%d.%s", at.Unix(), body)
	return http.Header{"Sig": {fmt.Sprintf("t=%d, v0=zz, v1=%x", at.Unix(), m.Sum(nil))}}
}

func TestSignatures(t *testing.T) {
	b := &broker{}
	in := newIntake(t, folder(t, stamped), b)
	const body = `{"events":[{"name":"a"}]}`
	ok := stripe(noon, body, secret)
	f := func(name string, h http.Header, body, want string) {
		t.Helper()
		_, err := in.Deliver(t.Context(), webhook.Delivery{Name: "w", Method: http.MethodPost, Header: h, Body: []byte(body)})
		if want == "" && err != nil || want != "" && (!errors.Is(err, webhook.ErrSignature) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v; want %q", name, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), body)) {
			t.Errorf("%s: the error holds the secret or the body", name)
		}
	}
	f("no header", http.Header{}, body, "must be there once")
	f("two headers", http.Header{"Sig": {ok.Get("Sig"), ok.Get("Sig")}}, body, "must be there once")
	f("long header", http.Header{"Sig": {strings.Repeat("v1=00,", 2000)}}, body, "must be there once")
	f("empty", http.Header{"Sig": {""}}, body, "timestamp is missing")
	f("no signature", http.Header{"Sig": {fmt.Sprintf("t=%d", noon.Unix())}}, body, "does not match")
	f("not hexadecimal", http.Header{"Sig": {fmt.Sprintf("t=%d,v1=zz", noon.Unix())}}, body, "does not match")
	f("half a signature", http.Header{"Sig": {ok.Get("Sig")[:len(ok.Get("Sig"))-2]}}, body, "does not match")
	f("another body", ok, body+" ", "does not match")
	f("another secret", stripe(noon, body, "another secret"), body, "does not match")
	f("another time", http.Header{"Sig": {strings.Replace(ok.Get("Sig"), strconv.FormatInt(noon.Unix(), 10), strconv.FormatInt(noon.Unix()+1, 10), 1)}}, body, "does not match")
	f("six minutes old", stripe(noon.Add(-6*time.Minute), body, secret), body, "more than 5m0s away")
	f("six minutes ahead", stripe(noon.Add(6*time.Minute), body, secret), body, "more than 5m0s away")
	f("the far future", http.Header{"Sig": {"t=9223372036854775807,v1=00"}}, body, "more than 5m0s away")
	f("the far past", http.Header{"Sig": {"t=-9223372036854775808,v1=00"}}, body, "more than 5m0s away")
	if len(b.items) != 0 {
		t.Fatalf("%d items were submitted of deliveries without a signature", len(b.items))
	}
	f("good", ok, body, "")
	f("four minutes old", stripe(noon.Add(-4*time.Minute), `{"events":[{"name":"b"}]}`, secret), `{"events":[{"name":"b"}]}`, "")
	if len(b.items) != 2 || b.workspace != "main" {
		t.Errorf("%d items for %q", len(b.items), b.workspace)
	}
	if _, err := in.Deliver(t.Context(), webhook.Delivery{Name: "v", Method: http.MethodPost}); !errors.Is(err, webhook.ErrUnknown) {
		t.Errorf("unknown webhook: %v", err)
	}
}

// TestRetriesAreTheSameEvents delivers again after a restart, when nothing is
// remembered, and after a refusal by the broker.
func TestRetriesAreTheSameEvents(t *testing.T) {
	const body = `{"events":[{"name":"a"},{"name":"b"}]}`
	dir := folder(t, stamped)
	d := webhook.Delivery{Name: "w", Method: http.MethodPost, Header: stripe(noon, body, secret), Body: []byte(body)}
	hooks, err := webhook.Load(dir, secrets(nil))
	if err != nil {
		t.Fatal(err)
	}
	var ids [][]string
	for round := range 2 {
		b := &broker{err: intake.Overloaded{After: time.Second}}
		later := noon.Add(time.Duration(round) * time.Minute)
		in, err := webhook.New(webhook.DefaultConfig(), hooks, webhook.Deps{Submitter: b, Now: func() time.Time { return later }, Registerer: prometheus.NewRegistry()})
		if err != nil {
			t.Fatal(err)
		}
		var busy intake.Overloaded
		if _, err := in.Deliver(t.Context(), d); !errors.As(err, &busy) {
			t.Fatalf("busy: %v", err)
		}
		b.err = nil
		if reply, err := in.Deliver(t.Context(), d); err != nil || reply.Duplicate || reply.Accepted != 2 {
			t.Fatalf("after the refusal: %+v, %v", reply, err)
		}
		ids = append(ids, []string{b.items[0].ID, b.items[1].ID})
	}
	if diff := cmp.Diff(ids[0], ids[1]); diff != "" || ids[0][0] == ids[0][1] {
		t.Errorf("ids %v", ids)
	}
}

func TestDeadLetters(t *testing.T) {
	f := func(body, reason, detail string, accepted, rejected int) {
		t.Helper()
		b := &broker{}
		in := newIntake(t, folder(t, stamped), b)
		reply, err := in.Deliver(t.Context(), webhook.Delivery{Name: "w", Method: http.MethodPost, Header: stripe(noon, body, secret), Body: []byte(body)})
		if err != nil || reply.Accepted != accepted || reply.Rejected != rejected {
			t.Errorf("%.40q: %+v, %v", body, reply, err)
			return
		}
		for _, it := range b.items {
			if r := it.Reject; r != nil && (r.Reason != reason || !strings.Contains(r.Detail, detail) || r.Position == "" || len(it.Value) == 0 && body != "") {
				t.Errorf("%.40q: %+v", body, r)
			}
		}
	}
	f(`not json`, "invalid_json", "not one JSON value", 0, 1)
	f(``, "invalid_json", "not one JSON value", 0, 1)
	f(`{} {}`, "invalid_json", "not one JSON value", 0, 1)
	f(`{"events":[{"name":"a"}`, "invalid_json", "not one JSON value", 0, 1)
	f(`{"unknown":1}`, "unmapped", "no rule", 0, 1)
	f(`[]`, "unmapped", "no rule", 0, 1)
	f(`null`, "unmapped", "no rule", 0, 1)
	f(`{"events":[{"name":"a"},{"nam":"b"},{"nam":"c"}]}`, "missing_field", "mapping events[0].name (line 3): is required", 1, 1)
	f(`{"events":[{"name":"`+strings.Repeat("x", 201)+`"}]}`, "invalid_field", `field "name" has 201 bytes`, 0, 1)
	f(strings.Repeat("[", 100_000), "too_large", "deeper than 64", 0, 1)
	f(`{"events":[{"name":"[[[[\"{{{{"}]}`, "", "", 1, 0)
	f("{\"events\":[{\"name\":\"\xff\"}]}", "", "", 1, 0) // The decoder replaces what is not UTF-8.
}

func TestChallenges(t *testing.T) {
	in := newIntake(t, examples, &broker{})
	f := func(name, query, want string) {
		t.Helper()
		q, _ := url.ParseQuery(query)
		reply, err := in.Deliver(t.Context(), webhook.Delivery{Name: name, Method: http.MethodGet, Query: q, Header: http.Header{}})
		got := string(reply.Body)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s?%s: %q, want %q", name, query, got, want)
		}
	}
	token := url.QueryEscape(secret)
	f("instagram", "hub.mode=subscribe&hub.verify_token="+token+"&hub.challenge=1158201444", "1158201444")
	f("instagram", "hub.mode=subscribe&hub.verify_token=guess&hub.challenge=1", "signature: the verify token is not that of the webhook")
	f("instagram", "hub.verify_token="+token, "signature: the challenge is missing or too long")
	f("instagram", "hub.verify_token="+token+"&hub.challenge="+strings.Repeat("1", 600), "signature: the challenge is missing or too long")
	f("instagram", "hub.verify_token="+token+"&hub.challenge=%00", "signature: the challenge must be printable")
	f("x", "crc_token=abc", `{"response_token":"sha256=`+b64(mac(sha256.New, "abc"))+`"}`)
	f("x", "", "signature: the challenge is missing or too long")
	f("zendesk", "hub.challenge=1", "there is no such webhook")

	slack := newIntake(t, folder(t, stamped+"[challenge]\nstyle = \"url_verification\"\n"), &broker{})
	const body = `{"token":"x","challenge":"3eZbrw1a","type":"url_verification"}`
	reply, err := slack.Deliver(t.Context(), webhook.Delivery{Name: "w", Method: http.MethodPost, Header: stripe(noon, body, secret), Body: []byte(body)})
	if err != nil || string(reply.Body) != "3eZbrw1a" || reply.ContentType != "text/plain" {
		t.Errorf("url_verification: %+v, %v", reply, err)
	}
}

func TestSecretsChange(t *testing.T) {
	dir := folder(t, strings.Replace(stamped, `["A"]`, `["OLD", "NEW"]`, 1))
	hooks, err := webhook.Load(dir, secrets(map[string]string{"OLD": "the old secret", "NEW": "the new secret"}))
	if err != nil {
		t.Fatal(err)
	}
	in, _ := webhook.New(webhook.DefaultConfig(), hooks, webhook.Deps{Submitter: &broker{}, Now: func() time.Time { return noon }, Registerer: prometheus.NewRegistry()})
	for key, want := range map[string]bool{"the old secret": true, "the new secret": true, "no secret at all": false} {
		_, err := in.Deliver(t.Context(), webhook.Delivery{Name: "w", Method: http.MethodPost, Header: stripe(noon, "{}", key), Body: []byte("{}")})
		if (err == nil) != want {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestLoadFaults(t *testing.T) {
	f := func(definition string, env map[string]string, want ...string) {
		t.Helper()
		_, err := webhook.Load(folder(t, definition), secrets(env))
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%q lacks %q in %v", definition, w, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
	f("[signature]\nsecret = \"hunter2\"", nil, `unknown key "signature.secret"`)
	f("[signature]\nheader = \"S\"\nsecret_env = [\"A\"]", map[string]string{"A": "hunter2"}, "environment variable A has 7 bytes; it needs 8")
	f("[signature]\nheader = \"S\"\nsecret_env = [\"A\"]\nsecret_encoding = \"hex\"", map[string]string{"A": "hunter2 hunter2"}, "environment variable A cannot be read or decoded")
	f("[signature]\nheader = \"S\"\nsecret_file = [\"/nowhere\"]", nil, "file /nowhere cannot be read")
	f("", nil, "signature.header is required", "signature.secret_env or signature.secret_file is required")
	f("[signature]\nheader = \"S\"\nscheme = \"md5\"\nsigned = \"{timestamp}\"\nsecret_env = [\"A\"]\n[replay]\ntolerance = \"9000h\"", nil,
		"signature.scheme must be one of", "a timestamp must be signed to count", "replay.tolerance must be a duration")
	f("[signature]\nheader = \"S\"\nsigned = \"{timestamp}\"\nsecret_env = [\"A\"]\n[replay]\nheader = \"T\"", nil, "signature.signed must hold {body}")
	f("[signature]\nheader = \"S\"\nsigned = \"{url}{body}\"\nsecret_env = [\"A\"]\n[challenge]\nstyle = \"hub\"", map[string]string{"A": "a long secret"}, "signature.url is required", "needs 8 bytes")
	if _, err := webhook.Load("/nowhere", secrets(nil)); err == nil {
		t.Error("a folder that is not there")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	hooks, err := webhook.Load(folder(t, stamped), secrets(nil))
	if err != nil {
		t.Fatal(err)
	}
	cfg := webhook.DefaultConfig()
	cfg.Remembered = 10
	in, _ := webhook.New(cfg, hooks, webhook.Deps{Submitter: &broker{}, Now: func() time.Time { return noon }, Registerer: prometheus.NewRegistry()})
	deliver := func(i int) bool {
		body := fmt.Sprintf(`{"events":[{"name":"%d"}]}`, i)
		reply, err := in.Deliver(t.Context(), webhook.Delivery{Name: "w", Method: http.MethodPost, Header: stripe(noon, body, secret), Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		return reply.Duplicate
	}
	for i := range 100 {
		if deliver(i) {
			t.Errorf("delivery %d is new", i)
		}
	}
	if !deliver(99) || !deliver(96) || deliver(80) {
		t.Error("the latest deliveries are known, and at most ten of them")
	}
}

// FuzzDeliver holds for any body and signature: no panic, nothing unsigned is
// submitted, and no signed body disappears.
func FuzzDeliver(f *testing.F) {
	for _, name := range exampleNames {
		body, _ := os.ReadFile(filepath.Join(examples, "samples", name+".json"))
		f.Add(name, string(body), "", true)
	}
	f.Add("x", "[[[", "sha256=", false)
	f.Fuzz(func(t *testing.T, name, body, signature string, signed bool) {
		b := &broker{}
		in := newIntake(t, examples, b)
		d := webhook.Delivery{Name: name, Method: http.MethodPost, Header: http.Header{}, Body: []byte(body)}
		if signed && name != "pipedrive" {
			d.Header = sign(name, body)
		} else {
			for _, h := range []string{"X-Hub-Signature-256", "x-twitter-webhooks-signature", "Typeform-Signature", "Authorization"} {
				d.Header.Set(h, signature)
			}
		}
		reply, err := in.Deliver(t.Context(), d)
		if !signed && len(b.items) > 0 {
			t.Fatal("unsigned and submitted")
		}
		if err == nil && reply.Accepted+reply.Rejected != len(b.items) {
			t.Fatalf("%+v for %d items", reply, len(b.items))
		}
	})
}
