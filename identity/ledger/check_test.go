package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// reading is what readers see: profiles of identifiers that have a row, the
// deciding identifiers of sets, past tenures and households.
type reading struct {
	profile map[identity.Key]identity.ProfileID
	owner   map[identity.AnchorID]identity.Key
	tenures map[identity.Key][]graph.Tenure
	housed  map[identity.ProfileID]identity.HouseholdID
}

// looked is what one check reads and computes several times, by workspace. Nothing
// changes meanwhile.
type looked struct {
	truth     map[string]*bruteForce
	published map[string]reading
	cuts      map[string]cuts
	decisions map[string][]identity.Decision
	erased    map[[2]string]map[uint64]int64
}

// look makes w keep what it reads and computes until the function that it returns is
// called, or leaves it to whoever does that already.
func (w *world) look() (done func()) {
	if w.looked != nil {
		return func() {}
	}
	w.looked = &looked{map[string]*bruteForce{}, map[string]reading{}, map[string]cuts{}, map[string][]identity.Decision{}, map[[2]string]map[uint64]int64{}}
	return func() { w.looked = nil }
}

// once returns what is in of under k and, within a check, keeps it there.
func once[K comparable, V any](w *world, of func(*looked) map[K]V, k K, read func() V) V {
	if w.looked == nil {
		return read()
	}
	v, ok := of(w.looked)[k]
	if !ok {
		v = read()
		of(w.looked)[k] = v
	}
	return v
}

// published reads the tables under identity_counted, as every reader does.
func (w *world) published(workspace string) reading {
	return once(w, func(l *looked) map[string]reading { return l.published }, workspace, func() reading { return w.readPublished(workspace) })
}

func (w *world) readPublished(workspace string) reading {
	w.t.Helper()
	defer w.look()() // What counts is asked once for all tables: it takes longer than they do.
	r := newReading()
	w.readTold(workspace, r)
	hop := func(table, subject, object string, row func(subject, object uint64)) {
		w.hop(workspace, table, subject, object, row)
	}
	hop("identifier_profile", "identifier_id", "profile_id", func(s, o uint64) {
		r.profile[identity.Key(s)] = identity.ProfileID(o)
	})
	hop("anchor_owner", "anchor_id", "owner_id", func(s, o uint64) {
		if a := identity.AnchorID(s); a.IsSet() { // A row of an identifier's own anchor asks for the time.
			r.owner[a] = identity.Key(o)
		}
	})
	return r
}

// hop reads what stands in a table of the reading.
func (w *world) hop(workspace, table, subject, object string, row func(subject, object uint64)) {
	w.t.Helper()
	var s, o uint64
	w.counted(workspace, `SELECT `+subject+`, argMax(`+object+`, (epoch, sequence)) FROM `+table+`
		WHERE workspace = {workspace:String} AND `+countedRows("epoch", "sequence")+` GROUP BY `+subject, []any{&s, &o}, func() { row(s, o) })
}

// counted reads rows under identity_counted, as every reader does. What the view says is
// read once in a check or a reading: it takes the engine longer than all the rest.
func (w *world) counted(workspace, query string, dest []any, row func()) {
	w.t.Helper()
	if upTo := w.upTo(workspace); len(upTo) > 0 {
		w.each(query, upTo.args("workspace", workspace), dest, row)
	}
}

func (w *world) each(query string, args, dest []any, row func()) {
	w.t.Helper()
	err := w.ledger(nil).store.each(pointRead(w.t.Context()), query, args, dest, func() error { row(); return nil })
	if err != nil {
		w.t.Fatal(err)
	}
}

// upTo is what counts of each epoch that counts.
func (w *world) upTo(workspace string) cuts {
	return once(w, func(l *looked) map[string]cuts { return l.cuts }, workspace, func() cuts {
		c := cuts{}
		var epoch, last uint64
		w.each(`SELECT epoch, last_sequence FROM identity_counted WHERE workspace = {workspace:String}`,
			named("workspace", workspace), []any{&epoch, &last}, func() { c[epoch] = last })
		return c
	})
}

