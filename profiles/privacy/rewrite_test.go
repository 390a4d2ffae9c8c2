package privacy

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// Keys and anchors of a small world. Ana is erased; Bob, who shares a cookie with her,
// and Eve, who claims her address, are not.
const (
	anaUser, anaMail, anaPhone, cookie, bobUser, eveUser uint64 = 11, 12, 13, 21, 31, 41
	setBit                                               uint64 = 1 << 63
	anaSet, anaCookieSet, bobCookieSet, eveSet                  = setBit + 1, setBit + 2, setBit + 3, setBit + 4
)

var (
	before   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	erasedAt = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	after    = time.Date(2026, 4, 2, 12, 0, 0, 0, time.UTC)
)

type world struct {
	*testing.T
	conn driver.Conn
	n    int
	gone []Gone // of whom recipients were asked
}

func newWorld(t *testing.T) *world { return &world{T: t, conn: warehousetest.NewTestDatabase(t)} }

func (w *world) exec(text string, args ...any) {
	w.Helper()
	if err := w.conn.Exec(w.Context(), text, args...); err != nil {
		w.Fatal(err)
	}
}

func (w *world) insert(table string, columns string, values ...any) {
	w.Helper()
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
	w.exec("INSERT INTO "+table+" ("+columns+") VALUES ("+marks+")", values...)
}

// event is one of an anchor in every table of facts, its marker in all personal texts
// of the table events.
func (w *world) event(anchor uint64, at time.Time, received time.Time, identifiers []string, marker string) {
	w.Helper()
	w.n++
	hash := fmt.Sprint(1000 + w.n)
	for _, table := range factTables {
		columns, values := "workspace, anchor_id, time, received_time, message_hash", []any{"main", anchor, at, received, hash}
		switch table {
		case "events":
			columns += ", identifiers, properties, traits, context, url"
			values = append(values, identifiers, `{"p":"`+marker+`"}`, `{"t":"`+marker+`"}`, `{"c":"`+marker+`"}`, "https://x/"+marker)
		case "consents":
			columns += ", purpose, proof"
			values = append(values, "marketing", marker)
		case "trait_observations":
			columns += ", trait, value"
			values = append(values, "name", `"`+marker+`"`)
		}
		w.insert(table, columns, values...)
	}
	w.insert("location_venues", "workspace, anchor_id, time, message_hash, venue", "main", anchor, at, hash, "v")
	w.insert("plan_violations", "workspace, plan, name, rule, received_time, message_hash, detail", "main", "p", "n", "r", received, hash, marker)
}

func (w *world) letter(n int, value string) {
	w.Helper()
	w.insert("dead_letters", "workspace, received_time, topic, offset, value, letter_id", "main", before, "kindred.behaviour", n, value, fmt.Sprint(500+n))
	w.insert("dead_letter_actions", "workspace, letter_id, revision, time, action, value", "main", fmt.Sprint(500+n), 1, before, "edit", "")
}

