package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
)

// An erasure is not a decision: nothing undoes it. The owner judges whom it takes by
// the graph as it is, stores that as keyed hashes, tells the graph, and publishes what
// changes like every command. From then on what was received of the identifiers until
// erasedAt counts nowhere: evidence and scores of it are passed over when they come
// again, and rows of it are left out when the ledger is loaded, whether or not
// somebody has rewritten the tables by then. What comes later counts, and starts from
// nothing.

// Kinds of rows of identity_erasures.
const (
	erasedIdentifier = "identifier"
	erasedShared     = "shared"
	erasedSet        = "set"
	erasedSpan       = "span"
	erasedProfile    = "profile"
)

// erasure is what one command takes.
type erasure struct {
	profile identity.ProfileID
	at      int64 // milliseconds: what was received until then
	alone   []identity.Key
	shared  []identity.Key // stay, with whom the rules then give them
	sets    []identity.AnchorID
	spans   []erasedTime
}

// erasedTime is a stretch of time in which the events of an anchor, which an
// identifier of somebody else decides now, were the person's.
type erasedTime struct {
	anchor       identity.AnchorID
	since, until int64
}

// judgeErase decides whom an erasure takes.
func (o *owner) judgeErase(ctx context.Context, r *order) (*erasure, verdict, error) {
	keys, refused := r.keys(true)
	if refused != nil {
		return nil, *refused, nil
	}
	sp := r.space
	if s := sp.graph.State(keys[0]); s.ByRules || s.ByDecision {
		return nil, refuse(identity.RefusedBlocked, "the identifier is blocked, and of no person"), nil
	}
	e := &erasure{profile: sp.graph.Profile(keys[0])}
	e.alone, e.shared = sp.graph.Alone(sp.graph.Members(e.profile))
	if !slices.Contains(e.alone, keys[0]) {
		return nil, refuse(identity.RefusedShared, "others were seen with the identifier too: name one that is the person's alone"), nil
	}
	e.alone = append(e.alone, sp.graph.Homes(e.alone)...)
	at, err := o.store.lastReceived(ctx, sp.name, e.alone)
	if err != nil {
		return nil, verdict{}, err
	}
	e.at = max(at, r.received.UnixMilli())
	if err := o.store.ownSets(ctx, sp, e); err != nil {
		return nil, verdict{}, err
	}
	return e, verdict{}, o.store.ownSpans(ctx, sp, e)
}

// lastReceived is the greatest first received time in the rows of keys: an erasure
// takes whole rows.
func (s *store) lastReceived(ctx context.Context, workspace string, keys []identity.Key) (last int64, err error) {
	ctx, err = withIDs(ctx, keys)
	if err != nil {
		return 0, err
	}
	err = s.each(ctx, `SELECT toUnixTimestamp64Milli(max(first_received)) FROM identifiers
		WHERE workspace = {workspace:String} AND identifier_id IN ids`,
		named("workspace", workspace), []any{&last}, func() error { return nil })
	if err != nil {
		return 0, fmt.Errorf("read received times of identifiers: %w", err)
	}
	return last, nil
}

// ownSets finds the sets that hold one of the person's identifiers and are decided by
// one of their profile, or by nobody yet.
func (s *store) ownSets(ctx context.Context, sp *space, e *erasure) error {
	anchors, err := s.setsWith(ctx, sp.name, e.alone)
	if err != nil || len(anchors) == 0 {
		return err
	}
	owners, err := s.owners(ctx, sp, anchors)
	if err != nil {
		return err
	}
	for _, a := range anchors {
		if key, ok := owners[a]; !ok || key == 0 || sp.graph.Profile(key) == e.profile {
			e.sets = append(e.sets, a)
		}
	}
	return nil
}

