package graph

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// scaled is an attack of which a tenfold size must cost no more an event.
type scaled struct {
	name  string
	size  int // of the greater one
	event func(g *Graph, r *rand.Rand, i, size int)
	// random says that events are drawn: of more draws the worst is worse, up to
	// what C and the fan-outs allow, so only the mean is compared.
	random bool
}

// worstVisits bounds what one piece of evidence may look at, anywhere.
const worstVisits = 250_000

func recordOf(i int) identity.Node {
	return identity.Node{Key: key(5, i), Namespace: identity.Record}
}

// scorePair shows both records, then scores them.
func scorePair(g *Graph, i, a, b int, weight int64) {
	g.See(seen("import", at(i), recordOf(a)))
	g.See(seen("import", at(i), recordOf(b)))
	g.Score(recordOf(a), recordOf(b), "m1", weight, at(i))
}

func landlineOf(i int) identity.Node {
	return identity.Node{Key: key(6, i), Namespace: identity.Landline}
}

var scales = []scaled{
	{"star of 100 000 leaves", 100_000, func(g *Graph, _ *rand.Rand, i, _ int) {
		g.See(seen("server", at(i), nodeOf(0, 0), nodeOf(4, i)))
	}, false},
	{"kiosk with 50 000 people", 50_000, func(g *Graph, _ *rand.Rand, i, _ int) {
		g.See(seen("web", at(i), nodeOf(0, i), nodeOf(3, 0), nodeOf(4, 0)))
	}, false},
	{"bot with a million anonymous ids on one device", 1_000_000, func(g *Graph, _ *rand.Rand, i, _ int) {
		g.See(seen("web", at(i), nodeOf(3, 0), nodeOf(4, i)))
	}, false},
	{"chain of 50 000 scored pairs of one weight", 50_000, func(g *Graph, _ *rand.Rand, i, _ int) {
		scorePair(g, i, i, i+1, 900)
	}, false},
	{"star of 50 000 scored pairs", 50_000, func(g *Graph, _ *rand.Rand, i, _ int) {
		scorePair(g, i, 0, i+1, 900)
	}, false},
	{"20 000 scored pairs over 10 000 records, percolating", 20_000, func(g *Graph, r *rand.Rand, i, size int) {
		scorePair(g, i, r.IntN(size/2), r.IntN(size/2), 200+int64(r.IntN(1800)))
	}, true},
	{"landline of 50 000 people", 50_000, func(g *Graph, _ *rand.Rand, i, _ int) {
		g.See(seen("server", at(i), nodeOf(0, i), landlineOf(0)))
	}, false},
	{"50 000 landlines of one courier", 50_000, func(g *Graph, _ *rand.Rand, i, _ int) {
		g.See(seen("server", at(i), nodeOf(0, 0), landlineOf(i)))
	}, false},
	{"40 000 pairs of 20 000 people and landlines, percolating", 40_000, func(g *Graph, r *rand.Rand, i, size int) {
		g.See(seen("server", at(i), nodeOf(0, r.IntN(size/2)), landlineOf(r.IntN(size/2))))
	}, true},
}

// effort is what events cost: edges looked at, a count that holds anywhere.
type effort struct {
	events int
	visits int64
	worst  int64
}

func (e *effort) add(visits int64) {
	e.events++
	e.visits += visits
	e.worst = max(e.worst, visits)
}

func (e *effort) mean() float64 { return float64(e.visits) / float64(e.events) }

// besieged is a graph under attack, with people who have nothing to do with it.
type besieged struct {
	g              *Graph
	attack, others effort
	told           map[identity.Key]identity.ProfileID
	rows           int
}

// flush evaluates, counts, and takes down the rows that would be written.
func (b *besieged) flush(e *effort, before int64) error {
	for _, m := range b.g.Flush().Moves {
		old, ok := b.told[m.Identifier]
		if !ok {
			old = identity.ProfileID(m.Identifier)
		}
		if old != m.Old || m.New == m.Old || b.g.Profile(m.Identifier) != m.New {
			return fmt.Errorf("row %+v is of an identifier whose profile did not change", m)
		}
		b.told[m.Identifier] = m.New
		b.rows++
	}
	e.add(b.g.count.visits - before)
	return nil
}