// check compares what readers see with the definition, applied to the set of
// all evidence that was sent.
func (w *world) check() error {
	defer w.look()()
	for _, name := range w.workspaces {
		if len(w.sent[name])+len(w.linked[name]) == 0 && len(w.upTo(name)) == 0 {
			continue // Nobody has opened it, so that no row of it counts.
		}
		if err := w.checkReading(name); err != nil {
			return fmt.Errorf("workspace %s: %w", name, err)
		}
		if err := w.checkRebuild(name); err != nil {
			return fmt.Errorf("workspace %s: %w", name, err)
		}
		if err := w.checkLinks(name); err != nil {
			return fmt.Errorf("workspace %s: %w", name, err)
		}
		if err := w.checkHistory(name); err != nil {
			return fmt.Errorf("workspace %s: %w", name, err)
		}
	}
	return nil
}

func (w *world) truth(workspace string) *bruteForce {
	return once(w, func(l *looked) map[string]*bruteForce { return l.truth }, workspace, func() *bruteForce { return w.findTruth(workspace) })
}

func (w *world) findTruth(workspace string) *bruteForce {
	g := newBruteForce(w.rules).(*bruteForce)
	sp := &space{rules: w.rules}
	for k, at := range w.erased(workspace, erasedIdentifier) {
		g.Erase(identity.Key(k), at)
	}
	for _, e := range w.sent[workspace] {
		g.See(sp.sighting(&e, 0xff))
		w.rename(g, &e)
	}
	w.tellLinks(g, w.rules, workspace)
	for _, d := range w.decisions(workspace) {
		g.Decide(d)
	}
	g.Flush()
	return g
}

func (w *world) checkReading(workspace string) error {
	truth, got := w.truth(workspace), w.published(workspace)
	for k, want := range truth.result.Profile {
		have, ok := got.profile[k]
		if !ok {
			have = identity.ProfileID(k)
		}
		if have != want {
			return fmt.Errorf("identifier %x: published profile %s, want %s", k, have, want)
		}
	}
	for k := range got.profile {
		if _, ok := truth.result.Profile[k]; !ok {
			return fmt.Errorf("identifier %x is published and was never sent", k)
		}
	}
	anchors := map[identity.AnchorID]bool{}
	disowned := w.erased(workspace, erasedSet)
	for _, e := range w.sent[workspace] {
		if !e.Anchor.IsSet() {
			continue
		}
		anchors[e.Anchor] = true
		want, _ := truth.Deciding(e.Sighting().Members)
		if have := got.owner[e.Anchor]; have != want && (have != 0 || disowned[uint64(e.Anchor)] == 0) {
			return fmt.Errorf("set %x: published deciding identifier %x, want %x (of %d)", e.Anchor, have, want, len(e.Members))
		}
	}
	for a := range got.owner {
		if !anchors[a] {
			return fmt.Errorf("set %x is published and was never sent", a)
		}
	}
	if err := w.checkTold(truth, got); err != nil {
		return err
	}
	return w.checkAnchors(workspace, truth)
}

// checkAnchors follows both hops, by the view that SQL users have.
func (w *world) checkAnchors(workspace string, truth *bruteForce) error {
	got := map[identity.AnchorID]identity.ProfileID{}
	var anchor, profile uint64
	err := w.ledger(nil).store.each(w.t.Context(), `SELECT anchor_id, profile_id FROM anchor_profile WHERE workspace = {workspace:String}`,
		named("workspace", workspace), []any{&anchor, &profile}, func() error {
			got[identity.AnchorID(anchor)] = identity.ProfileID(profile)
			return nil
		})
	if err != nil {
		return err
	}
	disowned := w.erased(workspace, erasedSet)
	for _, e := range w.sent[workspace] {
		if got[e.Anchor] == 0 && disowned[uint64(e.Anchor)] != 0 {
			continue
		}
		want := truth.Profile(e.Members[0].Key)
		if e.Anchor.IsSet() {
			want = 0
			if k, ok := truth.Deciding(e.Sighting().Members); ok {
				want = truth.Profile(k)
			}
		}
		if have, ok := got[e.Anchor]; !ok || have != want {
			return fmt.Errorf("anchor %x reads profile %s (%v), want %s", e.Anchor, have, ok, want)
		}
	}
	return w.checkTimes(workspace, truth)
}

