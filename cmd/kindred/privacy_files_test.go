package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/deploy/embedded"
	"github.com/kindred-cdp/kindred/ingest/kafka"
)

// A mark is a word that stands in one place of one person: ana and a number from 10,
// between letters that no compression makes shorter, or bob and so on.
const (
	anaMark = "Zq7%dVanaX81kG"
	bobMark = "Lw3%dTbobB96hR"
)

// everywhere are events that put marks of a person into every kind of event and every
// personal field, an identifier of theirs alone, and what is refused.
func (k *running) everywhere(who, mark, day string) (marks []string) {
	k.t.Helper()
	m := func() string {
		marks = append(marks, fmt.Sprintf(mark, 10+len(marks)))
		return marks[len(marks)-1]
	}
	id := func(ns, value string) map[string]any { return map[string]any{"namespace": ns, "value": value} }
	user := id("user_id", who)
	n := 0
	send := func(kind, name string, more map[string]any, ids ...any) {
		n++
		e := map[string]any{"id": fmt.Sprint(who, n), "name": name, "time": day + "T09:00:00Z", "identifiers": append(ids, user)}
		for key, v := range more {
			e[key] = v
		}
		k.send(kind, e)
	}
	send("behaviour", "Signed Up", map[string]any{"type": "identify", "traits": map[string]any{"name": m(), "consent": map[string]any{"email": true}}},
		id("email", strings.ToLower(m())+"@plant.example"), id("anonymous_id", m()), id("loyalty", m()), id("device", "tablet"))
	send("behaviour", "Viewed", map[string]any{"properties": map[string]any{"note": m()}, "context": map[string]any{"ip": m(), "page": map[string]any{"url": "https://shop.example/" + m(), "referrer": "https://other.example/" + m()}}})
	send("behaviour", "Joined", map[string]any{"type": "group", "properties": map[string]any{"groupId": who + "-acme"}, "traits": map[string]any{"plan": m()}})
	send("transaction", "Order Completed", map[string]any{"transaction": map[string]any{"type": "order", "order_id": m(), "currency": "EUR", "amount": "12.50"}})
	send("social", "Mentioned", map[string]any{"social": map[string]any{"network": "x", "text": m(), "author": m()}})
	send("location", "Visited", map[string]any{"location": map[string]any{"lat": 38.7, "lon": -9.1, "venue": m()}})
	send("support", "Asked", map[string]any{"support": map[string]any{"case_id": m(), "channel": "phone", "topic": m()}})
	send("feedback", "Answered", map[string]any{"feedback": map[string]any{"instrument": "nps", "score": 3, "comment": m()}})
	send("sensor", "Passed", map[string]any{"sensor": map[string]any{"device": m(), "technology": "rfid"}})
	send("contact", "Sent", map[string]any{"contact": map[string]any{"action": "sent", "channel": "email", "campaign": m()}})
	if status, body := k.askAs("write", http.MethodPost, "/v1/profiles/user_id:"+who+"/consent", map[string]any{"purpose": "news", "granted": true, "proof": m()}); status != http.StatusAccepted {
		k.t.Fatalf("consent: %d %s", status, body)
	}
	_, _ = k.askAs("write", http.MethodPost, "/v1/events/behaviour", map[string]any{"id": m(), "identifiers": []any{user}}) // A dead letter.
	return marks
}

// admin asks ClickHouse as the one who may do everything.
func (k *running) admin(query string) string {
	k.t.Helper()
	password, err := os.ReadFile(filepath.Join(k.dir, "clickhouse", "admin.password"))
	if err != nil {
		k.t.Fatal(err)
	}
	return k.queryAs(embedded.AdminUser, strings.TrimSpace(string(password)), query)
}

// allTables is asked for the tables that hold rows.
const allTables = "SELECT name FROM system.tables WHERE database = 'kindred' AND (engine LIKE '%MergeTree' OR engine = 'EmbeddedRocksDB')"

// tables returns the rows of all tables that hold a text, by table.
func (k *running) tables(text string) map[string]string {
	k.t.Helper()
	found := map[string]string{}
	for _, table := range strings.Fields(k.admin(allTables)) {
		if rows := k.admin("SELECT toString(tuple(*)) AS row FROM `" + table + "` WHERE positionCaseInsensitive(row, '" + text + "') > 0 ORDER BY row"); rows != "" {
			found[table] = rows
		}
	}
	return found
}

// files returns which of texts are in files of the data folder, but for the log of Kafka,
// which keeps what was sent until its retention ends, and for parts of tables that were
// replaced, which the engine removes within some ten minutes.
func (k *running) files(texts []string) (found []string) {
	k.t.Helper()
	replaced := strings.Fields(k.admin("SELECT path FROM system.parts WHERE database = 'kindred' AND NOT active"))
	err := filepath.WalkDir(k.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // Files of merges come and go.
		}
		if d.IsDir() && (path == filepath.Join(k.dir, "kafka") || slices.Contains(replaced, path+"/")) {
			return filepath.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		b, _ := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(b, []byte(text)) && !slices.Contains(found, text) {
				found = append(found, text)
			}
		}
		return nil
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return found
}