// setsWith returns the sets with one of keys, in order.
func (s *store) setsWith(ctx context.Context, workspace string, keys []identity.Key) (anchors []identity.AnchorID, err error) {
	ctx, err = withIDs(ctx, keys)
	if err != nil {
		return nil, err
	}
	var anchor uint64
	err = s.each(ctx, `SELECT DISTINCT anchor_id FROM anchor_members
		WHERE workspace = {workspace:String} AND identifier_id IN ids ORDER BY anchor_id`,
		named("workspace", workspace), []any{&anchor}, func() error {
			anchors = append(anchors, identity.AnchorID(anchor))
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read sets of identifiers: %w", err)
	}
	return anchors, nil
}

// ownSpans finds the times in which an identifier that moves between people, and is
// another's now, was the person's: what it decided then goes.
func (s *store) ownSpans(ctx context.Context, sp *space, e *erasure) error {
	within, err := withIDs(ctx, e.alone)
	if err != nil {
		return err
	}
	var id uint64
	var untils []int64
	var owners []uint64
	spans := map[identity.Key][]erasedTime{}
	err = s.each(within, `SELECT identifier_id, arrayMap(u -> toUnixTimestamp64Milli(u), argMax(untils, (epoch, sequence))), argMax(owners, (epoch, sequence))
		FROM identifier_tenures WHERE workspace = {workspace:String} AND `+countedRows("epoch", "sequence")+` AND identifier_id IN (
			SELECT identifier_id FROM identifier_tenures WHERE workspace = {workspace:String} AND arrayExists(o -> o IN (SELECT id FROM ids), owners))
		GROUP BY identifier_id`,
		sp.cuts.args("workspace", sp.name), []any{&id, &untils, &owners}, func() error {
			since := minTime
			for i, until := range untils {
				if key := identity.Key(id); slices.Contains(e.alone, identity.Key(owners[i])) && !slices.Contains(e.alone, key) {
					spans[key] = append(spans[key], erasedTime{since: since, until: until})
				}
				since = until
			}
			return nil
		})
	if err != nil {
		return fmt.Errorf("read past tenures: %w", err)
	}
	for key, times := range spans {
		if err := s.spansOf(ctx, sp, e, key, times); err != nil {
			return err
		}
	}
	return nil
}

// spansOf adds the times of all anchors that key decides.
func (s *store) spansOf(ctx context.Context, sp *space, e *erasure, key identity.Key, times []erasedTime) error {
	anchors, err := s.setsWith(ctx, sp.name, []identity.Key{key})
	if err != nil {
		return err
	}
	owners, err := s.owners(ctx, sp, anchors)
	if err != nil {
		return err
	}
	for _, a := range append(anchors, identity.AnchorID(key)) {
		if a.IsSet() && owners[a] != key {
			continue
		}
		for _, t := range times {
			t.anchor = a
			e.spans = append(e.spans, t)
		}
	}
	return nil
}

// erase does what a command of kind Erase asks, or refuses it. Like other commands it
// is done once, and finished where an owner stopped in its midst.
func (o *owner) erase(ctx context.Context, r *order, concluded bool) error {
	e, err := o.store.erasureOf(ctx, r.space.name, r.ID)
	if err != nil {
		return err
	}
	fresh := e == nil
	if fresh {
		if concluded {
			return nil
		}
		var v verdict
		if e, v, err = o.judgeErase(ctx, r); err != nil {
			return err
		}
		if v.code != "" {
			return o.conclude(ctx, r, v, 0)
		}
	}
	c, err := o.forget(ctx, r, e, fresh)
	if err != nil {
		return err
	}
	if err := o.show(ctx, c); err != nil {
		return err
	}
	if !concluded {
		if err := o.conclude(ctx, r, verdict{}, c.moved); err != nil {
			return err
		}
	}
	return o.notify(ctx, c.notices)
}

// forget takes e out of the graph and of the caches, stores it when it is new, and
// returns what changes in the reading.
func (o *owner) forget(ctx context.Context, r *order, e *erasure, fresh bool) (*changes, error) {
	sp := r.space
	o.uncache(e)
	sp.erase(e)
	found := sp.flush()
	c := o.newChanges(causeErasure)
	started := &flipBlock{}
	o.startFlips(sp, found.Flipped, started, c.at)
	if err := o.keepFlips(ctx, started); err != nil {
		return nil, err
	}
	if fresh {
		if err := o.at("erasure"); err != nil {
			return nil, err
		}
		if err := o.store.insert(ctx, commandToken("erasure", r), newErasureBlock(sp.name, r.ID, e)); err != nil {
			return nil, err
		}
	}
	c.reserve(len(found.Moves)+len(e.alone), len(e.sets), 1)
	c.record(sp.name, found)
	for _, k := range e.alone {
		c.add(sp.name, identity.ChangedGone, uint64(k), uint64(e.profile), 0)
	}
	return c, o.disown(ctx, sp, e, c)
}

// disown lets the person's sets belong to nobody, and decides again those of others
// that held an identifier which is gone.
func (o *owner) disown(ctx context.Context, sp *space, e *erasure, c *changes) error {
	owners, err := o.store.owners(ctx, sp, e.sets)
	if err != nil {
		return err
	}
	decided := map[identity.AnchorID]bool{}
	for _, a := range e.sets {
		decided[a] = true
		if before := owners[a]; before != 0 {
			c.set(sp, identity.Attribution{Anchor: a, Old: before})
		} else {
			c.flag(sp, a, 0) // So that no successor decides it as one that was left over.
		}
	}
	if !sp.flips.pending() {
		return nil
	}
	return o.redecide(ctx, sp, decided, c)
}

// uncache lets the caches forget what e takes: it is to be stored again when it is
// seen again.
func (o *owner) uncache(e *erasure) {
	gone := map[identity.Key]bool{}
	for _, k := range e.alone {
		gone[k] = true
		o.prints.drop(uint64(k))
	}
	for _, a := range e.sets {
		o.sets.drop(uint64(a))
	}
	o.stored.dropAll(func(k sightKey) bool { return gone[k.low] || gone[k.high] })
}

// erase notes e, and tells the graph.
func (sp *space) erase(e *erasure) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	for _, k := range e.alone {
		sp.eraseKey(k, e.at)
	}
	for _, a := range e.sets {
		sp.disowned[a] = true
	}
}

