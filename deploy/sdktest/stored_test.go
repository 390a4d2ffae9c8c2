package sdktest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
)

func itoa(n int) string { return strconv.Itoa(n) }

// expectation says which client sent the scenario.
type expectation struct {
	source, prefix, anonymous string
	server                    bool          // a client of a server, not a page
	skew                      time.Duration // how fast the client's clock is
}

// row is an event as it is stored.
type row struct {
	Kind, Name, Type, ID           string
	Time, Original, Sent, Received time.Time
	Identifiers                    []string
	Properties, Traits, Context    string
	Session                        string
}

// stored looks into the tables.
type stored struct {
	t    *testing.T
	conn driver.Conn
}

func (s *stored) on(t *testing.T) *stored { return &stored{t, s.conn} }

func (s *stored) number(query string, args ...any) uint64 {
	s.t.Helper()
	var n uint64
	if err := s.conn.QueryRow(s.t.Context(), query, args...).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *stored) rows(source, name string) []row {
	s.t.Helper()
	rows, err := s.conn.Query(s.t.Context(), `SELECT kind, name, type, message_id, time, original_time, sent_time, received_time, identifiers, properties, traits, context, session_id
		FROM events WHERE source = ? AND name = ? ORDER BY time, message_id`, source, name)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.Kind, &r.Name, &r.Type, &r.ID, &r.Time, &r.Original, &r.Sent, &r.Received, &r.Identifiers, &r.Properties, &r.Traits, &r.Context, &r.Session); err != nil {
			s.t.Fatal(err)
		}
		slices.Sort(r.Identifiers)
		out = append(out, r)
	}
	if rows.Err() != nil {
		s.t.Fatal(rows.Err())
	}
	return out
}

// one returns the only event of a name.
func (s *stored) one(source, name, kind, typ string) row {
	s.t.Helper()
	list := s.rows(source, name)
	if len(list) != 1 {
		s.t.Fatalf("%d events %s of %s, want 1", len(list), name, source)
	}
	if r := list[0]; r.Kind != kind || r.Type != typ {
		s.t.Errorf("%s is %s/%s, want %s/%s", name, r.Kind, r.Type, kind, typ)
	}
	return list[0]
}

// same compares a JSON text with a value; what only the client adds is dropped.
func (s *stored) same(what, got string, want any, added ...string) {
	s.t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		s.t.Fatalf("%s: %v in %q", what, err, got)
	}
	text, _ := json.Marshal(want)
	_ = json.Unmarshal(text, &w)
	if m, ok := g.(map[string]any); ok {
		for _, name := range added {
			delete(m, name)
		}
	}
	if diff := cmp.Diff(w, g); diff != "" {
		s.t.Errorf("%s differs:\n%s", what, diff)
	}
}

var (
	odd    = map[string]any{"text": "naïve 世界 \u2028 \\ \"quoted\" 🦊", "price": 12.5, "flag": true, "none": nil, "list": []any{1, "2", map[string]any{"deep": []any{}}}}
	traits = map[string]any{"name": "Zoë 🦊 \"Q\"", "plan": nil, "nested": map[string]any{"a": []any{1, nil}}, "age": 42}
	past   = time.Date(2024, 2, 29, 12, 34, 56, 789_000_000, time.UTC)
)

// tolerance is what the way of a request may add to a corrected time.
const tolerance = 10 * time.Second

// check holds the events of one client against what it was told to send.
func (s *stored) check(want expectation) {
	s.t.Helper()
	await(s.t, 2*time.Minute, "every event of the stream to be stored", func() bool {
		return s.number(`SELECT uniqExact(JSONExtractInt(properties, 'n')) FROM events WHERE source = ? AND name = 'Sdk Stream'`, want.source) >= stream
	})
	if n := s.number(`SELECT count() FROM events WHERE source = ? AND name = 'Sdk Stream'`, want.source); n != stream {
		s.t.Errorf("%d events of the stream of %d are stored", n, stream)
	}
	if total, ids := s.number(`SELECT count() FROM events WHERE source = ?`, want.source), s.number(`SELECT uniqExact(message_id) FROM events WHERE source = ?`, want.source); total != ids {
		s.t.Errorf("%d events have %d message ids", total, ids)
	}
	s.checkTimes(want)
	s.checkCalls(want)
	s.checkOrder(want)
}

func (s *stored) checkTimes(want expectation) {
	s.t.Helper()
	near := func(what string, got, wanted time.Time) {
		if d := got.Sub(wanted); d < -tolerance || d > tolerance {
			s.t.Errorf("%s is %s, %s off", what, got, d)
		}
	}
	r := s.one(want.source, "Sdk Past", "behaviour", "track")
	if !r.Original.Equal(past) {
		s.t.Errorf("original time %s, want %s", r.Original, past)
	}
	near("corrected time of the past", r.Time, past.Add(-want.skew))
	near("sending time", r.Sent, r.Received.Add(want.skew))
	r = s.one(want.source, "Sdk Context", "behaviour", "track")
	near("original time", r.Original, r.Received.Add(want.skew))
	near("corrected time", r.Time, r.Received)
	if r.Time.After(r.Received) {
		s.t.Error("an event is later than its receipt")
	}
	s.same("properties", s.one(want.source, "Sdk Past", "behaviour", "track").Properties, odd)
}

