package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
	"github.com/kindred-cdp/kindred/identity/oracle"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

func newReading() reading {
	return reading{
		profile: map[identity.Key]identity.ProfileID{}, owner: map[identity.AnchorID]identity.Key{},
		tenures: map[identity.Key][]graph.Tenure{}, housed: map[identity.ProfileID]identity.HouseholdID{},
	}
}

func (t reading) house(p identity.ProfileID, h identity.HouseholdID) {
	if t.housed[p] = h; h == 0 {
		delete(t.housed, p)
	}
}

// readTold reads what readers see beside the two hops: tenures under
// identity_counted, and the view of households.
func (w *world) readTold(workspace string, t reading) {
	w.t.Helper()
	s := w.ledger(nil).store
	var id, household uint64
	var untils []int64
	var owners []uint64
	w.counted(workspace, `SELECT identifier_id, arrayMap(u -> toUnixTimestamp64Milli(u), argMax(untils, (epoch, sequence))),
			argMax(owners, (epoch, sequence)) FROM identifier_tenures
		WHERE workspace = {workspace:String} AND `+countedRows("epoch", "sequence")+` GROUP BY identifier_id`,
		[]any{&id, &untils, &owners}, func() {
			for i, u := range untils {
				t.tenures[identity.Key(id)] = append(t.tenures[identity.Key(id)], graph.Tenure{Until: u, Owner: identity.Key(owners[i])})
			}
		})
	err := s.each(w.t.Context(), `SELECT profile_id, household_id FROM households WHERE workspace = {workspace:String}`,
		named("workspace", workspace), []any{&id, &household}, func() error {
			t.housed[identity.ProfileID(id)] = identity.HouseholdID(household)
			return nil
		})
	if err != nil {
		w.t.Fatal(err)
	}
}

// checkTold compares tenures and households with the definition.
func (w *world) checkTold(truth *bruteForce, got reading) error {
	want := newReading()
	for k, past := range truth.result.Tenures {
		want.tenures[k] = tenuresOf(past)
	}
	if !maps.EqualFunc(got.tenures, want.tenures, slices.Equal) {
		return fmt.Errorf("published tenures %v, want %v", got.tenures, want.tenures)
	}
	w.seen.tenures += len(want.tenures)
	maps.Copy(want.housed, truth.result.Household)
	if !maps.Equal(got.housed, want.housed) {
		return fmt.Errorf("published households %v, want %v", got.housed, want.housed)
	}
	w.seen.households += len(want.housed)
	return nil
}

// checkTimes reads to whom each anchor belonged at the times around each end of
// a tenure, by the expression that all readers use.
func (w *world) checkTimes(workspace string, truth *bruteForce) error {
	var times []int64
	for _, past := range truth.result.Tenures {
		for _, t := range past {
			times = append(times, t.Until-1, t.Until)
		}
	}
	var anchors []uint64
	var want []identity.ProfileID
	var at []int64
	disowned := w.erased(workspace, erasedSet)
	for _, e := range w.sent[workspace] {
		if disowned[uint64(e.Anchor)] != 0 {
			continue
		}
		for _, t := range append(times, e.Span.FirstEvent) {
			anchors, at = append(anchors, uint64(e.Anchor)), append(at, t)
			want = append(want, w.attribute(truth, e, t))
		}
	}
	if len(anchors) == 0 {
		return nil
	}
	n := 0
	var got uint64
	return w.ledger(nil).store.each(w.t.Context(), `SELECT `+warehouse.EventProfile("e.1", "e.2")+` FROM
		(SELECT arrayJoin(arrayZip({anchors:Array(UInt64)}, arrayMap(m -> fromUnixTimestamp64Milli(m, 'UTC'), {times:Array(Int64)}))) AS e)`,
		named("anchors", anchors, "times", at), []any{&got}, func() error {
			if have := identity.ProfileID(got); have != want[n] {
				return fmt.Errorf("anchor %x at %d reads profile %s, want %s", anchors[n], at[n], have, want[n])
			}
			n++
			return nil
		})
}

// attribute is the definition of whose an event is. One of a single identifier
// that nothing decides is what the identifier resolves to.
func (w *world) attribute(truth *bruteForce, e identity.Evidence, at int64) identity.ProfileID {
	members := e.Sighting().Members
	if _, ok := truth.Deciding(members); !ok && !e.Anchor.IsSet() {
		return truth.Profile(members[0].Key)
	}
	return truth.result.Attribute(members, at)
}

func tenuresOf(past []oracle.Tenure) (list []graph.Tenure) {
	for _, t := range past {
		list = append(list, graph.Tenure(t))
	}
	return list
}

// retold is what Flush says of tenures, by the definition.
func retold(before, after oracle.Result) (list []graph.Retelling) {
	for k := range after.Profile {
		r := graph.Retelling{Identifier: k, Old: tenuresOf(before.Tenures[k]), New: tenuresOf(after.Tenures[k])}
		if !slices.Equal(r.Old, r.New) {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b graph.Retelling) int { return cmp.Compare(a.Identifier, b.Identifier) })
	return list
}

// rehoused is what Flush says of households, by the definition.
func rehoused(before, after oracle.Result) (list []graph.Rehousing) {
	profiles := maps.Clone(after.Household)
	if profiles == nil {
		profiles = map[identity.ProfileID]identity.HouseholdID{}
	}
	maps.Copy(profiles, before.Household)
	for _, p := range slices.Sorted(maps.Keys(profiles)) {
		if r := (graph.Rehousing{Profile: p, Old: before.Household[p], New: after.Household[p]}); r.Old != r.New {
			list = append(list, r)
		}
	}
	return list
}

// Moving implements Graph.
func (g *bruteForce) Moving(k identity.Key) bool {
	n, ok := g.namespaces[k]
	return ok && g.rules.Rule(n).MovingGap > 0
}