// plant makes the world, with Ana erased by a command that is not rewritten yet.
func (w *world) plant() {
	w.Helper()
	for _, i := range []struct {
		key       uint64
		namespace string
		value     string
	}{
		{anaUser, "user_id", "ana-77"},
		{anaMail, "email", "ana@example.com"},
		{anaPhone, "phone", "+351911222333"},
		{cookie, "anonymous_id", "cookie-1"},
		{bobUser, "user_id", "bob"},
		{eveUser, "user_id", "eve"},
	} {
		w.insert("identifiers", "workspace, identifier_id, source, period, namespace, value, first_received", "main", i.key, "web", 8104, i.namespace, i.value, before)
	}
	w.insert("identifiers", "workspace, identifier_id, source, period, namespace, value, first_received", "main", anaUser, "web", 8105, "user_id", "ana-77", after)
	for _, p := range [][2]uint64{{anaUser, anaMail}, {anaUser, cookie}, {bobUser, cookie}, {anaMail, eveUser}} {
		w.insert("identity_evidence", "workspace, low_id, high_id, source, period, rule, first_received", "main", min(p[0], p[1]), max(p[0], p[1]), "web", 8104, "event", before)
		w.insert("record_links", "workspace, model_version, record_a, record_b, weight, scored_at", "main", "m", min(p[0], p[1]), max(p[0], p[1]), 1000, before)
	}
	for anchor, members := range map[uint64][]uint64{anaSet: {anaUser, anaMail}, anaCookieSet: {anaUser, cookie}, bobCookieSet: {bobUser, cookie}, eveSet: {anaMail, eveUser}} {
		w.insert("anchors", "workspace, anchor_id, members, first_received", "main", anchor, members, before)
		for _, m := range members {
			w.insert("anchor_members", "workspace, identifier_id, anchor_id, first_received", "main", m, anchor, before)
		}
	}
	for _, p := range []uint64{anaUser, bobUser} {
		w.insert("scores", "workspace, profile_id, score, computed_at", "main", p, "churn", before)
		w.insert("profile_groups", "workspace, profile_id, time, stage", "main", p, before, "lead")
		w.insert("segment_changes", "workspace, segment, profile_id, block, entered, time", "main", "loyal", p, 1, true, before)
		w.insert("destination_told", "workspace, destination, segment, profile_id, block, entered, time", "main", "crm", "loyal", p, 1, true, before)
		w.insert("destination_letters", "workspace, destination, segment, profile_id, block, version, time, state, answer", "main", "crm", "loyal", p, 1, 1, before, "dead", map[bool]string{true: "secret-ana", false: "bob"}[p == anaUser])
		w.insert("household_profile", "workspace, profile_id, epoch, sequence, household_id", "main", p, 1, 5, 99)
	}
	// Her views go whenever they were made: that of her, and of her before she was found
	// to be one with an address of hers.
	for n, p := range []uint64{anaUser, anaMail, bobUser, cookie} {
		marker := "bob"
		if n < 2 {
			marker = "secret-ana"
		}
		w.insert("profile_lookup", "key, workspace, profile_id, name, form, stamp, body", fmt.Sprintf("main/%d/view", p), "main", p, "view", 1, "5", marker)
	}
	w.event(anaSet, before, before, []string{"user_id:ana-77", "email:ana@example.com"}, "secret-ana")
	w.event(anaUser, before, before, []string{"user_id:ana-77"}, "secret-ana")
	w.event(anaCookieSet, before, before, []string{"user_id:ana-77", "anonymous_id:cookie-1"}, "secret-ana")
	w.event(bobCookieSet, before, before, []string{"user_id:bob", "anonymous_id:cookie-1"}, "bob")
	w.event(cookie, before, before, []string{"anonymous_id:cookie-1"}, "bob")
	w.event(cookie, before.Add(-time.Hour), before, []string{"anonymous_id:cookie-1"}, "secret-ana") // In a span.
	w.event(eveSet, before, before, []string{"user_id:eve", "email:ana@example.com"}, "eve")
	w.event(anaUser, after, after, []string{"user_id:ana-77"}, "again")
	w.letter(1, `{"id":"x","identifiers":[{"namespace":"email","value":"Ana@Example.com "}]}`)
	w.letter(2, `{"id":"y","traits":{"phone":"(+351) 911-222-333"}}`)
	w.letter(3, `{"id":"z","identifiers":[{"namespace":"email","value":"bob@example.com"}],"n":77}`)
	w.letter(4, `broken { ana@example.com`)
	w.letter(5, `broken { joana@example.com`)
	w.letter(6, `{"id":"u","email":"\u0061na@example.com"}`)
	w.erase("erase-1", []uint64{anaUser, anaMail, anaPhone}, []uint64{anaSet, anaCookieSet}, anaUser)
	w.insert("identity_erasures", "workspace, id, what, erased_at, erasure_id, since, until", "main", cookie, "span", erasedAt, "erase-1", before.Add(-2*time.Hour), before.Add(-time.Minute))
	w.insert("identity_erasures", "workspace, id, what, erased_at, erasure_id", "main", cookie, "shared", erasedAt, "erase-1")
}

func (w *world) erase(id string, keys, sets []uint64, profile uint64) {
	w.Helper()
	add := func(what string, ids ...uint64) {
		for _, i := range ids {
			w.insert("identity_erasures", "workspace, id, what, erased_at, erasure_id", "main", i, what, erasedAt, id)
		}
	}
	add("profile", profile)
	add("identifier", keys...)
	add("set", sets...)
	w.insert("identity_commands", "workspace, command_id, kind, received_at, epoch, sequence", "main", id, "erase", erasedAt, 1, 10)
	w.insert("identity_versions", "workspace, epoch, sequence, published_at", "main", 1, 10, erasedAt)
	w.insert("identity_epochs", "workspace, epoch, started_at", "main", 1, before)
}

func (w *world) worker(now func() time.Time) *Worker {
	w.Helper()
	cfg := DefaultConfig()
	cfg.FileWait = 0
	worker, err := NewWorker(cfg, Deps{
		Conn: w.conn, Key: SigningKey(identity.Secret{7}), Clock: now, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Recipients: w,
	})
	if err != nil {
		w.Fatal(err)
	}
	return worker
}

// Erased implements Recipients: it counts what is there of who was told.
func (w *world) Erased(ctx context.Context, workspace string, gone Gone, _ time.Time) (map[string]uint64, error) {
	w.gone = append(w.gone, gone)
	ids := []uint64{}
	for _, p := range gone.Profiles {
		ids = append(ids, uint64(p))
	}
	var n uint64
	err := w.conn.QueryRow(ctx, "SELECT count() FROM destination_told WHERE workspace = ? AND profile_id IN ?", workspace, ids).Scan(&n)
	return map[string]uint64{"crm": n}, err
}

