package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// Causes of changes.
const (
	causeEvidence = "evidence"
	causeDecision = "decision" // a command decided it
	causeRules    = "rules"    // other rules were declared
	causeErasure  = "erasure"  // a person was erased
	causeRestart  = "restart"  // found when an owner loaded the ledger
)

// changes are the rows of the reading that one flush adds.
type changes struct {
	epoch    uint64
	sequence *uint64 // of the owner
	at       time.Time
	cause    string

	profiles, owners *hopBlock
	tenures          tenureBlock
	households       *hopBlock
	history          historyBlock
	flips            flipBlock
	decided          decisionBlock // of a command, with the name of their insert
	decidedBy        string
	last             map[string]uint64 // by workspace, its last sequence
	notices          []identity.Notice
	noticed          int // changes to expect in one of them
	moved, total     int // identifiers, and all changes
}

func (o *owner) newChanges(cause string) *changes {
	return &changes{
		epoch: o.epoch, sequence: &o.sequence, at: o.now(), cause: cause,
		profiles: newProfileBlock(), owners: newOwnerBlock(), households: newHouseholdBlock(), last: map[string]uint64{},
	}
}

// blocks are the rows of the flush, by table.
func (c *changes) blocks() []block {
	return []block{c.profiles, c.owners, &c.tenures, c.households, &c.history, &c.flips}
}

// reserve makes room for as many moves of identifiers and changes of sets in
// one workspace or several.
func (c *changes) reserve(moves, sets, workspaces int) {
	c.profiles.reserve(moves)
	c.owners.reserve(sets)
	c.history.reserve(moves + sets)
	c.noticed = (moves + sets) / max(1, workspaces)
}

// notice returns the notice for the change of workspace that comes now.
func (c *changes) notice(workspace string) *identity.Notice {
	if n := len(c.notices); n == 0 || c.notices[n-1].Workspace != workspace {
		n := identity.Notice{Workspace: workspace, Epoch: c.epoch, Changes: make([]identity.Change, 0, c.noticed)}
		c.notices = append(c.notices, n)
	}
	return &c.notices[len(c.notices)-1]
}

// move adds the change of an identifier's profile.
func (c *changes) move(workspace string, m identity.Move) {
	v := c.add(workspace, identity.ChangedIdentifier, uint64(m.Identifier), uint64(m.Old), uint64(m.New))
	c.profiles.add(workspace, v, uint64(m.Identifier), uint64(m.New), uint64(m.Old))
	c.moved++
}

// set adds the change of a set's deciding identifier.
func (c *changes) set(sp *space, a identity.Attribution) {
	v := c.add(sp.name, identity.ChangedSet, uint64(a.Anchor), uint64(a.Old), uint64(a.New))
	c.owners.decide(sp.name, v, a, a.New != 0 && sp.graph.Moving(a.New))
}

// next returns the version of the next row of workspace.
func (c *changes) next(workspace string) version {
	*c.sequence++
	c.total++
	c.last[workspace] = *c.sequence
	return version{Epoch: c.epoch, Sequence: *c.sequence}
}

func (c *changes) add(workspace string, kind identity.ChangeKind, subject, before, now uint64) version {
	v := c.next(workspace)
	h := &c.history
	h.workspace = append(h.workspace, workspace)
	h.epoch = append(h.epoch, v.Epoch)
	h.sequence = append(h.sequence, v.Sequence)
	h.kind = append(h.kind, string(kind))
	h.subject = append(h.subject, subject)
	h.changedAt = append(h.changedAt, c.at.UnixMilli())
	h.oldID = append(h.oldID, before)
	h.newID = append(h.newID, now)
	h.cause = append(h.cause, c.cause)
	n := c.notice(workspace)
	n.Changes = append(n.Changes, identity.Change{Sequence: v.Sequence, Kind: kind, Subject: subject, Old: before, New: now, Cause: c.cause})
	return v
}

