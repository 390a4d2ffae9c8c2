package live_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/live"
)

const day = 24 * time.Hour

// done is something that somebody did.
type done struct {
	person int
	name   string
	at     time.Time
	amount float64
}

// deeds are what one profile did.
type deeds []done

// within adds what was done under a name in a window that ends now.
func (d deeds) within(name string, window time.Duration, now time.Time) (count int, sum float64, all deeds) {
	for _, e := range d {
		if e.name == name && e.at.After(now.Add(-window)) && !e.at.After(now) {
			count, sum, all = count+1, sum+e.amount, append(all, e)
		}
	}
	return count, sum, all
}

func (d deeds) ever(name string) bool {
	return slices.ContainsFunc(d, func(e done) bool { return e.name == name })
}

// yearly are definitions and what they mean, written without SQL.
var yearly = map[segments.ID]struct {
	definition string
	holds      func(d deeds, now time.Time) bool
}{
	"recent": {`{"event":"View","within":"30d"}`, func(d deeds, now time.Time) bool {
		n, _, _ := d.within("View", 30*day, now)
		return n > 0
	}},
	"frequent": {`{"event":"View","count":{"gte":2},"within":"60d"}`, func(d deeds, now time.Time) bool {
		n, _, _ := d.within("View", 60*day, now)
		return n >= 2
	}},
	"few": {`{"event":"Cart","count":{"lte":1},"within":"7d"}`, func(d deeds, now time.Time) bool {
		n, _, _ := d.within("Cart", 7*day, now)
		return n <= 1
	}},
	"lapsed": {`{"all":[{"event":"View"},{"not":{"event":"View","within":"30d"}}]}`, func(d deeds, now time.Time) bool {
		n, _, _ := d.within("View", 30*day, now)
		return n == 0 && d.ever("View")
	}},
	"spender": {`{"event":"Buy","sum":"amount","is":{"gte":50},"within":"90d"}`, func(d deeds, now time.Time) bool {
		_, sum, _ := d.within("Buy", 90*day, now)
		return sum >= 50
	}},
	"funnel": {`{"sequence":[{"event":"View"},{"event":"Buy"}],"within":"14d"}`, func(d deeds, now time.Time) bool {
		_, _, views := d.within("View", 14*day, now)
		_, _, buys := d.within("Buy", 14*day, now)
		return slices.ContainsFunc(views, func(v done) bool {
			return slices.ContainsFunc(buys, func(b done) bool { return v.at.Before(b.at) })
		})
	}},
}

// windows are those of the definitions.
var windows = []time.Duration{0, 7 * day, 14 * day, 30 * day, 60 * day, 90 * day}

// year lets a year pass over some people.
type year struct {
	*stage
	random *rand.Rand
	worker *live.Worker
	log    []done
	in     map[segments.ID]map[identity.ProfileID]bool // as the changes that were told say
	told   int
}

// start begins anew with a worker that knows nothing, as after a restart.
func (y *year) start() {
	cfg := live.DefaultConfig()
	// A look every minute for a year is no more than one: here nothing fails and nothing has scores.
	cfg.Beat, cfg.Sweep = 1000*day, 20*day
	w, err := live.New(cfg, live.Deps{
		Conn: y.conn, Clock: func() time.Time { return y.now }, Publisher: y.stage.told,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	})
	y.check(err)
	y.worker = w
}

// happen stores something of somebody, some of it late and some of the future, or moves
// somebody between profiles.
func (y *year) happen() {
	person := y.random.IntN(4)
	if y.random.IntN(4) == 0 {
		ids := []string{user(person), user(y.random.IntN(4))}
		for _, when := range []string{"before", "after"} {
			if when == "after" {
				y.world.Person(ids[:1+y.random.IntN(2)]...)
			}
			for _, id := range ids {
				y.worker.Changed("main", y.world.Key(id), identity.Key(y.world.Profile(y.world.Key(id))))
			}
		}
	}
	for range 1 + y.random.IntN(3) {
		e := done{person, []string{"View", "View", "Cart", "Buy", "Noise"}[y.random.IntN(5)], y.now, float64(10 * (1 + y.random.IntN(4)))}
		switch y.random.IntN(4) {
		case 0:
			e.at = y.now.Add(-time.Duration(y.random.Int64N(int64(40 * day))))
		case 1:
			e.at = y.now.Add(time.Duration(y.random.Int64N(int64(20 * day))))
		}
		// No two at one time: which of them came first, their hashes would decide.
		e.at = e.at.Truncate(time.Second).Add(time.Duration(len(y.log)%1000) * time.Millisecond)
		y.log = append(y.log, e)
		y.world.Add(clickhousetest.Event{
			MessageID: fmt.Sprint("y", len(y.log)), Name: e.name, Time: e.at, Received: y.now, Identifiers: []string{user(person)},
			Properties: map[string]any{"amount": e.amount},
		})
		y.worker.Happened("main", e.name, y.world.Key(user(person)))
	}
	y.world.Flush(y.Context())
}

