package graph

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// key makes a well-spread key out of a namespace number and a number.
func key(ns, i int) identity.Key {
	return identity.Key(mix(uint64(ns)<<48|uint64(i)+1)>>1 | 1)
}

var numbered = []identity.Namespace{
	identity.UserID, identity.Email, identity.Phone, identity.Device, identity.AnonymousID,
}

func nodeOf(ns, i int) identity.Node { return identity.Node{Key: key(ns, i), Namespace: numbered[ns]} }

// seen is a sighting at a time in milliseconds, received a second later.
func seen(source string, at int64, members ...identity.Node) identity.Sighting {
	return identity.Sighting{
		Members: members,
		Source:  source,
		Period:  identity.PeriodOf(time.UnixMilli(at)),
		Span: identity.Span{
			FirstEvent: at, FirstReceived: at + 1000,
			LastEvent: identity.DayOfMillis(at), LastReceived: identity.DayOfMillis(at + 1000),
		},
	}
}

const start = 1_700_000_000_000

// ordinary makes the events of people who browse with one to three cookies,
// sometimes on a phone app, and log in or leave an e-mail now and then. A third
// never say who they are.
type ordinary struct {
	r      *rand.Rand
	people int
	n      int
}

func newOrdinary(people int) *ordinary {
	return &ordinary{r: rand.New(rand.NewPCG(1, 9)), people: people}
}

func (o *ordinary) next() identity.Sighting {
	p := o.r.IntN(o.people)
	cookie := nodeOf(4, p*4+min(o.r.IntN(4), o.r.IntN(3)))
	at := start + int64(o.n)*1000
	o.n++
	switch k := o.r.IntN(10); {
	case p%3 == 0 || k < 6:
		return seen("web", at, cookie)
	case k < 8:
		return seen("web", at, nodeOf(0, p), cookie)
	case k == 8:
		return seen("server", at, nodeOf(0, p), nodeOf(1, p))
	default:
		return seen("web", at, nodeOf(0, p), nodeOf(3, p), cookie)
	}
}

// people is the number of people of the ordinary stream: a tenth of what the
// documented figures are for, unless KINDRED_BENCH_PEOPLE says otherwise.
func people(b *testing.B) int {
	s := os.Getenv("KINDRED_BENCH_PEOPLE")
	if s == "" {
		return 100_000
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		b.Fatalf("KINDRED_BENCH_PEOPLE: %v", err)
	}
	return n
}

func BenchmarkOrdinaryStream(b *testing.B) {
	n := people(b)
	for range b.N {
		g, events := New(identity.DefaultRules()), newOrdinary(n)
		g.rules.Untrusted = map[string]bool{"web": true}
		batch := make([]identity.Sighting, 1000)
		worst, took := time.Duration(0), time.Duration(0)
		for range 10 * n / len(batch) {
			for i := range batch {
				batch[i] = events.next()
			}
			began := time.Now()
			for _, s := range batch {
				g.See(s)
			}
			flushed := time.Now()
			g.Flush()
			worst = max(worst, time.Since(flushed))
			took += time.Since(began)
		}
		s := g.Stats()
		b.ReportMetric(float64(10*n)/took.Seconds(), "events/s")
		b.ReportMetric(float64(s.Bytes)/float64(s.Identifiers), "bytes/identifier")
		b.ReportMetric(float64(s.Visits)/float64(10*n), "visits/event")
		b.ReportMetric(worst.Seconds()*1000, "worst-flush-ms")
		b.Logf("%+v", s)
	}
}

// BenchmarkKnownPairs sees again what is known already, in random order.
func BenchmarkKnownPairs(b *testing.B) {
	g, o := New(identity.DefaultRules()), newOrdinary(people(b))
	events := make([]identity.Sighting, 4*o.people)
	for i := range events {
		events[i] = o.next()
		g.See(events[i])
	}
	g.Flush()
	o.r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	visits := g.count.visits
	b.ResetTimer()
	for i := range b.N {
		g.See(events[i%len(events)])
		if i%1000 == 999 {
			g.Flush()
		}
	}
	b.ReportMetric(float64(g.count.visits-visits)/float64(b.N), "visits/event")
}

// BenchmarkRebuild loads an ordinary ledger and evaluates it at once.
func BenchmarkRebuild(b *testing.B) {
	n := people(b)
	for range b.N {
		g, o := New(identity.DefaultRules()), newOrdinary(n)
		loaded := time.Duration(0)
		for range n {
			var batch [10]identity.Sighting
			for i := range batch {
				batch[i] = o.next()
			}
			began := time.Now()
			for _, s := range batch {
				g.See(s)
			}
			loaded += time.Since(began)
		}
		began := time.Now()
		g.Flush()
		b.ReportMetric(loaded.Seconds(), "load-s")
		b.ReportMetric(time.Since(began).Seconds(), "evaluate-s")
	}
}