// complete reports an identifier whose profile changed without a row.
func (b *besieged) complete() error {
	for x := ref(1); x < b.g.nodes.end(); x++ {
		k := b.g.nodes.at(x).key
		told, ok := b.told[k]
		if !ok {
			told = identity.ProfileID(k)
		}
		if now := b.g.Profile(k); now != told {
			return fmt.Errorf("%x is in %v, no row says so: %v", k, now, told)
		}
	}
	return nil
}

// besiege runs an attack of a size, one flush an event. A person who has
// nothing to do with it comes by at every tenth.
func besiege(t *testing.T, a scaled, size int) *besieged {
	t.Helper()
	rules := identity.DefaultRules()
	rules.Untrusted, rules.ModelVersion = map[string]bool{"web": true}, "m1"
	b := &besieged{g: New(rules), told: map[identity.Key]identity.ProfileID{}}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range size {
		before := b.g.count.visits
		a.event(b.g, r, i, size)
		err := b.flush(&b.attack, before)
		if err == nil && i%10 == 0 {
			before, p := b.g.count.visits, 10_000_000+i/30
			kind := 3 + i/10%2
			b.g.See(seen("server", at(i), nodeOf(0, p), nodeOf(1, p), nodeOf(kind, p), landlineOf(p)))
			err = b.flush(&b.others, before)
		}
		if err == nil && (i+1)%(size/5) == 0 {
			err = b.complete()
		}
		if err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	return b
}

// strangers reports a bystander whose profile or household is not theirs alone.
func (b *besieged) strangers(size int) error {
	for p := 10_000_000; p < 10_000_000+size/30; p++ {
		id := b.g.Profile(key(0, p))
		household, _ := b.g.Household(id)
		if _, mates := b.g.Housemates(household); len(b.g.Members(id)) != 4 || len(mates) != 1 {
			return fmt.Errorf("bystander %d has %d identifiers and a household of %d", p, len(b.g.Members(id)), len(mates))
		}
	}
	return nil
}

// largest returns the size of the largest profile.
func (b *besieged) largest() int {
	sizes, largest := map[identity.ProfileID]int{}, 0
	for x := ref(1); x < b.g.nodes.end(); x++ {
		if n := b.g.nodes.at(x); n.flags&alive != 0 && !b.g.ns(x).rule.Household {
			sizes[b.g.present(x)]++
			largest = max(largest, sizes[b.g.present(x)])
		}
	}
	return largest
}

// TestScale: an attack of ten times the size costs no more an event, neither
// the attack nor others; no event looks at more than worstVisits edges; rows are
// written for the identifiers whose profile changed and no others; and no
// profile outgrows its cap.
func TestScale(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	for _, a := range scales {
		t.Run(a.name, func(t *testing.T) {
			small, big := besiege(t, a, a.size/10), besiege(t, a, a.size)
			for _, c := range []struct {
				who        string
				small, big *effort
			}{{"attack", &small.attack, &big.attack}, {"others", &small.others, &big.others}} {
				t.Logf("%s: edge visits per evidence %.2f, worst %d; at ten times the size %.2f, worst %d",
					c.who, c.small.mean(), c.small.worst, c.big.mean(), c.big.worst)
				if c.big.mean() > 1.1*c.small.mean() || !a.random && float64(c.big.worst) > 1.1*float64(c.small.worst) {
					t.Errorf("%s: the size makes it dearer", c.who)
				}
				if c.big.worst > worstVisits {
					t.Errorf("%s: one event looked at %d edges, want at most %d", c.who, c.big.worst, worstVisits)
				}
			}
			n, largest := len(big.told), big.largest()
			t.Logf("%d rows of %d identifiers; the largest profile has %d", big.rows, n, largest)
			if largest > big.g.rules.GroupCap {
				t.Errorf("a profile of %d identifiers, want at most %d", largest, big.g.rules.GroupCap)
			}
			if err := big.strangers(a.size); err != nil {
				t.Error(err)
			}
			if err := check(big.g); err != nil {
				t.Error(err)
			}
		})
	}
}