func (w *world) column(text string) (list []string) {
	w.Helper()
	err := query(w.Context(), w.conn, "read", text, func(rows driver.Rows) error {
		var s string
		err := rows.Scan(&s)
		list = append(list, s)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return list
}

// dump is every row of every table of data, as text, by table.
func (w *world) dump() map[string][]string {
	w.Helper()
	all := map[string][]string{}
	for _, table := range w.column("SELECT name FROM system.tables WHERE database = currentDatabase() AND (engine LIKE '%MergeTree' OR engine = 'EmbeddedRocksDB') AND name NOT LIKE '.%' AND name NOT LIKE 'erasure_%' AND name != 'schema_migrations'") {
		all[table] = w.column("SELECT toString(tuple(*)) AS row FROM " + table + " ORDER BY row")
	}
	return all
}

// TestRewrite erases Ana from every table, and looks at all rows of all tables before
// and after: what is gone is hers, and everything else is what it was.
func TestRewrite(t *testing.T) {
	w := newWorld(t)
	w.plant()
	were := w.dump()
	now := erasedAt.Add(24 * time.Hour)
	worker := w.worker(func() time.Time { return now })
	if n, err := worker.Look(t.Context()); n != 0 || err != nil {
		t.Fatalf("rewritten before the wait for others: %d, %v", n, err)
	}
	now = now.Add(2 * time.Minute)
	if n, err := worker.Look(t.Context()); n != 1 || err != nil {
		t.Fatalf("rewritten: %d, %v", n, err)
	}
	left := w.dump()
	removed := map[string]int{}
	for table, rows := range were {
		for _, row := range rows {
			if !slices.Contains(left[table], row) {
				removed[table]++
			}
		}
		for _, row := range left[table] {
			if !slices.Contains(rows, row) && !(table == "events" && strings.Contains(row, "eve")) {
				t.Errorf("%s has a new row: %s", table, row)
			}
		}
	}
	want := map[string]int{
		"identifiers": 3, "identity_evidence": 3, "record_links": 3, "anchors": 2, "anchor_members": 4, "scores": 1, "profile_groups": 1, "segment_changes": 1, "destination_told": 1, "destination_letters": 1, "household_profile": 1, "profile_lookup": 4,
		"location_venues": 4, "plan_violations": 4, "dead_letters": 4, "dead_letter_actions": 4,
	}
	for _, table := range factTables {
		want[table] = 4
	}
	want["events"]++ // Eve's, which is there without the address.
	for table := range were {
		if removed[table] != want[table] {
			t.Errorf("%s lost %d rows, want %d", table, removed[table], want[table])
		}
	}
	for table, rows := range left {
		for _, row := range rows {
			for _, secret := range []string{"secret-ana", "'ana@example.com", ":ana@example.com", " ana@example.com", "911222333", "911-222-333"} {
				if strings.Contains(row, secret) {
					t.Errorf("%s still holds %q: %s", table, secret, row)
				}
			}
		}
	}
	if n, err := worker.Look(t.Context()); n != 0 || err != nil {
		t.Errorf("done again: %d, %v", n, err)
	}
	w.certified(removed)
}

func (w *world) certified(removed map[string]int) {
	w.Helper()
	s, err := NewStore(w.conn).Erasure(w.Context(), "main", "erase-1")
	if err != nil || s.Signed == nil || s.State != Done {
		w.Fatalf("%+v, %v", s, err)
	}
	if !s.Signed.Verify() || strings.Contains(s.Signed.Certificate, "ana") || !strings.Contains(s.Signed.Certificate, `"email":1`) {
		w.Errorf("certificate %s", s.Signed.Certificate)
	}
	// Who was told of her is known before the rows of it go.
	if !strings.Contains(s.Signed.Certificate, `"recipients":{"crm":1}`) || len(w.gone) == 0 || !slices.Contains(w.gone[0].Profiles, identity.ProfileID(anaUser)) {
		w.Errorf("asked who was told of %+v; certificate %s", w.gone, s.Signed.Certificate)
	}
	forged := *s.Signed
	if forged.Certificate = strings.Replace(forged.Certificate, "main", "mein", 1); forged.Verify() {
		w.Error("a certificate that was changed is valid")
	}
	for _, table := range []string{"transaction_facts", "identifiers", "dead_letters"} {
		if !strings.Contains(s.Signed.Certificate, fmt.Sprintf(`"%s":%d`, table, removed[table])) {
			w.Errorf("the certificate counts other rows of %s than %d: %s", table, removed[table], s.Signed.Certificate)
		}
	}
}
