package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/webhook"
)

// signed verifies deliveries as Kindred's own webhooks do, which share no code with
// those who sign them.
type signed struct {
	mu     sync.Mutex
	hooks  *webhook.Intake
	keys   map[string]int
	bodies []string
	faults []string
}

func (s *signed) Submit(context.Context, string, []intake.Item) error { return nil }

func (s *signed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.hooks.Deliver(r.Context(), webhook.Delivery{Name: "kindred", Method: r.Method, Header: r.Header, Body: body}); err != nil {
		s.faults = append(s.faults, err.Error())
	}
	s.keys[r.Header.Get("Idempotency-Key")]++
	s.bodies = append(s.bodies, string(body))
}

func (s *signed) know(t *testing.T, secret string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"kindred.toml": `name = "kindred"
source = "kindred"
workspace = "main"
mapping = "kindred.mapping.toml"
[signature]
scheme = "hmac-sha256"
header = "Kindred-Signature"
pairs = true
pair = "v1"
timestamp_pair = "t"
signed = "{timestamp}.{body}"
secret_env = ["SECRET"]
[replay]
format = "unix"
tolerance = "5m"
`,
		"kindred.mapping.toml": `[[events]]
kind = "behaviour"
name = "Audience"
id   = "${id}"
time = "${time}"
identifiers = [{ namespace = "user_id", from = "${profile.identifiers.user_id[0]}" }]
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hooks, err := webhook.Load(filepath.Join(dir, "kindred.toml"), webhook.Secrets{Getenv: func(string) string { return secret }, ReadFile: os.ReadFile})
	if err != nil {
		t.Fatal(err)
	}
	if s.hooks, err = webhook.New(webhook.DefaultConfig(), hooks, webhook.Deps{Submitter: s, Now: now, Registerer: prometheus.NewRegistry()}); err != nil {
		t.Fatal(err)
	}
}

// TestDestinationIsTold has a receiver told of people that enter a segment, by a process
// that is killed and started again, and looks at the record of it.
func TestDestinationIsTold(t *testing.T) {
	t.Parallel()
	const people = 12
	k := startKindred(t, "KINDRED_ACTIVATION_ALLOW_PRIVATE=true", "KINDRED_LOG_LEVEL=debug")
	got := &signed{keys: map[string]int{}}
	receiver := httptest.NewServer(got)
	defer receiver.Close()
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token := write("token.txt", "Bearer key-of-the-receiver\n")
	said := k.run("destinations", "put", write("crm.json", `{"kind":"webhook","segments":["porto"],"url":"`+receiver.URL+`/hook","traits":["city"]}`), "--secret-header", "Authorization="+token)
	_, rest, _ := strings.Cut(said, "kds_")
	secret, _, _ := strings.Cut("kds_"+rest, ",")
	if len(secret) < 40 {
		t.Fatalf("no secret in %q", said)
	}
	got.know(t, secret)
	k.run("segments", "put", write("porto.txt", `city = "Porto"`))
	for n := range people {
		if n == people/2 { // The other half enters when nobody is there to tell.
			k.until("some were told", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.keys) > 0 })
			_ = k.up.Process.Kill()
			_ = k.up.Wait()
			k.up, _ = k.launch("up")
			k.ready()
		}
		k.identify(map[string]any{"type": "identify", "messageId": fmt.Sprint("m", n), "userId": fmt.Sprint("u", n), "traits": map[string]any{"email": fmt.Sprintf("p%d@told.example", n), "city": "Porto"}})
	}
	k.until("all were told", func() bool { got.mu.Lock(); defer got.mu.Unlock(); return len(got.keys) == people })
	got.mu.Lock()
	for _, fault := range got.faults {
		t.Errorf("the signature does not hold: %s", fault)
	}
	if !strings.Contains(got.bodies[0], `"type":"segment.entered"`) || !strings.Contains(got.bodies[0], `"city":"Porto"`) {
		t.Errorf("it was told %s", got.bodies[0])
	}
	got.mu.Unlock()
	k.until("it is on record", func() bool {
		_, body := k.askAs("read", http.MethodGet, "/v1/profiles/user_id:u0/contacts", nil)
		return strings.Contains(string(body), `"webhook"`)
	})
	k.until("once a person", func() bool {
		return k.query("SELECT count(), uniqExact(anchor_id) FROM contact_facts WHERE source = 'activation'") == fmt.Sprintf("%d\t%d", people, people)
	})
	var made struct {
		Outcome string
		Headers map[string]string
	}
	if err := json.Unmarshal([]byte(k.run("destinations", "test", "crm", "user_id:u1", "--segment", "porto")), &made); err != nil || made.Outcome != "sent" || made.Headers["Authorization"] != "***" {
		t.Errorf("the test shows %+v: %v", made, err)
	}
	if list := k.run("destinations", "list"); !strings.Contains(list, "crm") {
		t.Errorf("the list is %s", list)
	}
	k.exports(t, people)
	for _, hidden := range []string{secret, "key-of-the-receiver"} {
		if strings.Contains(k.said.String(), hidden) {
			t.Error("a secret is in the log")
		}
	}
}

// exports writes the members of the segment porto to files, and as a marketer.
func (k *running) exports(t *testing.T, people int) {
	t.Helper()
	const columns = "profile,identifier.email,trait.city"
	if text := k.run("segments", "export", "porto", "--columns", columns); strings.Count(text, "\n") != people+1 || !strings.HasPrefix(text, columns+"\n") || !strings.Contains(text, ",p3@told.example,Porto\n") {
		t.Errorf("exported %s", text)
	}
	path := filepath.Join(t.TempDir(), "porto.parquet")
	k.run("segments", "export", "porto", "--format", "parquet", "--columns", columns, "--output", path)
	if file, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(file), "PAR1") || !strings.HasSuffix(string(file), "PAR1") {
		t.Errorf("the Parquet file has %d bytes, %v", len(file), err)
	}
	_, body := k.askAs("marketer", http.MethodGet, "/v1/segments/porto/export?format=ndjson&columns="+columns, nil)
	if text := string(body); strings.Count(text, "\n") != people || !strings.Contains(text, "p***@told.example") || strings.Contains(text, "p3@") {
		t.Errorf("a marketer exports %s", text)
	}
	if entries := k.query("SELECT uniqExact(entry_id) FROM audit_log WHERE route = '/v1/segments/:segment/export' AND action = 'change'"); entries != "3" {
		t.Errorf("%s exports are on record, want 3", entries)
	}
}
