package graph

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// parted is a cut through a profile: the pairs and scored pairs across it are
// to be rejected, and one cannot-link keeps the two sides apart.
type parted struct {
	leaving, staying map[identity.Key]bool
	rejects          map[[2]identity.Key]bool
	a, b             identity.Key // the two that are cannot-linked
}

func (p *parted) crosses(a, b identity.Key) bool {
	return p.leaving[a] && p.staying[b] || p.leaving[b] && p.staying[a]
}

// sever cuts a profile of g of two or more identifiers at random, or returns
// nil where there is none. It asks g for what an operator would be shown.
func sever(g *Graph, w *world, r *rand.Rand) *parted {
	var shared []identity.Key
	for _, n := range w.nodes {
		if len(g.Members(g.Profile(n.Key))) > 1 {
			shared = append(shared, n.Key)
		}
	}
	if len(shared) == 0 {
		return nil
	}
	p := &parted{leaving: map[identity.Key]bool{}, staying: map[identity.Key]bool{}, rejects: map[[2]identity.Key]bool{}}
	p.a = shared[r.IntN(len(shared))]
	members := g.Members(g.Profile(p.a))
	p.leaving[p.a] = true
	for _, k := range members {
		switch {
		case k == p.a:
		case p.b == 0 || r.IntN(2) == 0:
			p.b = k
			p.staying[k] = true
		default:
			p.leaving[k] = true
		}
	}
	for a := range p.leaving {
		for _, s := range g.Scores(a) {
			if p.staying[s.Other] {
				p.rejects[[2]identity.Key{min(a, s.Other), max(a, s.Other)}] = true
			}
		}
	}
	for _, e := range w.entries {
		if e.sighting == nil {
			continue
		}
		for i, x := range e.sighting.Members {
			for _, y := range e.sighting.Members[i+1:] {
				if p.crosses(x.Key, y.Key) {
					p.rejects[[2]identity.Key{min(x.Key, y.Key), max(x.Key, y.Key)}] = true
				}
			}
		}
	}
	return p
}

// decide says the cut, or takes it back.
func (p *parted) decide(l ledger, on bool) {
	at := int64(100)
	if !on {
		at++
	}
	for pair := range p.rejects {
		l.Decide(identity.Decision{Kind: identity.Reject, A: pair[0], B: pair[1], On: on, At: at, ID: "cut"})
	}
	l.Decide(identity.Decision{Kind: identity.CannotLink, A: min(p.a, p.b), B: max(p.a, p.b), On: on, At: at, ID: "cut"})
}

// never tells l the entries without what crosses the cut.
func (p *parted) never(l ledger, entries []entry) {
	for _, e := range entries {
		switch s := e.sighting; {
		case e.score != nil && p.crosses(e.score.a.Key, e.score.b.Key):
		case s == nil:
			e.tell(l)
		default:
			for i, x := range s.Members {
				if !e.pairOnly {
					l.SeeIdentifier(x, s.Source, s.Period, s.Span)
				}
				for _, y := range s.Members[i+1:] {
					if !p.crosses(x.Key, y.Key) {
						l.SeePair(x, y, s.Source, s.Period, s.Span)
					}
				}
			}
		}
	}
}

// undecided returns a world without decisions of operators.
func undecided(r *rand.Rand, size int) *world {
	w := randomWorld(r, size)
	w.entries = slices.DeleteFunc(w.entries, func(e entry) bool { return e.decision != nil })
	return w
}

