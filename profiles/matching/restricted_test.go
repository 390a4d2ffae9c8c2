package matching

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
)

// limited restricts people of a ledger.
type limited struct {
	*ledgerOf
	revision int
	names    map[identity.Key]string // of records
}

func (l *limited) restrict(restricted bool, ids ...string) {
	l.t.Helper()
	for _, id := range ids {
		l.revision++
		err := l.conn.Exec(l.t.Context(), "INSERT INTO restrictions (workspace, identifier_id, revision, restricted, changed_at) VALUES ('main', ?, ?, ?, ?)",
			uint64(l.world.Key(id)), l.revision, restricted, time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC))
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

// of returns the standing pairs that a record is in.
func (l *limited) of(model, record string) map[pair]int64 {
	l.t.Helper()
	key, found := l.key(record), l.standing(model)
	maps.DeleteFunc(found, func(p pair, _ int64) bool { return p.low != key && p.high != key })
	return found
}

// matched returns pairs of a user's record and one of the CRM that would be joined, no
// record twice.
func (l *limited) matched(model string) (list [][2]string) {
	l.t.Helper()
	standing, taken := l.standing(model), map[string]bool{}
	for _, p := range slices.SortedFunc(maps.Keys(standing), func(a, b pair) int { return strings.Compare(l.names[a.low], l.names[b.low]) }) {
		a, b := l.names[p.low], l.names[p.high]
		if strings.HasPrefix(b, userPrefix) {
			a, b = b, a
		}
		if standing[p] >= l.rules.Link && strings.HasPrefix(a, userPrefix) && strings.HasPrefix(b, "crm/") && !taken[a] && !taken[b] {
			taken[a], taken[b] = true, true
			list = append(list, [2]string{a, b})
		}
	}
	return list
}

// identifierOf is the identifier whose events a record is made of.
func identifierOf(record string) string {
	if user, is := strings.CutPrefix(record, userPrefix); is {
		return "user_id:" + user
	}
	return "record:" + record
}

// TestRestrictedAreNotMatched restricts one whom a score would join with a record of the
// CRM, and one whom it has joined: neither is compared with anybody until they are
// released, nor teaches a model, and what was joined stays so.
func TestRestrictedAreNotMatched(t *testing.T) {
	l := &limited{ledgerOf: newLedger(t), names: map[identity.Key]string{}}
	w := newTown(testSeed(t), 60)
	l.world.Add(w.events...)
	l.world.Flush(t.Context())
	first := l.run("")
	model := first.Model.Version
	all, err := l.job().reader.all(t.Context(), []string{"firstName", "lastName", "name"})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all.holders {
		l.names[h.record.key] = h.record.id
	}
	worker := l.worker()
	l.look(worker)
	before := l.standing(model)
	pairs := l.matched(model)
	if len(pairs) < 3 {
		t.Fatalf("%d pairs to join: the test shows nothing", len(pairs))
	}
	ana, bob, eve := pairs[0], pairs[1], pairs[2]
	l.world.Person(identifierOf(bob[0]), identifierOf(bob[1]))
	l.world.Flush(t.Context())
	bobs := pairOf(l.key(bob[0]), l.key(bob[1]))

	l.restrict(true, identifierOf(ana[0]), identifierOf(bob[1]))
	l.look(worker)
	barred := func(what string) {
		t.Helper()
		if of := l.of(model, ana[0]); len(of) > 0 {
			t.Errorf("%s: the restricted are in %d pairs", what, len(of))
		}
		for _, record := range bob {
			if of := l.of(model, record); !cmp.Equal(of, map[pair]int64{bobs: before[bobs]}) {
				t.Errorf("%s: of the restricted whom a score had joined stands %v, want their own pair as it was", what, of)
			}
		}
	}
	barred("restricted")
	// One who says the same as she does comes to know her no more than those before.
	again := w.events[slices.IndexFunc(w.events, func(e clickhousetest.Event) bool { return slices.Contains(e.Identifiers, identifierOf(ana[0])) })]
	again.MessageID, again.Identifiers, again.Received = "again", []string{"record:crm/again"}, l.clock
	again.Time = again.Time.Add(time.Minute)
	l.world.Add(again)
	l.world.Flush(t.Context())
	l.look(worker)
	barred("a new record of the same words")
	// Evidence joins whom it joins; the restriction comes along.
	l.world.Person(identifierOf(ana[0]), identifierOf(eve[0]))
	l.world.Flush(t.Context())
	l.look(worker)
	barred("merged")
	if of := l.of(model, eve[0]); len(of) > 0 {
		t.Errorf("one who was merged into a restricted profile is in %d pairs", len(of))
	}
	// A batch run reads what one that learns a model reads.
	if r := l.run(model); r.Scored+r.Withdrew != 0 || r.Records != first.Records+1-4 {
		t.Errorf("a batch run scores %d and withdraws %d pairs of %d records, the worker has done all, of all %d but four", r.Scored, r.Withdrew, r.Records, first.Records+1)
	}

	l.restrict(false, identifierOf(ana[0]), identifierOf(bob[1]))
	l.look(worker)
	after := l.standing(model)
	for p := range before {
		if _, stands := after[p]; !stands {
			t.Errorf("a pair of %s and %s does not stand after the release", l.names[p.low], l.names[p.high])
		}
	}
	if len(l.of(model, "crm/again")) == 0 {
		t.Error("a record that came meanwhile is in no pair after the release")
	}
	l.forget()
	deps := l.deps()
	deps.Clock = func() time.Time { // First asked when a look has read who is restricted.
		if l.revision == 4 {
			l.restrict(true, identifierOf(ana[0]))
		}
		l.clock = l.clock.Add(time.Millisecond)
		return l.clock
	}
	if worker, err = NewWorker(l.cfg, deps); err != nil {
		t.Fatal(err)
	}
	l.look(worker)
	if of := l.of(model, ana[0]); len(of) > 0 || len(l.standing(model)) == 0 {
		t.Errorf("one who is restricted while all are scored is in %d pairs", len(of))
	}
}
