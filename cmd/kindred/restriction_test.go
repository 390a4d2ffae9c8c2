package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
)

// TestPersonRestricted restricts Ana by her address, lets more happen to her, merges
// her with Bob and parts them again, and looks every time at who is shown, found and
// counted, also by an API process that starts later. Then it releases her.
func TestPersonRestricted(t *testing.T) {
	t.Parallel()
	k := startKindred(t)
	id := func(ns, value string) map[string]any { return map[string]any{"namespace": ns, "value": value} }
	view := func(who string, n int, more ...map[string]any) {
		k.send("behaviour", map[string]any{"id": fmt.Sprint(who, n), "name": "Viewed", "time": "2026-05-04T09:00:00Z", "identifiers": append([]any{id("user_id", who)}, toAny(more)...)})
	}
	for _, who := range []string{"ana", "bob"} {
		k.send("behaviour", map[string]any{"id": who, "name": "Signed Up", "type": "identify", "time": "2026-05-03T09:00:00Z", "identifiers": []any{id("user_id", who), id("email", who+"@limit.example")}, "traits": map[string]any{"city": "Porto"}})
		view(who, 1, id("device", "tablet"))
	}
	// In a live segment, its export and its overlap are as many as a preview counts.
	type state struct{ anaStatus, bobStatus, found, counted, members, exported, overlap int }
	if code, body := k.askAs("admin", http.MethodPut, "/v1/segments/viewers", map[string]any{"expected_revision": 0, "text": "did Viewed"}); code != http.StatusOK {
		t.Fatalf("status %d: %s", code, body)
	}
	look := func(k *running) (s state) {
		t.Helper()
		status := func(who string) int {
			code, _ := k.askAs("read", http.MethodGet, "/v1/profiles/user_id:"+who, nil)
			return code
		}
		s.anaStatus, s.bobStatus = status("ana"), status("bob")
		_, body := k.askAs("read", http.MethodGet, "/v1/profiles?trait=city&value=Porto", nil)
		s.found = bytes.Count(body, []byte(`"id"`))
		_, body = k.askAs("read", http.MethodPost, "/v1/segments/preview", map[string]any{"definition": map[string]any{"event": "Viewed", "within": "3650d"}})
		var counted struct{ Count int }
		_ = json.Unmarshal(body, &counted)
		s.counted = counted.Count
		_, body = k.askAs("read", http.MethodGet, "/v1/segments/viewers/members", nil)
		s.members = bytes.Count(body, []byte(`"profile"`))
		_, body = k.askAs("read", http.MethodGet, "/v1/segments/viewers/export?format=ndjson&columns=profile", nil)
		s.exported = bytes.Count(body, []byte("\n"))
		all := map[string]any{"name": "all", "definition": map[string]any{"identifier": "user_id"}}
		_, body = k.askAs("read", http.MethodPost, "/v1/segments/overlap", map[string]any{"segments": []any{map[string]any{"id": "viewers"}, all}})
		var overlap struct{ Segments []struct{ Count int } }
		if _ = json.Unmarshal(body, &overlap); len(overlap.Segments) == 2 && overlap.Segments[0] == overlap.Segments[1] {
			s.overlap = overlap.Segments[0].Count
		}
		return s
	}
	want := func(what string, k *running, s state) {
		t.Helper()
		k.until(fmt.Sprintf("%s: %+v, but is %+v", what, s, look(k)), func() bool { return look(k) == s })
	}
	must := func(status int, body []byte) []byte {
		t.Helper()
		if status != http.StatusOK {
			t.Fatalf("status %d: %s", status, body)
		}
		return body
	}
	identityOf := func(command string, body map[string]any) {
		t.Helper()
		must(k.askAs("admin", http.MethodPost, "/v1/identity/"+command, body))
	}
	want("both are there", k, state{200, 200, 2, 2, 2, 2, 2})
	must(k.askAs("admin", http.MethodPost, "/v1/privacy/restriction", map[string]any{"identifier": "email:ANA@limit.example", "ground": "objection"}))
	if s := look(k); s != (state{403, 200, 1, 1, 1, 1, 1}) {
		t.Errorf("right after the answer: %+v", s)
	}
	if told := must(k.askAs("admin", http.MethodGet, "/v1/profiles/user_id:ana", nil)); !bytes.Contains(told, []byte(`"ground":"objection"`)) || !bytes.Contains(told, []byte("ana@limit.example")) || bytes.Contains(told, []byte("Porto")) {
		t.Errorf("support is told %s", told)
	}
	view("ana", 2, id("anonymous_id", "later"))
	k.until("what happens to her is kept", func() bool { return k.query("SELECT count() FROM events WHERE message_id = 'ana2'") == "1" })
	want("by a cookie of later", k, state{403, 200, 1, 1, 1, 1, 1})
	identityOf("link", map[string]any{"identifiers": []string{"user_id:ana", "user_id:bob"}, "override": true, "whole": true, "reason": "a call"})
	want("merged", k, state{403, 403, 0, 0, 0, 0, 0})
	late := k.anotherNode()
	want("merged, by a process of later", late, state{403, 403, 0, 0, 0, 0, 0})
	identityOf("unmerge", map[string]any{"identifiers": []string{"user_id:bob", "email:bob@limit.example"}, "from": "user_id:ana"})
	want("parted", late, state{403, 200, 1, 1, 1, 1, 1})
	must(k.askAs("admin", http.MethodDelete, "/v1/privacy/restriction/user_id:ana", nil))
	if s := look(k); s.anaStatus != 200 || s.found != 2 || s.counted != 2 || s.overlap != 2 {
		t.Errorf("right after the release: %+v", s)
	}
	want("released, by another process", late, state{200, 200, 2, 2, 2, 2, 2})
	if all := must(k.askAs("read", http.MethodGet, "/v1/profiles/anonymous_id:later", nil)); !bytes.Contains(all, []byte(`"total":3`)) || !bytes.Contains(all, []byte("Porto")) {
		t.Errorf("what was kept meanwhile: %s", all)
	}
}

func toAny(list []map[string]any) (all []any) {
	for _, x := range list {
		all = append(all, x)
	}
	return all
}
