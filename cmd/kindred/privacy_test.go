package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/profiles/privacy"
)

// askAs sends a body as JSON with the key of a role.
func (k *running) askAs(role, method, path string, body any) (int, []byte) {
	k.t.Helper()
	text := ""
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			k.t.Fatal(err)
		}
		text = string(raw)
	}
	status, answer := k.ask(method, path, role+"-dev", text)
	return status, []byte(answer)
}

// send takes one event of a kind in.
func (k *running) send(kind string, event map[string]any) {
	k.t.Helper()
	if status, body := k.askAs("write", http.MethodPost, "/v1/events/"+kind, event); status != http.StatusOK {
		k.t.Fatalf("%s answers %d: %s", kind, status, body)
	}
}

// onDisk reports whether a file below the engine's folder holds text.
func (k *running) onDisk(text string) bool {
	k.t.Helper()
	found := false
	err := filepath.WalkDir(filepath.Join(k.dir, "clickhouse"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || found {
			return nil // Files of merges come and go.
		}
		b, _ := os.ReadFile(path)
		found = bytes.Contains(b, []byte(text))
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return found
}

// TestPersonErased plants two people in every place that a running Kindred has, finds
// both, erases one by her cookie, and finds nothing of her, while all that is there of
// the other stays as it was. Then she signs up again.
func TestPersonErased(t *testing.T) {
	t.Parallel()
	k := startKindred(t, "KINDRED_ERASURE_WAIT=0")
	// Of no letters in common, so that compression leaves them as they are.
	notes := map[string]string{"ana": "zq7Vx81kPmG", "bob": "Lw3Tb96hYcR"}
	plant := func(who, day string) {
		t.Helper()
		id := func(ns, value string) map[string]any { return map[string]any{"namespace": ns, "value": value} }
		user, mail, web := id("user_id", who+"-user-1"), id("email", who+"@plant.example"), id("anonymous_id", who+"-cookie-1")
		event := func(n int, name string, more map[string]any, ids ...map[string]any) map[string]any {
			e := map[string]any{"id": fmt.Sprintf("%s-m%d", who, n), "name": name, "time": day + "T09:00:00Z", "identifiers": ids}
			for key, v := range more {
				e[key] = v
			}
			return e
		}
		k.send("behaviour", event(1, "Signed Up", map[string]any{"type": "identify", "traits": map[string]any{"name": who + "-name-secret", "consent": map[string]any{"email": true}}}, user, mail))
		k.send("behaviour", event(2, "Viewed", map[string]any{"properties": map[string]any{"note": notes[who]}}, user, web))
		k.send("behaviour", event(3, "Viewed", nil, web))
		k.send("behaviour", event(4, "Viewed", nil, user, id("device", "tablet")))
		k.send("transaction", event(5, "Order Completed", map[string]any{"transaction": map[string]any{"type": "order", "order_id": who + "-order", "currency": "EUR", "amount": "12.50"}}, user))
		k.send("contact", event(6, "Email Unsubscribed", map[string]any{"contact": map[string]any{"action": "unsubscribed", "channel": "email"}}, mail))
		_, _ = k.askAs("write", http.MethodPost, "/v1/events/behaviour", map[string]any{"id": who + "-broken", "identifiers": []any{mail}}) // A dead letter.
	}
	plant("bob", "2026-05-03") // The tablet that both use is his.
	plant("ana", "2026-05-04")
	profile := func(role, id, more string) (int, string) {
		status, body := k.askAs(role, http.MethodGet, "/v1/profiles/"+url.PathEscape(id)+more, nil)
		return status, string(body)
	}
	all := []string{"user_id:%s-user-1", "email:%s@plant.example", "anonymous_id:%s-cookie-1"}
	for _, who := range []string{"ana", "bob"} {
		k.until(who+" is one profile", func() bool {
			status, body := profile("read", fmt.Sprintf(all[2], who), "")
			return status == http.StatusOK && strings.Contains(body, `"identifier_count":`) && strings.Contains(body, who+"@plant.example") && strings.Contains(body, who+"-name-secret")
		})
		k.until("the letter of "+who+" is there", func() bool {
			_, body := k.askAs("admin", http.MethodGet, "/v1/privacy/access/"+url.PathEscape(fmt.Sprintf(all[0], who)), nil)
			return json.Valid(body) && strings.Contains(string(body), who+"-broken") && strings.Contains(string(body), who+"-order") && strings.Contains(string(body), notes[who])
		})
		k.until("the refusal of "+who+" stands", func() bool {
			_, body := profile("read", fmt.Sprintf(all[1], who), "/consent")
			current, _, _ := strings.Cut(body, `"history"`)
			return strings.Contains(current, `"granted":false`) && strings.Count(body, `"granted":true`) == 1
		})
	}
	for who, note := range notes {
		if !k.onDisk(note) {
			t.Fatalf("the search of the disk does not find the note of %s", who)
		}
	}
	_, before := k.askAs("admin", http.MethodGet, "/v1/privacy/access/user_id:bob-user-1", nil)
	erase := map[string]any{"identifier": "anonymous_id:ana-cookie-1", "id": "erase-ana", "reason": "asked"}
	try := map[string]any{"identifier": "anonymous_id:ana-cookie-1", "dry_run": true}
	var trial api.ErasureTrial
	if status, body := k.askAs("admin", http.MethodPost, "/v1/privacy/erasure", try); status != http.StatusOK || json.Unmarshal(body, &trial) != nil || len(trial.Identifiers) != 3 || trial.Rows["events"] < 5 {
		t.Fatalf("dry run: %d %s", status, body)
	}
	if status, _ := profile("read", "user_id:ana-user-1", ""); status != http.StatusOK {
		t.Fatal("the dry run erased")
	}
	if status, body := k.askAs("admin", http.MethodPost, "/v1/privacy/erasure", erase); status != http.StatusOK {
		t.Fatalf("erasure: %d %s", status, body)
	}
	for _, id := range all {
		if status, body := profile("read", fmt.Sprintf(id, "ana"), ""); status != http.StatusNotFound {
			t.Errorf("she is there right after the answer: %d %s", status, body)
		}
	}
	k.rewritten(t)
	for _, table := range []string{"events", "transaction_facts", "contact_facts", "trait_observations", "consents", "identifiers", "dead_letters"} {
		column := map[string]string{"events": "message_id", "consents": "message_id", "dead_letters": "toString(kind)", "identifiers": "namespace", "transaction_facts": "order_id"}[table]
		if column == "" {
			column = "name"
		}
		if table == "trait_observations" {
			column = "trait"
		}
		if left := k.query("SELECT " + column + " FROM " + table + " ORDER BY 1"); strings.Contains(left, "ana") {
			t.Errorf("%s still holds %s", table, left)
		}
	}
	if left := k.query("SELECT count() FROM dead_letters"); left != "1" {
		t.Errorf("%s dead letters are left, want Bob's", left)
	}
	if _, after := k.askAs("admin", http.MethodGet, "/v1/privacy/access/user_id:bob-user-1", nil); !bytes.Equal(before, after) {
		t.Errorf("Bob is not what he was:\n%s\n%s", before, after)
	}
	k.stated("user_id:bob-user-1")
	k.send("behaviour", map[string]any{"id": "again", "name": "Signed Up", "time": "2026-05-05T09:00:00Z", "identifiers": []any{map[string]any{"namespace": "user_id", "value": "ana-user-1"}}})
	k.until("she is there again, from nothing", func() bool {
		status, body := profile("read", "user_id:ana-user-1", "")
		if status == http.StatusOK && (strings.Contains(body, "secret") || strings.Contains(body, notes["ana"]) || strings.Contains(body, "ana@plant")) {
			t.Fatalf("her past came back: %s", body)
		}
		return status == http.StatusOK && strings.Contains(body, `"total":1`)
	})
}

// stated states a consent and a correction, and reads both.
func (k *running) stated(id string) {
	k.t.Helper()
	consent := map[string]any{"purpose": "news", "channel": "sms", "granted": true, "proof": "form of May"}
	if status, body := k.askAs("write", http.MethodPost, "/v1/profiles/"+id+"/consent", consent); status != http.StatusAccepted {
		k.t.Fatalf("consent: %d %s", status, body)
	}
	if status, body := k.askAs("admin", http.MethodPost, "/v1/privacy/correction/"+id, map[string]any{"traits": map[string]any{"name": "Robert"}}); status != http.StatusAccepted {
		k.t.Fatalf("correction: %d %s", status, body)
	}
	k.until("what was stated is there", func() bool {
		_, said := k.askAs("read", http.MethodGet, "/v1/profiles/"+id+"/consent", nil)
		_, known := k.askAs("read", http.MethodGet, "/v1/profiles/"+id, nil)
		return bytes.Contains(said, []byte(`"proof":"form of May"`)) && bytes.Contains(known, []byte(`"Robert"`))
	})
}

// rewritten waits until the tables are rewritten: the files of before stay for some
// minutes more.
func (k *running) rewritten(t *testing.T) {
	t.Helper()
	k.until("the tables are rewritten", func() bool {
		var s api.ErasureStatus
		_, body := k.askAs("admin", http.MethodGet, "/v1/privacy/erasure/erase-ana", nil)
		if json.Unmarshal(body, &s) != nil || s.Status == privacy.Masked {
			return false
		}
		for _, step := range s.Steps {
			if step.Step == "identifiers" {
				return k.query("SELECT count() FROM identifiers WHERE identifier_id IN (SELECT id FROM identity_erasures WHERE what = 'identifier')") == "0"
			}
		}
		return false
	})
}