// checkRebuild compares a graph that is loaded from the tables.
func (w *world) checkRebuild(workspace string) error {
	g := newBruteForce(w.rules).(*bruteForce)
	sp := &space{name: workspace, rules: w.rules, graph: g}
	if _, err := w.ledger(nil).store.load(w.t.Context(), sp); err != nil {
		return err
	}
	g.Flush()
	if want := w.truth(workspace).result.Profile; !maps.Equal(g.result.Profile, want) {
		return fmt.Errorf("profiles rebuilt from the tables: %v, want %v", g.result.Profile, want)
	}
	return nil
}

// checkHistory replays the changes that count: each starts from what the one
// before left, they end in the reading, and each has had its notice, in order.
func (w *world) checkHistory(workspace string) error {
	var ids []version
	var fault error
	state := newReading()
	var v version
	var kind string
	var subject, before, now uint64
	w.counted(workspace, `SELECT epoch, sequence, subject_kind, subject_id, old_id, new_id FROM identity_changes
		WHERE workspace = {workspace:String} AND `+countedRows("epoch", "sequence")+` ORDER BY epoch, sequence`,
		[]any{&v.Epoch, &v.Sequence, &kind, &subject, &before, &now}, func() {
			var have uint64
			switch identity.ChangeKind(kind) {
			case identity.ChangedTenures, identity.ChangedGone:
				ids = append(ids, v) // The lists are compared as they are: see checkTold.
				return
			case identity.ChangedHousehold:
				have = uint64(state.housed[identity.ProfileID(subject)])
				state.house(identity.ProfileID(subject), identity.HouseholdID(now))
			case identity.ChangedSet:
				have = uint64(state.owner[identity.AnchorID(subject)])
				state.owner[identity.AnchorID(subject)] = identity.Key(now)
			default:
				have = subject
				if p, ok := state.profile[identity.Key(subject)]; ok {
					have = uint64(p)
				}
				state.profile[identity.Key(subject)] = identity.ProfileID(now)
			}
			if have != before || before == now {
				fault = cmp.Or(fault, fmt.Errorf("change %v of %s %x from %x to %x: it was %x", v, kind, subject, before, now, have))
			}
			ids = append(ids, v)
		})
	if fault != nil {
		return fault
	}
	if got := w.published(workspace); !maps.Equal(got.profile, state.profile) || !maps.Equal(got.owner, state.owner) || !maps.Equal(got.housed, state.housed) {
		return fmt.Errorf("changes replayed: %v, published: %v", state, got)
	}
	return w.checkNotices(workspace, ids)
}

func (w *world) checkNotices(workspace string, want []version) error {
	counts := map[version]bool{}
	for _, v := range want {
		counts[v] = true
	}
	first := map[version]bool{}
	var order []version
	for _, n := range w.notebook.notices {
		if n.Workspace != workspace {
			continue
		}
		for _, c := range n.Changes {
			if v := (version{n.Epoch, c.Sequence}); counts[v] && !first[v] {
				first[v] = true
				order = append(order, v)
			}
		}
	}
	if len(order) != len(want) {
		return fmt.Errorf("%d changes of %d had a notice", len(order), len(want))
	}
	if !slices.IsSortedFunc(order, func(a, b version) int {
		return cmp.Or(cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Sequence, b.Sequence))
	}) {
		return errors.New("notices out of order")
	}
	return nil
}
