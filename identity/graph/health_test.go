package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// TestHealthAndSubgraphsAreTrue compares both with the oracle and with bridges
// found by taking away one pair after the other.
func TestHealthAndSubgraphsAreTrue(t *testing.T) {
	bridges := 0
	for seed := range (testCount(t) + 2) / 3 {
		r := rand.New(rand.NewPCG(uint64(seed), 13))
		w := randomWorld(r, 1+r.IntN(80))
		g, o := w.graph(), oracle.New(w.rules)
		for _, e := range erasuresFirst(slices.Clone(w.entries)) {
			e.tell(g)
			e.tell(o)
		}
		g.Flush()
		j := newJudge(w, g, o.Evaluate())
		h := g.Health(1000)
		if err := j.judgeHealth(h); err != nil {
			t.Fatalf("seed %d: %+v: %v", seed, h, err)
		}
		bridges += len(h.Weakest)
		for p := range j.profiles() {
			if err := j.judgeSubgraph(g.Subgraph(p, 1000)); err != nil {
				t.Fatalf("seed %d: subgraph %v: %+v: %v", seed, p, g.Subgraph(p, 1000), err)
			}
		}
		if err := check(g); err != nil {
			t.Fatalf("seed %d: reading changed the graph: %v", seed, err)
		}
		short := g.Health(1)
		if len(short.Largest) > 1 || len(h.Largest) > 0 && short.Largest[0] != h.Largest[0] {
			t.Fatalf("seed %d: the first of many is not the one of one: %+v %+v", seed, short, h)
		}
	}
	if bridges == 0 && testCount(t) > 100 {
		t.Error("no profile had a bridge")
	}
}

// profiles returns the living identifiers of each profile but household values.
func (j *judge) profiles() map[identity.ProfileID][]identity.Key {
	profiles := map[identity.ProfileID][]identity.Key{}
	for k := range j.ns {
		if p, ok := j.r.Profile[k]; ok && !j.odd(k) {
			profiles[p] = append(profiles[p], k)
		}
	}
	return profiles
}

func (j *judge) judgeHealth(h identity.Health) error {
	if h.Profiles != j.r.Profiles || h.Merges != j.r.Merges || h.Generic != len(j.r.Generic) || len(h.Generics) != h.Generic {
		return fmt.Errorf("want %d profiles, %d merges, %d generic", j.r.Profiles, j.r.Merges, len(j.r.Generic))
	}
	sum := 0
	for _, n := range h.Sizes {
		sum += n
	}
	if sum != h.Profiles || len(h.Largest) != h.Profiles {
		return fmt.Errorf("sizes hold %d profiles, largest %d", sum, len(h.Largest))
	}
	for _, v := range h.Generics {
		if !j.r.Generic[v.Key] || v.Neighbours != j.most(v.Key) {
			return fmt.Errorf("generic %+v has %d", v, j.most(v.Key))
		}
	}
	if c := j.g.Counts(); c.Profiles != h.Profiles || c.Generic != h.Generic || len(h.Largest) > 0 && c.Largest != h.Largest[0].Identifiers {
		return fmt.Errorf("counts %+v", c)
	}
	weakest := map[identity.ProfileID]int{}
	for p, members := range j.profiles() {
		if smaller := j.weakest(members); smaller > 0 {
			weakest[p] = smaller
		}
	}
	got := map[identity.ProfileID]int{}
	for _, b := range h.Weakest {
		got[b.Profile] = b.Smaller
		if n := j.part(j.profiles()[b.Profile], pairOf(b.A, b.B)); n != b.Smaller {
			return fmt.Errorf("without %x, %x the smaller part is %d", b.A, b.B, n)
		}
	}
	if d := gocmp.Diff(weakest, got); d != "" {
		return fmt.Errorf("weakest (-want +got):\n%s", d)
	}
	return nil
}