// TestUnmergeEqualsNeverMerged cuts through whole profiles, scored pairs and
// households included; replays everything over the cut; and takes it back.
func TestUnmergeEqualsNeverMerged(t *testing.T) {
	cuts := 0
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 4))
		w := undecided(r, 1+r.IntN(60))
		entries := erasuresFirst(slices.Clone(w.entries))
		g, o, told := w.graph(), oracle.New(w.rules), newReplica()
		for _, e := range entries {
			e.tell(g)
			e.tell(o)
		}
		if err := told.apply(g, g.Flush(), entries); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		p := sever(g, w, r)
		if p == nil {
			continue
		}
		cuts++
		apart := oracle.New(w.rules)
		p.never(apart, entries)
		apart.Decide(identity.Decision{Kind: identity.CannotLink, A: min(p.a, p.b), B: max(p.a, p.b), On: true, At: 100, ID: "cut"})
		for _, step := range []struct {
			name string
			do   func()
			want *oracle.Oracle
		}{
			{"the unmerge", func() { p.decide(g, true) }, apart},
			{"a replay", func() {
				for _, e := range entries {
					if e.erase == 0 && e.expire == "" {
						e.tell(g)
					}
				}
			}, apart},
			{"the undo", func() { p.decide(g, false) }, o},
		} {
			step.do()
			err := told.apply(g, g.Flush(), nil)
			if err == nil {
				err = same(g, told, step.want.Evaluate(), w)
			}
			if err != nil {
				t.Errorf("seed %d: after %s: %v", seed, step.name, err)
				report(t, w, w.entries, []int{len(entries)})
				return
			}
			if step.want == apart && g.Profile(p.a) == g.Profile(p.b) {
				t.Fatalf("seed %d: %x and %x share a profile after %s", seed, p.a, p.b, step.name)
			}
		}
	}
	if cuts < testCount(t)/3 {
		t.Errorf("only %d ledgers had a profile to cut", cuts)
	}
}

// TestStrangersUntouched streams two worlds that share rules and nothing else
// into one graph: each has the profiles, tenures and households that it has
// alone, and the entries of one change nothing of the other.
func TestStrangersUntouched(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	for seed := range testCount(t) {
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		mine, theirs := randomWorld(r, 1+r.IntN(40)), randomWorld(r, 1+r.IntN(40))
		theirs.rules = mine.rules
		// An expiry is of a whole namespace, and so of both.
		theirs.entries = slices.DeleteFunc(theirs.entries, func(e entry) bool { return e.expire != "" })
		mine.entries = slices.DeleteFunc(mine.entries, func(e entry) bool { return e.expire != "" })
		g, alone := mine.graph(), [2]*oracle.Oracle{oracle.New(mine.rules), oracle.New(mine.rules)}
		worlds := [2]*world{mine, theirs}
		left := [2][]entry{erasuresFirst(mine.entries), erasuresFirst(theirs.entries)}
		keys := [2]map[identity.Key]bool{keysOf(mine), keysOf(theirs)}
		for len(left[0])+len(left[1]) > 0 {
			i := r.IntN(2)
			if len(left[i]) == 0 {
				i = 1 - i
			}
			n := 1 + r.IntN(min(4, len(left[i])))
			for _, e := range left[i][:n] {
				e.tell(g)
				e.tell(alone[i])
			}
			left[i] = left[i][n:]
			if k, ok := reaches(g.Flush(), keys[1-i]); ok {
				t.Fatalf("seed %d: strangers of %x changed it", seed, k)
			}
			for j, w := range worlds {
				if err := sameNodes(g, nil, alone[j].Evaluate(), w); err != nil {
					t.Fatalf("seed %d: world %d: %v", seed, j, err)
				}
			}
		}
	}
}

func keysOf(w *world) map[identity.Key]bool {
	keys := map[identity.Key]bool{}
	for _, n := range w.nodes {
		keys[n.Key] = true
	}
	return keys
}

// reaches returns one of keys that a change is about.
func reaches(c Changes, keys map[identity.Key]bool) (identity.Key, bool) {
	about := maps.Clone(keys)
	clear(about)
	for _, m := range c.Moves {
		about[m.Identifier] = true
	}
	for _, k := range c.Flipped {
		about[k] = true
	}
	for _, r := range c.Retold {
		about[r.Identifier] = true
	}
	for _, h := range c.Rehoused {
		about[identity.Key(h.Profile)] = true
	}
	for k := range about {
		if keys[k] {
			return k, true
		}
	}
	return 0, false
}