func (s *stored) identifiers(r row, want ...string) {
	s.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, r.Identifiers); diff != "" {
		s.t.Errorf("identifiers of %s differ:\n%s", r.Name, diff)
	}
}

// person is the user's identifier, with the anonymous one where the client
// always sends it.
func (w expectation) person(also ...string) []string {
	ids := append([]string{"user_id:" + w.prefix + "-user"}, also...)
	if !w.server {
		ids = append(ids, "anonymous_id:"+w.anonymous)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (s *stored) checkCalls(want expectation) {
	s.t.Helper()
	email := "email:" + want.prefix + "@example.com"
	identifies := s.rows(want.source, "Identify")
	index := slices.IndexFunc(identifies, func(r row) bool { return strings.Contains(r.Traits, "Zo") })
	if index < 0 {
		s.t.Fatalf("no identify with a name among %d", len(identifies))
	}
	r := identifies[index]
	s.identifiers(r, want.person(email, "anonymous_id:"+want.anonymous)...)
	all := map[string]any{"email": want.prefix + "@example.com"}
	for k, v := range traits {
		all[k] = v
	}
	s.same("traits", r.Traits, all)
	if want.server {
		if i := slices.IndexFunc(identifies, func(r row) bool { return slices.Equal(r.Identifiers, []string{"user_id:4200017"}) }); i < 0 || len(identifies) != 2 {
			s.t.Errorf("the numeric id is not among %d identifies", len(identifies))
		}
	}
	r = s.one(want.source, "Sdk Context", "behaviour", "track")
	s.identifiers(r, want.person("loyalty:"+want.prefix+"-L1")...)
	if r.Session != "1700000000" {
		s.t.Errorf("session %q", r.Session)
	}
	if !strings.Contains(r.Context, `"Salesforce":true`) {
		s.t.Error("the integrations are not in the context")
	}
	r = s.one(want.source, "Home", "behaviour", "page")
	if !strings.Contains(r.Properties, `"Shop"`) {
		s.t.Errorf("the page's category is not among its properties")
	}
	r = s.one(want.source, "Basket", "behaviour", "screen")
	s.same("screen's properties", r.Properties, map[string]any{"items": 2, "name": "Basket"})
	r = s.one(want.source, "Group", "behaviour", "group")
	s.identifiers(r, want.person()...)
	s.same("group's properties", r.Properties, map[string]any{"groupId": want.prefix + "-g", "traits": map[string]any{"name": "Initech", "email": "office@initech.example"}})
	r = s.one(want.source, "Alias", "behaviour", "alias")
	s.identifiers(r, want.person("anonymous_id:"+want.anonymous)...)
	if !want.server {
		r = s.one(want.source, "Sdk Anonymous", "behaviour", "track")
		s.identifiers(r, "anonymous_id:"+want.anonymous)
		if !strings.Contains(r.Context, `"campaign":{`) || !strings.Contains(r.Context, "HeadlessChrome") {
			s.t.Error("campaign or browser are not in the context")
		}
	}
}

func (s *stored) checkOrder(want expectation) {
	s.t.Helper()
	r := s.one(want.source, "Order Completed", "transaction", "order")
	s.identifiers(r, want.person()...)
	var id, status, currency, items string
	var amount, tax, shipping float64
	err := s.conn.QueryRow(s.t.Context(), `SELECT order_id, status, currency, toFloat64(amount), toFloat64(tax), toFloat64(shipping),
		toString(arrayMap((p, q, c) -> (p, toFloat64(q), toFloat64(c)), items.product_id, items.quantity, items.price))
		FROM transaction_facts WHERE source = ?`, want.source).Scan(&id, &status, &currency, &amount, &tax, &shipping, &items)
	if err != nil {
		s.t.Fatal(err)
	}
	got := []any{id, status, currency, amount, tax, shipping, items}
	if diff := cmp.Diff([]any{want.prefix + "-o1", "completed", "EUR", 25.5, 1.5, 3.0, "[('p1',2,10.25),('p2',1,5)]"}, got); diff != "" {
		s.t.Errorf("the order differs:\n%s", diff)
	}
}

func (s *stored) noDeadLetters() {
	s.t.Helper()
	if n := s.number(`SELECT count() FROM dead_letters`); n != 0 {
		s.t.Errorf("%d dead letters", n)
	}
}

// checkProfile asks the profile API by e-mail address for what the client said
// by another identifier.
func checkProfile(t *testing.T, s *server, want expectation) {
	t.Helper()
	var body string
	ok := func() bool {
		status, text := s.get("/v1/profiles/email:"+want.prefix+"@example.com", "key-read")
		body = text
		return status == http.StatusOK && strings.Contains(text, want.prefix+"-user") && strings.Contains(text, want.anonymous) && strings.Contains(text, want.prefix+"-L1")
	}
	await(t, time.Minute, "the profile to hold every identifier", ok)
	for _, part := range []string{`"age":{"value":42`, `Zoë 🦊 \"Q\"`, `"revenue":"25.5"`} {
		if !strings.Contains(body, part) {
			t.Errorf("the profile lacks %s:\n%s", part, body)
		}
	}
	if strings.Contains(body, `"plan":{`) {
		t.Error("the trait that was set to null is in the profile")
	}
}
