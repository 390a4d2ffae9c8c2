package matching

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
)

// town makes events of invented people: users and records of a CRM, some of one
// person, some of whom say something else later.
type town struct {
	r      *rand.Rand
	events []clickhousetest.Event
	at     time.Time
}

var (
	givenNames = []string{"Ana", "Maria", "João", "Rita", "Pedro", "Carla", "Nuno", "Inês", "Rui", "Teresa", "Vasco", "Leonor"}
	surnames   = []string{"Silva", "Santos", "Costa", "Pereira", "Quintanilha", "Vilhena", "Sequeira", "Brandão", "Lobo", "Rego"}
	cities     = []string{"Lisboa", "Porto", "Évora", "Faro", "Braga"}
)

type person struct{ first, last, birthday, street, city string }

func (w *town) person() person {
	return person{
		givenNames[w.r.IntN(len(givenNames))], surnames[w.r.IntN(len(surnames))],
		fmt.Sprintf("19%02d-%02d-%02d", 40+w.r.IntN(60), 1+w.r.IntN(12), 1+w.r.IntN(28)),
		fmt.Sprintf("Rua %s %d", surnames[w.r.IntN(len(surnames))], 1+w.r.IntN(80)), cities[w.r.IntN(len(cities))],
	}
}

// slip mistypes one letter, now and then.
func (w *town) slip(s string) string {
	if b := []rune(s); w.r.IntN(4) == 0 && len(b) > 3 {
		i := 1 + w.r.IntN(len(b)-2)
		b[i], b[i+1] = b[i+1], b[i]
		return string(b)
	}
	return s
}

func (w *town) say(ids []string, traits map[string]any) {
	w.at = w.at.Add(time.Minute)
	w.events = append(w.events, clickhousetest.Event{
		MessageID: fmt.Sprint("m", len(w.events)), Name: "identify", Type: "identify", Time: w.at, Identifiers: ids, Traits: traits,
	})
}

// user and record say who somebody is, in two spellings.
func (w *town) user(id int, p person) {
	ids := []string{fmt.Sprint("user_id:u", id)}
	if w.r.IntN(2) == 0 {
		ids = append(ids, fmt.Sprint("anonymous_id:c", w.r.IntN(500)))
	}
	w.say(ids, map[string]any{
		"firstName": w.slip(p.first), "lastName": w.slip(p.last), "birthday": p.birthday, "plan": "gold",
		"address": map[string]any{"street": w.slip(p.street), "city": p.city},
	})
}

func (w *town) record(id int, p person) {
	w.say([]string{fmt.Sprint("record:crm/", id)}, map[string]any{
		"name": w.slip(p.first) + " " + w.slip(p.last), "date of birth": p.birthday, "street": p.street, "city": w.slip(p.city),
	})
}

