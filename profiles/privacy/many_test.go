package privacy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestOneRewriteForMany erases a thousand people at once, each with three identifiers
// and four sets of ids as great as real ones, and counts how often each table is
// rewritten: once.
func TestOneRewriteForMany(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	const people = 1000
	w := newWorld(t)
	each := fmt.Sprintf(" FROM numbers(%d)", people)
	const user, set = "sipHash64('user', number, k)", "bitOr(sipHash64('set', number, k), bitShiftLeft(toUInt64(1), 63))"
	of := func(k int) string { return " ARRAY JOIN range(" + fmt.Sprint(k) + ") AS k" }
	gone := "INSERT INTO identity_erasures (workspace, id, what, erased_at, erasure_id) SELECT 'main', "
	const who = "'2026-04-01', concat('e', toString(number))"
	w.exec(gone + "sipHash64('user', number, 0), 'profile', " + who + each)
	w.exec(gone + user + ", 'identifier', " + who + each + of(3))
	w.exec(gone + set + ", 'set', " + who + each + of(4))
	w.exec("INSERT INTO identity_commands (workspace, command_id, kind, received_at, epoch, sequence) SELECT DISTINCT workspace, erasure_id, 'erase', erased_at, 1, 10 FROM identity_erasures")
	w.insert("identity_versions", "workspace, epoch, sequence, published_at", "main", 1, 10, erasedAt)
	w.insert("identity_epochs", "workspace, epoch, started_at", "main", 1, before)
	want := map[string]int{"identifiers": 1, "anchor_members": 1, "scores": 1, "segment_changes": 1, "plan_violations": 1, "dead_letters": 1, "dead_letter_actions": 1, "dead_letter_outcomes": 1}
	for _, table := range factTables {
		want[table] = 1
		w.exec("INSERT INTO " + table + " (workspace, anchor_id, time, received_time, message_hash) SELECT 'main', " + set + ", '2026-03-01', '2026-03-01', 4 * number + k" + each + of(4))
		w.insert(table, "workspace, anchor_id, time, received_time, message_hash", "main", bobUser, before, before, 1_000_000)
	}
	w.exec("INSERT INTO plan_violations (workspace, plan, name, rule, received_time, message_hash) SELECT 'main', 'p', 'n', 'r', '2026-03-01', 4 * number" + each)
	w.exec("INSERT INTO scores (workspace, profile_id, score, computed_at) SELECT 'main', " + user + ", 'churn', '2026-03-01'" + each + of(1))
	w.exec("INSERT INTO segment_changes (workspace, segment, profile_id, block, time) SELECT 'main', 'loyal', " + user + ", 1, '2026-03-01'" + each + of(1))
	w.exec("INSERT INTO identifiers (workspace, identifier_id, source, period, namespace, value, first_received) SELECT 'main', " + user + ", 'web', 8104, 'user_id', concat('person-', toString(10000 + number)), '2026-03-01'" + each + of(3))
	w.exec("INSERT INTO anchor_members (workspace, identifier_id, anchor_id, first_received) SELECT 'main', sipHash64('user', number, 0), " + set + ", '2026-03-01'" + each + of(4))
	w.exec("INSERT INTO dead_letters (workspace, received_time, topic, offset, value, letter_id) SELECT 'main', '2026-03-01', 'kindred.behaviour', number, concat('{\"userId\":\"person-', toString(10000 + number), '\"}'), number + 1" + each)
	migrations := "'" + strings.Join(w.column("SELECT concat(table, mutation_id) FROM system.mutations WHERE database = currentDatabase()"), "','") + "'"
	began := time.Now()
	worker := w.worker(func() time.Time { return erasedAt })
	worker.cfg.BatchWait = 0
	if n, err := worker.Look(t.Context()); n != people || err != nil {
		t.Fatalf("%d of %d were certified: %v", n, people, err)
	}
	t.Logf("%d erasures took %s", people, time.Since(began).Round(time.Millisecond))
	got := map[string]int{}
	for _, table := range w.column("SELECT table FROM system.mutations WHERE database = currentDatabase() AND concat(table, mutation_id) NOT IN (" + migrations + ")") {
		got[table]++
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rewritings by table (-want +got):\n%s", d)
	}
	for table := range want {
		left := map[bool]string{true: "1", false: "0"}[slices.Contains(factTables, table)] // Bob's.
		if n := w.column("SELECT toString(count()) FROM " + table); n[0] != left {
			t.Errorf("%s rows of %s are left, want %s", n[0], table, left)
		}
	}
	if n := w.column("SELECT toString(uniqExact(erasure_id)) FROM erasure_certificates"); n[0] != fmt.Sprint(people) {
		t.Errorf("%s certificates for %d erasures", n[0], people)
	}
}