// evaluate drives the graphs over b, stores the evidence, and returns what
// changed in the reading.
func (o *owner) evaluate(ctx context.Context, b *batch) (*changes, error) {
	see(b)
	for _, s := range b.links {
		s.space.score(s)
	}
	for _, e := range b.evidence {
		if made := e.space.renames(e.Evidence); len(made) > 0 {
			e.space.decide(made...)
		}
	}
	c := o.newChanges(causeEvidence)
	found, moved := map[string]graph.Changes{}, 0
	started := &flipBlock{}
	touched := o.touched(b)
	for _, name := range touched {
		sp := o.spaces[name]
		found[name] = sp.flush()
		moved += len(found[name].Moves)
		o.startFlips(sp, found[name].Flipped, started, c.at)
	}
	if err := o.keep(ctx, b, started); err != nil {
		return nil, err
	}
	c.reserve(moved, len(b.undecided), len(touched))
	for _, name := range touched {
		sp := o.spaces[name]
		c.record(name, found[name])
		o.decide(sp, b, c)
		if !sp.flips.pending() {
			continue
		}
		if err := o.redecide(ctx, sp, b.decided(sp), c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// see gives b to the graphs. It takes the lock of each workspace once, and not
// for every record: whoever reads a graph in slices would come in between each
// time. Nobody else holds two of these locks.
func see(b *batch) {
	held := map[*space]bool{}
	for _, e := range b.evidence {
		if !held[e.space] {
			e.space.mu.Lock()
			held[e.space] = true
		}
		e.space.graph.See(e.space.sighting(e.Evidence, e.unmet))
	}
	for sp := range held {
		sp.mu.Unlock()
	}
}

// startFlips queues what flipped, and notes it in started.
func (o *owner) startFlips(sp *space, flipped []identity.Key, started *flipBlock, at time.Time) {
	for _, k := range flipped {
		o.flipped++
		sp.flips.start(k, flipID{epoch: o.epoch, number: o.flipped})
		started.add(sp.name, k, flipID{o.epoch, o.flipped}, version{}, at)
	}
	o.metrics.flips.Add(float64(len(flipped)))
}

// touched returns the names of the workspaces that b or a flip can change, in
// order.
func (o *owner) touched(b *batch) []string {
	names := map[string]bool{}
	for _, e := range b.evidence {
		names[e.space.name] = true
	}
	for _, s := range b.links {
		names[s.space.name] = true
	}
	queued := 0
	for name, sp := range o.spaces {
		if sp.flips.pending() {
			names[name] = true
			queued += len(sp.flips.order)
		}
	}
	o.metrics.flipsQueued.Set(float64(queued))
	return slices.Sorted(maps.Keys(names))
}

// keepFlips stores the starts of flips, before the entries that made them: a
// class that flipped does not flip again when the ledger is loaded, so after a
// crash in between only the queue would know.
func (o *owner) keepFlips(ctx context.Context, started *flipBlock) error {
	if started.rows() == 0 {
		return nil
	}
	if err := o.at("start flips"); err != nil {
		return err
	}
	return o.store.insert(ctx, o.token("flips"), started)
}

// keep stores the flips, the scored pairs and the evidence of b.
func (o *owner) keep(ctx context.Context, b *batch, started *flipBlock) error {
	if err := o.keepFlips(ctx, started); err != nil {
		return err
	}
	if err := o.keepLinks(ctx, b); err != nil {
		return err
	}
	if len(b.evidence) == 0 {
		return nil
	}
	if err := o.at("evidence"); err != nil {
		return err
	}
	s := o.rowsOf(b)
	anchors, members := b.sets()
	// A set in anchors is there with all that it needs: a later owner would
	// decide it by those members alone that it finds in identifiers, and would
	// not store the rows of a set that is decided again.
	if err := o.store.insert(ctx, o.token("evidence"), &s.identifiers, &s.pairs, members); err != nil {
		return err
	}
	if err := o.at("sets"); err != nil {
		return err
	}
	return o.store.insert(ctx, o.token("sets"), anchors)
}

// token names an insert of this flush: no two inserts of all owners are equal,
// also when the topic was made anew or has other partitions.
func (o *owner) token(step string) string {
	return fmt.Sprintf("%s/%d/%d/%d/%d/%d/%d", step, o.p.ID(), o.begun.UnixMilli(), o.epoch, o.offset, o.sequence, o.flipped)
}

// decide decides the sets of b that belong to sp for the first time.
func (o *owner) decide(sp *space, b *batch, c *changes) {
	for _, e := range b.undecided {
		if e.space != sp {
			continue
		}
		// A set that nothing decides is stored too, and only a flip can change
		// that: there is no need to look at it again.
		if key, ok := sp.graph.Deciding(sp.keys(e.Evidence)); ok {
			c.set(sp, identity.Attribution{Anchor: e.Anchor, New: key})
		}
	}
}

// decided returns the sets of sp that the batch decides for the first time.
func (b *batch) decided(sp *space) map[identity.AnchorID]bool {
	sets := map[identity.AnchorID]bool{}
	for _, e := range b.undecided {
		if e.space == sp {
			sets[e.Anchor] = true
		}
	}
	return sets
}

// publish stores c, makes it visible, and gives notice of it.
func (o *owner) publish(ctx context.Context, c *changes) error {
	if err := o.show(ctx, c); err != nil {
		return err
	}
	return o.notify(ctx, c.notices)
}

// show stores c and makes it visible. Decisions go in beside the rows of the reading
// that follow from them, since nothing of either counts yet: without the version
// nobody reads the rows, and who finds decisions without an outcome finishes them.
func (o *owner) show(ctx context.Context, c *changes) error {
	group, storing := errgroup.WithContext(ctx)
	if c.decided.rows() > 0 {
		if err := o.at("decisions"); err != nil {
			return err
		}
		group.Go(func() error { return o.store.insert(storing, c.decidedBy, &c.decided) })
	}
	shows := c.history.rows() > 0 || c.flips.rows() > 0
	if shows {
		if err := o.at("reading"); err != nil {
			return errors.Join(err, group.Wait())
		}
		group.Go(func() error { return o.store.insert(storing, o.token("reading"), c.blocks()...) })
	}
	if err := group.Wait(); err != nil || !shows {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.last)) {
		if err := o.at("version"); err != nil {
			return err
		}
		if err := o.deps.Publisher.Publish(ctx, name, o.epoch, c.last[name]); err != nil {
			return fmt.Errorf("publish workspace %s at %d/%d: %w", name, o.epoch, c.last[name], err)
		}
		o.spaces[name].last = c.last[name]
	}
	o.metrics.moves.Add(float64(c.profiles.rows()))
	o.metrics.sets.Add(float64(c.owners.rows()))
	return nil
}