func (sp *space) eraseKey(k identity.Key, at int64) {
	if old, ok := sp.erased[k]; !ok || at > old {
		sp.erased[k] = at
	}
	sp.graph.Erase(k, at)
}

// spent reports whether an erasure takes what was received at a time of k.
func (sp *space) spent(k identity.Key, received int64) bool {
	at, ok := sp.erased[k]
	return ok && received <= at
}

// spentEvidence reports whether an erasure takes a member of e. Then all of e goes:
// an identifier that is erased was of one person alone, and so was the event.
func (sp *space) spentEvidence(e *identity.Evidence) bool {
	if len(sp.erased) == 0 {
		return false
	}
	return slices.ContainsFunc(e.Members, func(m identity.Member) bool { return sp.spent(m.Key, e.Span.FirstReceived) })
}

// tryErase says what an erasure would take.
func (o *owner) tryErase(ctx context.Context, r *order, out *identity.CommandTrial) error {
	e, v, err := o.judgeErase(ctx, r)
	if err != nil {
		return err
	}
	out.Code, out.Detail = v.code, v.detail
	if v.code != "" {
		return nil
	}
	names := newNaming()
	names.want(e.alone...)
	names.want(e.shared...)
	if err := o.store.name(ctx, r.space.name, names); err != nil {
		return err
	}
	named := func(keys []identity.Key) []identity.Identifier {
		list := make([]identity.Identifier, 0, len(keys))
		for _, k := range keys[:min(len(keys), identity.MaxTrialList)] {
			list = append(list, names.of[k])
		}
		return list
	}
	t := &identity.TrialErasure{Profile: identity.Key(e.profile), Erased: named(e.alone), Shared: named(e.shared), Anchors: e.sets}
	for _, k := range e.alone {
		t.Anchors = append(t.Anchors, identity.AnchorID(k))
	}
	for _, s := range e.spans {
		t.Spans = append(t.Spans, identity.TrialSpan{Anchor: s.anchor, Since: s.since, Until: s.until})
	}
	out.Erasure = t
	return nil
}
