package features

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

const hours = time.Hour

// moment is the as_of of the tests.
var moment = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func before(days float64) time.Time {
	return moment.Add(-time.Duration(days * float64(24*time.Hour))).Truncate(time.Millisecond)
}

// oracle works features out of a list of events, one profile at a time, by loops.
type oracle struct {
	world  *clickhousetest.World
	events []clickhousetest.Event
	then   map[identity.Key]identity.ProfileID // at the moment, where it is not the key
}

// owner is whose an event was at the moment.
func (o *oracle) owner(e clickhousetest.Event) identity.ProfileID {
	var ids []identity.Identifier
	for _, text := range e.Identifiers {
		id, err := identity.ParseIdentifier(text)
		if err != nil {
			o.world.T.Fatal(err)
		}
		ids = append(ids, id)
	}
	members, _ := o.world.Keyer.Members(ids)
	if p, ok := o.then[members[0].Key]; ok {
		return p
	}
	return identity.ProfileID(members[0].Key)
}

// known are the events of each profile that were known at the moment, by their age.
func (o *oracle) known() map[identity.ProfileID][]clickhousetest.Event {
	all := map[identity.ProfileID][]clickhousetest.Event{}
	for _, e := range o.events {
		if e.Time.Before(moment) && e.Received.Before(moment) {
			all[o.owner(e)] = append(all[o.owner(e)], e)
		}
	}
	return all
}

func days(e clickhousetest.Event) float64 { return moment.Sub(e.Time).Hours() / 24 }

// features are those of one profile that the oracle knows.
func (o *oracle) features(events []clickhousetest.Event) map[string]float64 {
	f := map[string]float64{"events": float64(len(events)), "since_last_event": math.Inf(1), "since_order": math.NaN(), "since[A]": math.NaN(), "last_nps": math.NaN()}
	active := map[string]map[int]bool{}
	var answered time.Time
	for _, e := range events {
		age := days(e)
		f["since_last_event"], f["since_first_event"] = min(f["since_last_event"], age), max(f["since_first_event"], age)
		for _, w := range []int{7, 30, 90, 365} {
			if age > float64(w) {
				continue
			}
			name := fmt.Sprintf("_%dd", w)
			f["events"+name]++
			if active[name] == nil {
				active[name] = map[int]bool{}
			}
			active[name][int(math.Ceil(age))] = true
			if w == 90 && e.Name == "A" {
				f["count_90d[A]"]++
			}
			if w == 90 && e.Contact != nil && e.Contact.Action == "sent" {
				f["contacts_90d"]++
			}
		}
		if e.Name == "A" && !(f["since[A]"] <= age) {
			f["since[A]"] = age
		}
		if e.Voice != nil && e.Time.After(answered) {
			answered, f["last_nps"] = e.Time, *e.Voice.Score
		}
	}
	for name, days := range active {
		f["active_days"+name] = float64(len(days))
	}
	o.orders(f, events)
	return f
}

// orders folds the messages about orders.
func (o *oracle) orders(f map[string]float64, events []clickhousetest.Event) {
	f["since_last_order"] = math.NaN()
	type order struct {
		placed, told time.Time
		last         clickhousetest.Event
	}
	all := map[string]*order{}
	for _, e := range events {
		if e.Order == nil {
			continue
		}
		one := all[e.Order.ID]
		if one == nil {
			one = &order{placed: e.Time}
			all[e.Order.ID] = one
		}
		if e.Time.Before(one.placed) {
			one.placed = e.Time
		}
		if e.Time.After(one.told) {
			one.told, one.last = e.Time, e
		}
	}
	for _, one := range all {
		if one.last.Order.Status == "cancelled" {
			continue
		}
		age := moment.Sub(one.placed).Hours() / 24
		f["orders"]++
		if !(f["since_last_order"] <= age) {
			f["since_last_order"] = age
		}
		amount, _ := strconv.ParseFloat(one.last.Order.Amount, 64)
		if one.last.Order.Currency != "EUR" {
			amount = 0
		}
		f["spend"] += amount
		if age <= 365 {
			f["orders_365d"]++
			f["spend_365d"] += amount
		}
	}
}

// compare holds rows against the oracle; it returns what differs.
func (o *oracle) compare(c Catalogue, rows map[identity.ProfileID][]float32) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	known, names := o.known(), c.Names()
	for id, events := range known {
		row, there := rows[id]
		if !there {
			fault("%v has no row", id)
			continue
		}
		for name, want := range o.features(events) {
			at := slices.Index(names, name)
			if at < 0 {
				continue
			}
			got := float64(row[at])
			if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-4*max(1, math.Abs(want)) {
				fault("%v: %s is %v, want %v", id, name, got, want)
			}
		}
	}
	for id := range rows {
		if known[id] == nil {
			fault("%v has a row without an event", id)
		}
	}
	return faults
}

