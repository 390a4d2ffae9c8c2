package graph

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/oracle"
)

// replica is what a reader of changes alone would know.
type replica struct {
	profile  map[identity.Key]identity.ProfileID
	tenures  map[identity.Key][]Tenure
	sets     [][]identity.Node
	deciding []identity.Key
	issued   map[identity.ProfileID]bool
	housed   map[identity.ProfileID]identity.HouseholdID
}

func newReplica() *replica {
	return &replica{
		profile: map[identity.Key]identity.ProfileID{},
		tenures: map[identity.Key][]Tenure{},
		issued:  map[identity.ProfileID]bool{},
		housed:  map[identity.ProfileID]identity.HouseholdID{},
	}
}

func (p *replica) of(k identity.Key) identity.ProfileID {
	if id, ok := p.profile[k]; ok {
		return id
	}
	return identity.ProfileID(k)
}

// apply replays what a flush reported, and decides again only the new sets and
// those of flipped identifiers.
func (p *replica) apply(g *Graph, c Changes, seen []entry) error {
	for i, m := range c.Moves {
		if i > 0 && c.Moves[i-1].Identifier >= m.Identifier {
			return fmt.Errorf("moves are not ascending at %x", m.Identifier)
		}
		if p.of(m.Identifier) != m.Old || m.Old == m.New {
			return fmt.Errorf("move of %x from %v to %v, was %v", m.Identifier, m.Old, m.New, p.of(m.Identifier))
		}
		p.profile[m.Identifier] = m.New
		p.issued[m.New] = true
	}
	for i, h := range c.Rehoused {
		if i > 0 && c.Rehoused[i-1].Profile >= h.Profile {
			return fmt.Errorf("rehousings are not ascending at %v", h.Profile)
		}
		if p.housed[h.Profile] != h.Old || h.Old == h.New {
			return fmt.Errorf("%v rehoused from %v to %v, was in %v", h.Profile, h.Old, h.New, p.housed[h.Profile])
		}
		if p.housed[h.Profile] = h.New; h.New == 0 {
			delete(p.housed, h.Profile)
		}
	}
	for i, r := range c.Retold {
		if i > 0 && c.Retold[i-1].Identifier >= r.Identifier {
			return fmt.Errorf("retellings are not ascending at %x", r.Identifier)
		}
		if !slices.Equal(p.tenures[r.Identifier], r.Old) || slices.Equal(r.Old, r.New) {
			return fmt.Errorf("tenures of %x retold from %v to %v, were %v", r.Identifier, r.Old, r.New, p.tenures[r.Identifier])
		}
		p.tenures[r.Identifier] = r.New
	}
	for i, set := range p.sets {
		if slices.ContainsFunc(set, func(n identity.Node) bool { return slices.Contains(c.Flipped, n.Key) }) {
			p.deciding[i], _ = g.Deciding(set)
		}
	}
	for _, e := range seen {
		if e.sighting != nil && !e.pairOnly {
			p.sets = append(p.sets, e.sighting.Members)
			k, _ := g.Deciding(e.sighting.Members)
			p.deciding = append(p.deciding, k)
		}
	}
	return nil
}

// same compares a graph, and what its changes told, with the definition.
func same(g *Graph, p *replica, want oracle.Result, w *world) error {
	if err := sameNodes(g, p, want, w); err != nil {
		return err
	}
	if s := g.Stats(); s.Profiles != want.Profiles || s.Merges != want.Merges ||
		s.Generic != len(want.Generic) || s.Identifiers != len(want.Profile)-len(want.Gone) {
		return fmt.Errorf("stats %+v, want %d profiles, %d merges", s, want.Profiles, want.Merges)
	}
	return nil
}

// sameNodes compares all but the figures of the whole graph.
func sameNodes(g *Graph, p *replica, want oracle.Result, w *world) error {
	for _, n := range w.nodes {
		id, known := want.Profile[n.Key]
		if !known || w.rules.Rule(n.Namespace).Household && want.Gone[n.Key] {
			continue
		}
		if got := g.Profile(n.Key); got != id {
			return fmt.Errorf("profile of %s %x is %v, want %v", n.Namespace, n.Key, got, id)
		}
		if got, ok := g.Household(id); got != want.Household[id] || ok != (got != 0) {
			return fmt.Errorf("household of %v is %v, want %v", id, got, want.Household[id])
		}
		x := g.find(n.Key)
		flags := uint32(0)
		if x != 0 {
			flags = g.nodes.at(x).flags
		}
		if isGone := flags&alive == 0; isGone != want.Gone[n.Key] {
			return fmt.Errorf("gone %s %x is %v", n.Namespace, n.Key, isGone)
		}
		if isGeneric := flags&generic != 0; isGeneric != want.Generic[n.Key] {
			return fmt.Errorf("generic %s %x is %v", n.Namespace, n.Key, isGeneric)
		}
		if isBlocked := flags&blocked != 0; flags&alive != 0 && isBlocked != want.Blocked[n.Key] {
			return fmt.Errorf("blocked %s %x is %v", n.Namespace, n.Key, isBlocked)
		}
		crowds := map[identity.Namespace]bool{}
		for _, s := range g.crowded[x] {
			crowds[g.spaces[s].name] = true
		}
		if fmt.Sprint(crowds) != fmt.Sprint(want.Crowded[n.Key]) {
			return fmt.Errorf("crowded %s %x is %v, want %v", n.Namespace, n.Key, crowds, want.Crowded[n.Key])
		}
		if err := sameTenures(g.Tenures(n.Key), want.Tenures[n.Key]); err != nil {
			return fmt.Errorf("tenures of %s %x: %w", n.Namespace, n.Key, err)
		}
		if p == nil {
			continue
		}
		if err := sameTenures(p.tenures[n.Key], want.Tenures[n.Key]); err != nil {
			return fmt.Errorf("told tenures of %s %x: %w", n.Namespace, n.Key, err)
		}
		if p.of(n.Key) != id {
			return fmt.Errorf("told profile of %s %x is %v, want %v", n.Namespace, n.Key, p.of(n.Key), id)
		}
	}
	if p == nil {
		return nil
	}
	if !maps.Equal(p.housed, want.Household) {
		return fmt.Errorf("told households %v, want %v", p.housed, want.Household)
	}
	for i, set := range p.sets {
		if k, _ := want.Deciding(set); k != p.deciding[i] {
			return fmt.Errorf("set %v is decided by %x, want %x", set, p.deciding[i], k)
		}
	}
	for id := range p.issued {
		if id != 0 && g.Profile(identity.Key(id)) != want.Profile[identity.Key(id)] {
			return fmt.Errorf("issued id %v resolves to %v", id, g.Profile(identity.Key(id)))
		}
	}
	return nil
}

func sameTenures(got []Tenure, want []oracle.Tenure) error {
	if len(got) != len(want) {
		return fmt.Errorf("%v, want %v", got, want)
	}
	for i := range got {
		if got[i].Until != want[i].Until || got[i].Owner != want[i].Owner {
			return fmt.Errorf("%v, want %v", got, want)
		}
	}
	return nil
}