// members are those that the definitions mean at a time.
func (y *year) members(at time.Time) map[segments.ID]map[identity.ProfileID]bool {
	of := map[identity.ProfileID]deeds{}
	for _, e := range y.log {
		p := y.world.Profile(y.world.Key(user(e.person)))
		of[p] = append(of[p], e)
	}
	all := map[segments.ID]map[identity.ProfileID]bool{}
	for id, s := range yearly {
		all[id] = map[identity.ProfileID]bool{}
		for p, d := range of {
			if s.holds(d, at) {
				all[id][p] = true
			}
		}
	}
	return all
}

// same fails where the members that were told of are not those of a time.
func (y *year) same(at time.Time, when string) {
	y.Helper()
	for id, want := range y.members(at) {
		for p := range want {
			if !y.in[id][p] {
				y.Fatalf("%s %s: %s is not in %s", when, at.Format(time.RFC3339Nano), p, id)
			}
		}
		for p := range y.in[id] {
			if !want[p] {
				y.Fatalf("%s %s: %s is still in %s", when, at.Format(time.RFC3339Nano), p, id)
			}
		}
	}
}

// quiet holds every instant up to a time at which anything could change against the
// members that there are: the worker has said that until then it need not be asked.
func (y *year) quiet(until time.Time) (instants int) {
	y.Helper()
	for _, e := range y.log {
		for _, w := range windows {
			if at := e.at.Add(w); at.After(y.now) && at.Before(until) {
				y.same(at, "while nothing was due,")
				instants++
			}
		}
	}
	y.same(until.Add(-time.Millisecond), "just before")
	return instants + 1
}

// step has the worker do what is due, and takes what it tells.
func (y *year) step() (next time.Time) {
	y.Helper()
	next = y.stage.step(y.worker)
	for _, c := range y.stage.told.changes[y.told:] {
		if y.in[c.Segment] == nil {
			y.in[c.Segment] = map[identity.ProfileID]bool{}
		}
		if y.in[c.Segment][c.Profile] == c.Entered {
			y.Fatalf("told twice: %+v", c)
		}
		if delete(y.in[c.Segment], c.Profile); c.Entered {
			y.in[c.Segment][c.Profile] = true
		}
	}
	y.told = len(y.stage.told.changes)
	return next
}

// TestAYearOfLiveMembersIsThatOfTheDefinitions lets a year pass: from each due time or
// news to the next one, with late events, events of the future, people who move, and
// workers that are down for days or start anew. The members that were told of are those
// that the definitions mean at every instant, to the millisecond, at which the worker was
// up: between two steps nothing else can be one than event times and ends of windows.
func TestAYearOfLiveMembersIsThatOfTheDefinitions(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	seed, news := uint64(time.Now().UnixNano()), 8
	if n, err := strconv.ParseUint(os.Getenv("KINDRED_TEST_SEED"), 10, 64); err == nil {
		seed = n
	}
	if n, err := strconv.Atoi(os.Getenv("KINDRED_TEST_COUNT")); err == nil {
		news = max(news, n/20)
	}
	t.Logf("KINDRED_TEST_SEED=%d", seed)
	y := &year{stage: newStage(t), random: rand.New(rand.NewPCG(seed, 2)), in: map[segments.ID]map[identity.ProfileID]bool{}}
	for id, s := range yearly {
		y.define(id, 0, s.definition)
	}
	end := y.now.Add(365 * day)
	arrivals := []time.Time{y.now.Add(time.Hour), end}
	for range news - 1 {
		arrivals = append(arrivals, y.now.Add(time.Duration(y.random.Int64N(int64(365*day)))).Truncate(time.Millisecond))
	}
	slices.SortFunc(arrivals, time.Time.Compare)
	y.start()
	steps, instants := 0, 0
	for y.now.Before(end) {
		next := y.step()
		y.same(y.now, "at")
		steps++
		if arrivals[0].Before(next) {
			next = arrivals[0]
		}
		if !next.After(y.now) {
			next = y.now.Add(time.Millisecond)
		}
		switch y.random.IntN(12) {
		case 0: // Down for some days; the next one finds what has happened since.
			y.now = y.now.Add(time.Duration(y.random.Int64N(int64(12 * day)))).Truncate(time.Millisecond)
			y.start()
		case 1: // Killed, and started again when something is to be done.
			instants += y.quiet(next)
			y.now = next
			y.start()
		default:
			instants += y.quiet(next)
			y.now = next
		}
		for len(arrivals) > 0 && !arrivals[0].After(y.now) && y.now.Before(end) {
			arrivals = arrivals[1:]
			y.happen()
		}
	}
	t.Logf("%d changes by %d steps, and %d instants at which nothing was to change", y.told, steps, instants)
	least := news // A year of few arrivals can be a quiet one.
	if news >= 50 {
		least = 2 * news
	}
	if y.told < least {
		t.Errorf("only %d changes: the year tests nothing", y.told)
	}
}