func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// history draws events of some people, known and not yet known at the moment.
func history(r *rand.Rand, people int) (known, later []clickhousetest.Event) {
	for i := range 40 * people {
		p := r.IntN(people)
		ids := [][]string{{fmt.Sprintf("anonymous_id:a%d", p)}, {fmt.Sprintf("email:p%d@example.com", p)}, {fmt.Sprintf("anonymous_id:a%d", p), fmt.Sprintf("email:p%d@example.com", p)}}[r.IntN(3)]
		e := clickhousetest.Event{
			MessageID: fmt.Sprint(i), Name: []string{"A", "B", "C"}[r.IntN(3)], Identifiers: ids,
			Time: before(-20 + 150*math.Pow(r.Float64(), 2)*float64(1+r.IntN(3))),
		}
		e.Received = e.Time
		if r.IntN(5) == 0 {
			e.Received = e.Time.Add(time.Duration(r.IntN(1000)) * hours)
		}
		switch r.IntN(6) {
		case 0, 1:
			e.Kind, e.Name = "transaction", "Order Completed"
			e.Order = &clickhousetest.Order{
				Type: "order", ID: fmt.Sprintf("o%d-%d", p, r.IntN(4)), Amount: fmt.Sprintf("%d.5", r.IntN(90)),
				Status: []string{"completed", "completed", "cancelled"}[r.IntN(3)], Currency: []string{"EUR", "EUR", "EUR", "USD"}[r.IntN(4)],
			}
		case 2:
			e.Kind, e.Name = "contact", "Message"
			e.Contact = &clickhousetest.Contact{Action: []string{"sent", "opened"}[r.IntN(2)], Channel: "email"}
		case 3:
			e.Kind, e.Name = "feedback", "Answer"
			score := float64(r.IntN(11))
			e.Voice = &clickhousetest.Voice{Medium: "feedback", Score: &score}
		}
		if e.Time.Before(moment) && e.Received.Before(moment) {
			known = append(known, e)
		} else {
			later = append(later, e)
		}
	}
	return known, later
}

// rowsOf reads all rows by present or by past id.
func rowsOf(t *testing.T, r *Reader, q Request) map[identity.ProfileID][]float32 {
	t.Helper()
	all := map[identity.ProfileID][]float32{}
	if err := r.Each(t.Context(), q, func(row Row) error {
		if all[row.Profile] != nil {
			t.Errorf("%v has two rows", row.Profile)
		}
		all[row.Profile] = slices.Clone(row.Numbers)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestOracle compares random histories with the oracle: orders told several times, late
// events, what comes after the moment, and people who become one or two after it.
func TestOracle(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	conn := warehousetest.NewTestDatabase(t)
	random := seeded(t)
	w := clickhousetest.New(t, conn, "main")
	const people = 12
	known, later := history(random, people)
	o := &oracle{world: w, then: map[identity.Key]identity.ProfileID{}}
	for i := range people { // Half of them are one person per cookie and address.
		if cookie, address := fmt.Sprintf("anonymous_id:a%d", i), fmt.Sprintf("email:p%d@example.com", i); i%2 == 0 {
			p := w.Person(cookie, address)
			o.then[w.Key(cookie)], o.then[w.Key(address)] = p, p
		}
	}
	w.ChangedAt = before(400)
	w.Add(known...)
	w.Flush(t.Context())
	for i := range people { // Others become one later, and some again two.
		if cookie, address := fmt.Sprintf("anonymous_id:a%d", i), fmt.Sprintf("email:p%d@example.com", i); i%2 == 1 {
			w.Person("email:p0@example.com", cookie, address)
		} else if i%4 == 0 {
			w.Person(address)
		}
	}
	w.ChangedAt = before(-1)
	w.Add(later...)
	w.Flush(t.Context())
	o.events = append(known, later...)
	r, err := New(Deps{Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	c := Catalogue{Events: []string{"A", "B"}, Currency: "EUR"}
	q := Request{Workspace: "main", AsOf: moment, Knowledge: Received, Catalogue: c}
	rows := rowsOf(t, r, q)
	for _, f := range o.compare(c, rows) {
		t.Error(f)
	}
	if len(later) < people || len(rows) < people {
		t.Errorf("%d later events and %d rows", len(later), len(rows))
	}
	// With today's reading, and with what came late, it must differ: the oracle sees it.
	q.Knowledge = EventTime
	if faults := o.compare(c, rowsOf(t, r, q)); len(faults) == 0 {
		t.Error("the reading of today makes no difference")
	}
	// Some rows are those of all.
	q.AsOf, q.Knowledge = before(-30), Received
	all := rowsOf(t, r, q)
	for id := range all {
		q.Profiles = append(q.Profiles, id)
		if len(q.Profiles) == 5 {
			break
		}
	}
	some := rowsOf(t, r, q)
	if len(some) != 5 {
		t.Errorf("%d rows of 5 profiles", len(some))
	}
	for id, row := range some {
		if !slices.EqualFunc(row, all[id], func(a, b float32) bool { return a == b || a != a && b != b }) {
			t.Errorf("%v alone is %v, and %v among all", id, row, all[id])
		}
	}
}
