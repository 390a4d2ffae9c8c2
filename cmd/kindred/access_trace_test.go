package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/kindred-cdp/kindred/api"
)

// plantedNowhere does with planted values what the others have not done, and then
// looks for them, and for secrets, in the logs and in the query log.
func (k *running) plantedNowhere(admin func(string) string) {
	letter := k.letter("admin-dev")
	for _, call := range []struct{ method, path, key, body string }{
		{http.MethodPost, "/v1/plans/check", "read-dev", `{"event":{"id":"x","name":"View","source":"web","properties":{"a":"planted"}}}`},
		{http.MethodPost, "/v1/dead-letters/" + letter + "/edit", "admin-dev", `{"reason":"planted reason","value":{"id":"bad","name":"View","source":"web","time":"2026-05-04T10:00:00Z","identifiers":[{"namespace":"email","value":"` + plantedMail + `"}]}}`},
		{http.MethodPost, "/v1/dead-letters/" + letter + "/replay", "admin-dev", `{"reason":"planted reason"}`},
		{http.MethodPost, "/v1/dead-letters/" + letter + "/edit", "admin-dev", `{"Planted Field":1}`},
		{http.MethodPost, "/v1/identity/unmerge", "admin-dev", `{"identifiers":["email:` + plantedMail + `"],"from":"user_id:u-planted","reason":"planted reason"}`},
		{http.MethodPost, "/v1/identity/link", "admin-dev", `{"identifiers":["email:` + plantedMail + `","phone:` + plantedPhone + `"],"override":true,"reason":"planted reason"}`},
		{http.MethodPost, "/v1/identity/link", "admin-dev", `{"identifiers":["email:planted"],"planted":`},
		{http.MethodGet, "/v1/profiles/email:not%20planted", "read-dev", ""},
		{http.MethodGet, "/v1/profiles/planted", "read-dev", ""},
		{http.MethodGet, "/v1/profiles/phone:" + url.PathEscape(plantedPhone), "marketer-dev", ""},
		{http.MethodGet, "/v1/profiles/email:" + plantedMail + "/identity", "marketer-dev", ""},
		{http.MethodGet, "/v1/audit?actor=planted-actor&profile=email:" + plantedMail, "admin-dev", ""},
		{http.MethodGet, "/v1/audit?action=planted", "admin-dev", ""},
		{http.MethodGet, "/v1/identity/why?a=email:" + plantedMail + "&b=planted", "read-dev", ""},
		{http.MethodPost, "/v1/segments/preview", "marketer-dev", `{"definition":{"all":[{"trait":"firstName","op":"eq","value":"Planted"},{"event":"planted"}]}}`},
		{http.MethodPost, "/v1/track", "planted-key", `{"writeKey":"planted-key","userId":"planted"}`},
		{http.MethodGet, "/v1/profiles?identifier=email:planted", "marketer-dev", ""},
		{http.MethodGet, "/v1/profiles?trait=firstName&value=Planted", "marketer-dev", ""},
		{http.MethodGet, "/v1/profiles/email:" + plantedMail + "/timeline?name=planted", "marketer-dev", ""},
		{http.MethodPost, "/v1/profiles/batch", "marketer-dev", `{"ids":["email:` + plantedMail + `","planted"]}`},
		{http.MethodGet, "/v1/planted", "admin-dev", ""},
	} {
		if status, text := k.ask(call.method, call.path, call.key, call.body); status >= 500 || status >= 400 && strings.Contains(strings.ToLower(text), "planted") {
			k.t.Errorf("%s answers %d: %s", call.path, status, text)
		}
	}
	k.noTrace(admin, "planted", "39393939", "write-dev", "admin-dev", "write-other")
}

// noTrace looks for texts in the logs and the query log; the log of the queries is
// whole only when the engine has written it.
func (k *running) noTrace(admin func(string) string, texts ...string) {
	k.t.Helper()
	admin("SYSTEM FLUSH LOGS")
	if n, err := strconv.Atoi(admin("SELECT count() FROM system.query_log")); err != nil || n < 100 {
		k.t.Fatalf("the query log has %d queries, %v", n, err)
	}
	said := strings.ToLower(k.said.String())
	if !strings.Contains(said, "name-of") && !strings.Contains(said, "admin-4") {
		k.t.Error("the log does not name keys: the search finds nothing")
	}
	for _, text := range texts {
		for _, line := range strings.Split(said, "\n") {
			if strings.Contains(line, text) {
				k.t.Errorf("the log has %q: %s", text, line)
				break
			}
		}
		// The question must not find itself.
		found := admin(fmt.Sprintf("SELECT any(type), substring(any(query), 1, 1000) FROM system.query_log WHERE positionCaseInsensitive(toString(tuple(*)), concat('%s', '%s')) > 0 GROUP BY normalized_query_hash", text[:3], text[3:]))
		if found != "" {
			k.t.Errorf("the query log has %q:\n%s", text, found)
		}
	}
}

// lifeOfAKey makes, rotates and revokes a key by the command, and sees what it opens
// and what goes on record.
func (k *running) lifeOfAKey(admin func(string) string) {
	var made, turned struct {
		Key    api.ManagedKey
		Secret string
	}
	status := func(key string) int {
		code, _ := k.ask(http.MethodGet, "/v1/profiles/email:"+plantedMail, key, "")
		return code
	}
	k.read(&made, "keys", "create", "of carla", "--role", "marketer", "--expires", "1d")
	if _, text := k.ask(http.MethodGet, "/v1/profiles/email:"+plantedMail, made.Secret, ""); !strings.Contains(text, `"p***@planted.example"`) || !strings.Contains(text, `"***39"`) || strings.Contains(text, "planted-ana") || strings.Contains(text, "lanted street") {
		k.t.Errorf("a marketer sees %s", text)
	}
	k.read(&turned, "keys", "rotate", made.Key.ID, "--grace", "0s")
	if old, next := status(made.Secret), status(turned.Secret); old != 401 || next != 200 {
		k.t.Errorf("after a rotation the secrets answer %d and %d", old, next)
	}
	if out := k.run("keys", "revoke", made.Key.ID); !strings.Contains(out, "revoked") {
		k.t.Errorf("revoke prints %s", out)
	}
	if got := status(turned.Secret); got != 401 {
		k.t.Errorf("a revoked key answers %d", got)
	}
	if out := k.run("keys", "list"); !strings.Contains(out, "of carla") || strings.Contains(out, "kdr_") {
		k.t.Errorf("list prints %s", out)
	}
	k.until("the readings are on record", func() bool {
		var list struct{ Entries []api.AuditEntry }
		k.read(&list, "audit", "--key-id", made.Key.ID, "--action", "read", "--profile", "phone:"+plantedPhone)
		return len(list.Entries) == 2 && list.Entries[0].Actor == "planted-actor" && list.Entries[0].Status == 200
	})
	k.noTrace(admin, made.Secret, turned.Secret, "planted")
}
