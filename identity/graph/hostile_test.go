package graph

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// attack is a stream made to hurt, flushed after every event.
type attack struct {
	name   string
	events int
	event  func(g *Graph, r *rand.Rand, i int)
	// Bounds of the edges looked at, by an event on average and by the worst
	// one. They are counts, so they hold on any machine. Nearly all are the
	// size of a group or unit at its cap, or of a fan-out; none the size of the
	// stream.
	average float64
	worst   int64
}

func at(i int) int64 { return start + int64(i)*1000 }

// web is an untrusted sighting, server a trusted one, of what a function of
// the event's number names.
func web(f func(r *rand.Rand, i int) []identity.Node) func(*Graph, *rand.Rand, int) {
	return func(g *Graph, r *rand.Rand, i int) { g.See(seen("web", at(i), f(r, i)...)) }
}

func server(f func(r *rand.Rand, i int) []identity.Node) func(*Graph, *rand.Rand, int) {
	return func(g *Graph, r *rand.Rand, i int) { g.See(seen("server", at(i), f(r, i)...)) }
}

type nodes = []identity.Node

var attacks = []attack{
	{"star/a user with 100 000 cookies", 100_000, server(func(_ *rand.Rand, i int) nodes {
		return nodes{nodeOf(0, 0), nodeOf(4, i)}
	}), 1, 1100},
	{"bot/100 000 cookies on a device", 100_000, web(func(_ *rand.Rand, i int) nodes {
		return nodes{nodeOf(3, 0), nodeOf(4, i)}
	}), 3, 1100},
	{"kiosk/50 000 people on a device", 50_000, web(func(_ *rand.Rand, i int) nodes {
		return nodes{nodeOf(0, i), nodeOf(3, 0)}
	}), 1, 100},
	{"kiosk/50 000 people on a device and a cookie", 50_000, web(func(_ *rand.Rand, i int) nodes {
		return nodes{nodeOf(0, i), nodeOf(3, 0), nodeOf(4, 0)}
	}), 1, 200},
	{"hub/e-mail of 50 000 users", 50_000, server(func(_ *rand.Rand, i int) nodes {
		return nodes{nodeOf(0, i), nodeOf(1, 0)}
	}), 1, 100},
	{"fan of fans/100 devices of a user, 1 000 cookies each", 100_000, func(g *Graph, _ *rand.Rand, i int) {
		if i < 100 {
			g.See(seen("server", at(i), nodeOf(0, 0), nodeOf(3, i)))
		} else {
			g.See(seen("web", at(i), nodeOf(3, i%100), nodeOf(4, i)))
		}
	}, 15, 25_000},
	// A new founder each time: every identifier of the profile has a new id.
	{"backwards/each cookie of a user earlier than the last", 20_000, func(g *Graph, _ *rand.Rand, i int) {
		g.See(seen("server", at(20_000-i), nodeOf(0, 0), nodeOf(4, i%999), nodeOf(3, i%99)))
	}, 1200, 5000},
	{"backwards/a full profile, each cookie earlier than the last", 5_600, func(g *Graph, _ *rand.Rand, i int) {
		g.See(seen("server", at(8_000-i), nodeOf(3, i/900), nodeOf(4, i)))
		g.See(seen("server", at(8_000-i), nodeOf(0, 0), nodeOf(3, i/900)))
	}, 25_000, 60_000},
	{"chain/cookies", 100_000, web(func(_ *rand.Rand, i int) nodes {
		return nodes{nodeOf(4, i), nodeOf(4, i+1)}
	}), 10, 2000},
	{"chain/cookies, backwards in time", 100_000, func(g *Graph, _ *rand.Rand, i int) {
		g.See(seen("web", at(100_000-i), nodeOf(4, i), nodeOf(4, i+1)))
	}, 10, 2000},
	{"chain/devices and cookies", 100_000, web(func(_ *rand.Rand, i int) nodes {
		return nodes{nodeOf(3, i/2), nodeOf(4, (i+1)/2)}
	}), 10, 3000},
	{"chain/blocks toggled", 60_000, func(g *Graph, r *rand.Rand, i int) {
		if i < 20_000 {
			g.See(seen("web", at(i), nodeOf(4, i), nodeOf(4, i+1)))
			return
		}
		k := key(4, r.IntN(20_000))
		g.Decide(identity.Decision{Kind: identity.Block, A: k, On: r.IntN(2) == 0, At: int64(i), ID: strconv.Itoa(i)})
	}, 2500, 10_000},
	{"random/percolating without user ids", 60_000, web(func(r *rand.Rand, _ int) nodes {
		return nodes{nodeOf(1+r.IntN(4), r.IntN(10_000)), nodeOf(1+r.IntN(4), r.IntN(10_000))}
	}), 500, 20_000},
	{"random/percolating, few user ids", 60_000, web(func(r *rand.Rand, _ int) nodes {
		return nodes{nodeOf(r.IntN(5), r.IntN(8_000)), nodeOf(2+r.IntN(3), r.IntN(8_000))}
	}), 500, 20_000},
	{"random/dense with user ids", 60_000, server(func(r *rand.Rand, _ int) nodes {
		return nodes{nodeOf(r.IntN(5), r.IntN(5_000)), nodeOf(r.IntN(5), r.IntN(5_000))}
	}), 500, 20_000},
	{"fake logins/with an e-mail that is shielded", 100_000, func(g *Graph, _ *rand.Rand, i int) {
		source := "web"
		if i == 0 {
			source = "server"
		}
		g.See(seen(source, at(i), nodeOf(0, i), nodeOf(1, 0)))
	}, 1, 100},
	// The last event shields the e-mail: it must read all that was parked.
	{"fake logins/with an e-mail that nobody owns, until it has an owner", 100_000, func(g *Graph, _ *rand.Rand, i int) {
		source := "web"
		if i == 99_999 {
			source = "server"
		}
		g.See(seen(source, at(i), nodeOf(0, i), nodeOf(1, 0)))
	}, 5, 250_000},
	{"claims/900 cookies of a user, a stranger's cookie beside each", 90_000, func(g *Graph, _ *rand.Rand, i int) {
		if i < 900 {
			g.See(seen("server", at(i), nodeOf(0, 0), nodeOf(4, i)))
		} else {
			g.See(seen("web", at(i), nodeOf(4, i%900), nodeOf(4, i)))
		}
	}, 100, 20_000},
	{"linkage/the same, of a user whose record is linked", 20_000, func(g *Graph, _ *rand.Rand, i int) {
		switch {
		case i == 0:
			g.See(seen("server", at(i), nodeOf(0, 0), recordOf(0)))
			scorePair(g, i, 0, 1, 900)
		case i < 900:
			g.See(seen("server", at(i), nodeOf(0, 0), nodeOf(4, i)))
		default:
			g.See(seen("web", at(i), nodeOf(4, i%900), nodeOf(4, i)))
		}
	}, 1500, 30_000},
	{"linkage/a unit of 256 users, cookies for one of them", 20_000, func(g *Graph, _ *rand.Rand, i int) {
		if i < 256 {
			g.See(seen("server", at(i), nodeOf(0, i), recordOf(i)))
			scorePair(g, i, i, max(0, i-1), 900)
		} else {
			g.See(seen("server", at(i), nodeOf(0, 0), nodeOf(4, i)))
		}
	}, 200, 5000},
	{"linkage/a chain of scores toggled", 20_000, func(g *Graph, r *rand.Rand, i int) {
		if i < 5000 {
			scorePair(g, i, i, i+1, 900)
		} else {
			k := r.IntN(5000)
			g.Score(recordOf(k), recordOf(k+1), "m1", int64(r.IntN(2)*900), at(i))
		}
	}, 100, 5000},
	{"limits/a user with a new e-mail each minute", 50_000, server(func(_ *rand.Rand, i int) nodes {
		return nodes{nodeOf(0, 0), nodeOf(1, i), nodeOf(4, i)}
	}), 50, 20_000},
}

func TestHostileStreamsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			g := New(identity.DefaultRules())
			g.rules.Untrusted, g.rules.ModelVersion = map[string]bool{"web": true}, "m1"
			r := rand.New(rand.NewPCG(1, 1))
			worst, worstAt, worstTime := int64(0), 0, time.Duration(0)
			began := time.Now()
			for i := range a.events {
				before, now := g.count.visits, time.Now()
				a.event(g, r, i)
				g.Flush()
				if v := g.count.visits - before; v > worst {
					worst, worstAt = v, i
				}
				worstTime = max(worstTime, time.Since(now))
			}
			took := time.Since(began)
			s := g.Stats()
			average := float64(s.Visits) / float64(a.events)
			t.Logf("%.1f edge visits per event, worst %d at event %d; %.0f events/s, worst %v; %d B per identifier; %+v",
				average, worst, worstAt, float64(a.events)/took.Seconds(), worstTime, s.Bytes/s.Identifiers, s)
			if average > a.average || worst > a.worst {
				t.Errorf("want at most %.0f on average and %d", a.average, a.worst)
			}
			if err := check(g); err != nil {
				t.Error(err)
			}
		})
	}
}