// TestErasedEverywhere puts Ana and Bob into every place that there is, shows that the
// search finds both in tables, files and answers, erases Ana, and finds her nowhere,
// and of Bob every row of every table and every answer as it was.
func TestErasedEverywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	t.Parallel()
	k := startKindred(t, "KINDRED_ERASURE_WAIT=0")
	bob := k.everywhere("bob", bobMark, "2026-05-03") // The tablet that both use is his.
	ana := k.everywhere("ana", anaMark, "2026-05-04")
	for who, marks := range map[string][]string{"bob": bob, "ana": ana} {
		k.within(5*time.Minute, "all of "+who+" is there", func() bool {
			_, all := k.askAs("admin", http.MethodGet, "/v1/privacy/access/user_id:"+who, nil)
			return !slices.ContainsFunc(marks, func(m string) bool { return !bytes.Contains(bytes.ToLower(all), []byte(strings.ToLower(m))) })
		})
	}
	k.taken() // Whose the tablet is, too.
	of := func(answers map[string]string, mark string) (list []string) {
		for path, text := range answers {
			if strings.Contains(strings.ToLower(text), mark) {
				list = append(list, path)
			}
		}
		return list
	}
	before, bobs := k.shown("ana"), k.shown("bob")
	if n := len(of(before, "vanax")); n < 10 {
		t.Fatalf("%d answers name her: %v", n, before)
	}
	// Rows of views come after what they are made of.
	var was, hers map[string]string
	k.until("both are in the same tables, nine at least", func() bool {
		behind, err := kafka.Lag(t.Context(), []string{"127.0.0.1:" + k.kafka}, viewsGroup, []string{storedTopic})
		if err != nil || behind > 0 {
			return false
		}
		was, hers = k.tables("tbobb"), k.tables("vanax")
		return len(hers) >= 9 && maps.EqualFunc(was, hers, func(_, _ string) bool { return true })
	})
	if onDisk := k.files(append(slices.Clone(ana), bob...)); len(onDisk) < len(ana) {
		t.Fatalf("of %d marks of each the search finds %v", len(ana), onDisk)
	}
	if status, body := k.askAs("admin", http.MethodPost, "/v1/privacy/erasure", map[string]any{"identifier": "user_id:ana", "id": "erase-ana"}); status != http.StatusOK {
		t.Fatalf("erasure: %d %s", status, body)
	}
	if left := of(k.shown("ana"), "vanax"); len(left) > 0 {
		t.Errorf("right after the answer she is shown by %v", left)
	}
	k.rewritten(t)
	if left := k.tables("vanax"); len(left) > 0 {
		t.Errorf("tables still hold her: %v", left)
	}
	k.within(2*time.Minute, "files hold her no more", func() bool { return len(k.files(ana)) == 0 })
	if left := of(k.shown("ana"), "vanax"); len(left) > 0 {
		t.Errorf("she is shown by %v", left)
	}
	for path, text := range k.shown("bob") {
		if text != bobs[path] {
			t.Errorf("%s is not what it was:\n%s\n%s", path, bobs[path], text)
		}
	}
	now := k.tables("tbobb")
	for table, rows := range was {
		if rows != now[table] {
			t.Errorf("Bob's rows of %s are not what they were:\n%s\n%s", table, rows, now[table])
		}
	}
}

// shown is what the API tells of somebody, by path; the second answer is of what the
// first left in its memory.
func (k *running) shown(who string) map[string]string {
	k.t.Helper()
	mark := map[string]string{"ana": anaMark, "bob": bobMark}[who]
	paths := []string{
		"/v1/privacy/access/user_id:" + who, "/v1/profiles?identifier=" + url.QueryEscape(fmt.Sprintf(mark, 12)), "/v1/profiles?trait=name&value=" + url.QueryEscape(fmt.Sprintf(mark, 10)),
	}
	for _, part := range []string{"", "/traits", "/identifiers", "/timeline", "/products", "/contacts", "/consent", "/accounts", "/identity"} {
		paths = append(paths, "/v1/profiles/user_id:"+who+part, "/v1/profiles/"+url.PathEscape("anonymous_id:"+fmt.Sprintf(mark, 12))+part)
	}
	for _, part := range []string{"traits", "external_ids", "events", "metadata", "links"} {
		paths = append(paths, "/v1/spaces/main/collections/users/profiles/user_id:"+who+"/"+part)
	}
	answers := map[string]string{}
	for range 2 {
		for _, path := range paths {
			_, body := k.askAs("admin", http.MethodGet, path, nil)
			if i := bytes.Index(body, []byte(`"request_id"`)); i >= 0 {
				body = body[:i] // Of a problem, which ends with it.
			}
			answers[path] = string(body)
		}
	}
	return answers
}