func newTown(seed uint64, people int) *town {
	w := &town{r: rand.New(rand.NewPCG(seed, 3)), at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for id := range people {
		p := w.person()
		w.user(id, p)
		if w.r.IntN(3) > 0 {
			w.record(id, p)
		} else {
			w.record(id, w.person())
		}
		switch w.r.IntN(8) {
		case 0: // moves, and marries
			p.last, p.street, p.city = w.person().last, w.person().street, w.person().city
			w.user(id, p)
		case 1: // wants to be forgotten
			w.say([]string{fmt.Sprint("record:crm/", id)}, map[string]any{"name": nil, "date of birth": nil, "street": nil, "city": nil})
		case 2: // the CRM was wrong: somebody else
			w.record(id, w.person())
		case 3: // a login in the import of a record: it is the record's word
			w.say([]string{fmt.Sprint("record:crm/x", id), fmt.Sprint("user_id:u", id)}, map[string]any{"name": "Zacarias Zimbro", "street": "Beco 1"})
		}
	}
	return w
}

func testSeed(t *testing.T) uint64 {
	seed := uint64(1)
	if s := os.Getenv("KINDRED_TEST_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	return seed
}

// TestStreamEqualsBatch: in whatever order the events of records arrive, the scores
// that stand are those that a batch run by the same model makes of all of them.
func TestStreamEqualsBatch(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	seed := testSeed(t)
	t.Run("following", func(t *testing.T) { testStream(t, seed, false) })
	t.Run("late, and dying at any moment", func(t *testing.T) { testStream(t, seed, true) })
}

// arrivals stores events in parts.
type arrivals struct {
	*ledgerOf
	*town
	r        *rand.Rand
	hostile  bool
	received time.Time
}

func (a *arrivals) arrive(n int) {
	a.clock = a.clock.Add(time.Duration(a.r.IntN(30)) * time.Second)
	for i := range a.events[:n] {
		a.received = a.received.Add(time.Duration(a.r.IntN(3)) * time.Second)
		if a.events[i].Received = a.received; a.hostile && a.r.IntN(10) == 0 { // out of order, some beyond the overlap
			a.events[i].Received = a.received.Add(-time.Duration(a.r.IntN(200)) * time.Second)
		}
	}
	a.world.Add(a.events[:n]...)
	a.world.Flush(a.t.Context())
	a.events = a.events[n:]
}

// trouble replaces the worker, or lets its publications fail.
func (a *arrivals) trouble(w *Worker) *Worker {
	switch a.r.IntN(6) {
	case 0:
		return a.worker()
	case 1:
		a.fails = true
		if _, err := w.Look(a.t.Context()); err != nil && !errors.Is(err, errLedger) {
			a.t.Fatal(err)
		}
		a.fails, a.clock = false, a.clock.Add(time.Minute) // It rests after a failure.
	}
	return w
}

func testStream(t *testing.T, seed uint64, hostile bool) {
	a := &arrivals{
		ledgerOf: newLedger(t), town: newTown(seed, 160), r: rand.New(rand.NewPCG(seed, 4)), hostile: hostile,
		received: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
	}
	a.r.Shuffle(len(a.events), func(i, j int) { a.events[i], a.events[j] = a.events[j], a.events[i] })
	a.arrive(len(a.events) / 3) // A first part is there when the model is learnt.
	model := a.run("").Model.Version
	worker := a.worker()
	a.look(worker)
	for len(a.events) > 0 {
		a.arrive(min(len(a.events), 1+a.r.IntN(60)))
		if hostile {
			worker = a.trouble(worker)
		}
		a.look(worker)
	}
	if hostile {
		a.clock = a.clock.Add(time.Minute)
		a.look(worker)
	} else if loads := testutil.ToFloat64(worker.metrics.looks.WithLabelValues("load", "done")); loads != 1 {
		t.Errorf("everything was read %v times", loads)
	}
	stream := a.standing(model)
	if len(a.untied) > 0 {
		t.Errorf("%d records of users were scored before they were tied, such as %s", len(a.untied), a.untied[0])
	}
	a.forget()
	batch := a.run(model)
	if want := a.standing(model); len(want) < 70 || len(want) != batch.Pairs {
		t.Fatalf("the batch has %d pairs, %d stored: the test shows nothing", batch.Pairs, len(want))
	} else if diff := cmp.Diff(want, stream); diff != "" {
		t.Errorf("%d pairs by stream, %d by batch:\n%.1500s", len(stream), len(want), diff)
	}
}

// TestRecords: who is a record, and what it says.
func TestRecords(t *testing.T) {
	l := newLedger(t)
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	add := func(minutes int, id string, ids []string, traits map[string]any) {
		l.world.Add(clickhousetest.Event{MessageID: id, Time: at.Add(time.Duration(minutes) * time.Minute), Identifiers: ids, Traits: traits})
	}
	add(5, "m1", []string{"user_id:7"}, map[string]any{"firstName": "Ana", "lastName": "Silva"})
	add(3, "m2", []string{"user_id:7", "email:ana@example.com"}, map[string]any{"firstName": "Older", "city": "Porto", "color": "red"})
	add(9, "m3", []string{"user_id:7"}, map[string]any{"lastName": nil})
	add(4, "m4", []string{"record:crm/1", "user_id:7"}, map[string]any{"name": "Rita Costa"})
	add(4, "m5", []string{"email:else@example.com"}, map[string]any{"firstName": "Nobody"})
	add(4, "m6", []string{"user_id:8"}, map[string]any{"color": "blue"})
	add(4, "m7", []string{"record:user_id/7"}, map[string]any{"firstName": "Forged"})
	l.world.Flush(t.Context())
	j := l.job()
	traits, err := j.reader.traits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := j.reader.all(t.Context(), traits)
	if err != nil {
		t.Fatal(err)
	}
	some, err := j.reader.some(t.Context(), traits, map[uint64]identity.Identifier{uint64(l.world.Key("user_id:7")): {Namespace: identity.UserID, Value: "7"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"user_id/7": "Ana||||||||Porto|||||", "crm/1": "rita|costa||||||||||||"}
	got := map[string]string{}
	for _, r := range all.telling() {
		got[r.id] = joined(r.values)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	one := some.telling()
	if len(one) != 1 || joined(one[0].values) != want["user_id/7"] {
		t.Fatalf("read alone: %d records", len(one))
	}
	e := one[0].evidence("main", l.world.Keyer)
	first := at.Add(3 * time.Minute).UnixMilli()
	if e.Span.FirstEvent != first || e.Source != Source || e.Rule != Rule || len(e.Members) != 2 || e.Members[0].Value != "7" || e.Members[1].Value != "user_id/7" || e.Members[1].Key != one[0].key {
		t.Errorf("evidence is %+v, first at %d", e, first)
	}
}

func joined(values []string) string {
	text := ""
	for i, v := range values {
		if i > 0 {
			text += "|"
		}
		text += v
	}
	return text
}