// most is the greatest number of neighbours in a namespace as strong.
func (j *judge) most(k identity.Key) (n int) {
	for _, ns := range j.ns {
		if j.w.rules.Rule(ns).Rank <= j.w.rules.Rule(j.ns[k]).Rank {
			n = max(n, j.neighbours(k, ns))
		}
	}
	return n
}

// weakest takes away one pair after the other.
func (j *judge) weakest(members []identity.Key) (smaller int) {
	counted := 0
	for _, k := range members {
		if !j.r.Generic[k] && !j.r.Blocked[k] {
			counted++
		}
	}
	if counted < 3 {
		return 0
	}
	for i, a := range members {
		for _, b := range members[:i] {
			p := pairOf(a, b)
			_, isScored := j.scores[p]
			if j.why.Eligible[p] || isScored && j.read[p] {
				smaller = max(smaller, j.part(members, p))
			}
		}
	}
	return smaller
}

// part returns the smaller part of members when all of p but a must-link is
// taken away; 0 where they hold together. A pair that is both evidence and a
// score does not part them.
func (j *judge) part(members []identity.Key, p [2]identity.Key) int {
	_, isScored := j.scores[p]
	double := j.why.Eligible[p] && isScored && j.read[p] && j.why.Super[p[0]] != j.why.Super[p[1]]
	holds := func(a, b identity.Key) bool {
		q := pairOf(a, b)
		if j.stands(identity.MustLink, a, b) && !j.r.Blocked[a] && !j.r.Blocked[b] {
			return true
		}
		if q == p {
			return double
		}
		_, isScored := j.scores[q]
		return j.why.Eligible[q] || isScored && j.read[q] && j.why.Super[a] != j.why.Super[b]
	}
	reached := map[identity.Key]bool{members[0]: true}
	for grown := true; grown; {
		grown = false
		for _, a := range members {
			for _, b := range members {
				if reached[a] && !reached[b] && holds(a, b) {
					reached[b], grown = true, true
				}
			}
		}
	}
	return min(len(reached), len(members)-len(reached))
}

func (j *judge) judgeSubgraph(s Subgraph) error {
	var want, got []identity.Key
	for k := range j.ns {
		if j.r.Profile[k] == s.Profile && !j.odd(k) {
			want = append(want, k)
		}
	}
	for _, n := range s.Identifiers {
		got = append(got, n.Key)
		if (n.State == "generic") != (j.r.Generic[n.Key] && !j.r.Blocked[n.Key]) || (n.State == "blocked") != j.r.Blocked[n.Key] {
			return fmt.Errorf("state of %+v", n)
		}
		if n.Follows != 0 && j.why.Ties[pairOf(n.Key, n.Follows)] != identity.HopFollows {
			return fmt.Errorf("%+v follows no one by this", n)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := gocmp.Diff(want, got); d != "" || s.Truncated {
		return fmt.Errorf("identifiers (-want +got):\n%s", d)
	}
	pairs := map[[2]identity.Key]bool{}
	for _, p := range s.Pairs {
		q := pairOf(p.A, p.B)
		if p.State == string(identity.HopFused) || p.State == string(identity.HopLinked) {
			continue
		}
		pairs[q] = true
		x, y := j.g.find(p.A), j.g.find(p.B)
		fusedPair := j.g.rep(x) == j.g.rep(y)
		switch kind := j.why.Dropped[q]; {
		case kind != "" && string(kind) != p.State:
			return fmt.Errorf("pair %+v was dropped by %s", p, kind)
		case kind == "" && !p.Links, p.State == "linking" != (j.why.Ties[q] != "") && !fusedPair:
			return fmt.Errorf("pair %+v: tie %q", p, j.why.Ties[q])
		}
	}
	for q := range j.why.Eligible {
		if j.r.Profile[q[0]] == s.Profile && j.r.Profile[q[1]] == s.Profile && !pairs[q] {
			return fmt.Errorf("pair %x is missing", q)
		}
	}
	return nil
}
