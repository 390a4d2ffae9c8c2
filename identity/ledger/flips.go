package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// flipID names one flip of one identifier.
type flipID struct{ epoch, number uint64 }

// flip is an identifier whose sets are being decided again, in order of anchor.
type flip struct {
	key    identity.Key
	cursor uint64   // sets up to here are decided
	ids    []flipID // that end with it
}

// flips is the queue of one workspace: oldest first.
type flips struct {
	order []identity.Key
	byKey map[identity.Key]*flip
}

func newFlips() *flips { return &flips{byKey: map[identity.Key]*flip{}} }

func (f *flips) pending() bool { return len(f.order) > 0 }

// start queues key. A flip while its sets are being decided starts them again.
func (f *flips) start(key identity.Key, id flipID) {
	q, ok := f.byKey[key]
	if !ok {
		q = &flip{key: key}
		f.byKey[key] = q
		f.order = append(f.order, key)
	}
	q.cursor = 0
	q.ids = append(q.ids, id)
}

func (f *flips) next() *flip { return f.byKey[f.order[0]] }

func (f *flips) end() {
	delete(f.byKey, f.order[0])
	f.order = f.order[1:]
}

func (b *flipBlock) add(workspace string, key identity.Key, id flipID, done version, at time.Time) {
	b.workspace = append(b.workspace, workspace)
	b.id = append(b.id, uint64(key))
	b.epoch = append(b.epoch, id.epoch)
	b.number = append(b.number, id.number)
	b.doneEpoch = append(b.doneEpoch, done.Epoch)
	b.doneSequence = append(b.doneSequence, done.Sequence)
	b.changedAt = append(b.changedAt, at.UnixMilli())
}

// loadFlips fills the queue of sp with the flips that have not ended under its
// cuts.
func (s *store) loadFlips(ctx context.Context, sp *space) error {
	query := `SELECT identifier_id, epoch, number FROM identity_flips WHERE workspace = {workspace:String}
		GROUP BY identifier_id, epoch, number
		HAVING countIf(done_epoch > 0 AND ` + countedRows("done_epoch", "done_sequence") + `) = 0
		ORDER BY epoch, number`
	var key, epoch, number uint64
	return s.each(ctx, query, sp.cuts.args("workspace", sp.name), []any{&key, &epoch, &number}, func() error {
		sp.flips.start(identity.Key(key), flipID{epoch, number})
		return nil
	})
}

// redecide decides again up to FlipSets sets of flipped identifiers, by the
// classes of this moment, but for the sets in decided, which were just now. It
// notes the ends of flips whose last set was among them.
func (o *owner) redecide(ctx context.Context, sp *space, decided map[identity.AnchorID]bool, c *changes) error {
	type ended struct {
		key identity.Key
		ids []flipID
	}
	var ends []ended
	seen := map[identity.AnchorID]bool{}
	for budget := o.cfg.FlipSets; budget > 0 && sp.flips.pending(); {
		f := sp.flips.next()
		anchors, err := o.store.setsOf(ctx, sp, f, budget)
		if err != nil {
			return err
		}
		if err := o.redecideSets(ctx, sp, anchors, decided, seen, c); err != nil {
			return err
		}
		if len(anchors) == budget {
			f.cursor = uint64(anchors[len(anchors)-1])
			break
		}
		budget -= max(1, len(anchors)) // A flip without sets costs a look-up.
		ends = append(ends, ended{f.key, f.ids})
		sp.flips.end()
	}
	// The ends count with the flush that holds the sets, or, when no set
	// changed, with whatever this owner published last.
	done := version{Epoch: o.epoch, Sequence: c.last[sp.name]}
	if done.Sequence == 0 {
		done.Sequence = sp.last
	}
	for _, e := range ends {
		for _, id := range e.ids {
			c.flips.add(sp.name, e.key, id, done, c.at)
		}
	}
	return nil
}

// setsOf returns the next sets that f.key is a member of, up to limit, in order.
func (s *store) setsOf(ctx context.Context, sp *space, f *flip, limit int) ([]identity.AnchorID, error) {
	var anchors []identity.AnchorID
	var anchor uint64
	err := s.each(ctx, `SELECT DISTINCT anchor_id FROM anchor_members
		WHERE workspace = {workspace:String} AND identifier_id = {id:UInt64} AND anchor_id > {cursor:UInt64}
		ORDER BY anchor_id LIMIT {limit:UInt64}`,
		named("workspace", sp.name, "id", uint64(f.key), "cursor", f.cursor, "limit", limit),
		[]any{&anchor}, func() error {
			anchors = append(anchors, identity.AnchorID(anchor))
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read sets of a flipped identifier: %w", err)
	}
	return anchors, nil
}

func (o *owner) redecideSets(ctx context.Context, sp *space, anchors []identity.AnchorID, decided, seen map[identity.AnchorID]bool, c *changes) error {
	var undecided []identity.AnchorID
	for _, a := range anchors {
		if !decided[a] && !seen[a] {
			seen[a] = true
			undecided = append(undecided, a)
		}
	}
	if len(undecided) == 0 {
		return nil
	}
	owners, err := o.store.owners(ctx, sp, undecided)
	if err != nil {
		return err
	}
	return o.store.members(ctx, sp, undecided, func(a identity.AnchorID, members []identity.Node) {
		now, _ := sp.graph.Deciding(members)
		if before := owners[a]; before != now && !sp.leftTo(a, before) {
			c.set(sp, identity.Attribution{Anchor: a, Old: before, New: now})
		}
	})
}

// members calls use with the members of each of anchors, in order.
func (s *store) members(ctx context.Context, sp *space, anchors []identity.AnchorID, use func(identity.AnchorID, []identity.Node)) error {
	ids, err := withIDs(ctx, slices.Compact(slices.Sorted(slices.Values(anchors))))
	if err != nil {
		return err
	}
	var anchor uint64
	var keys []uint64
	err = s.each(ids, `SELECT anchor_id, members FROM anchors
		WHERE workspace = {workspace:String} AND anchor_id IN ids ORDER BY anchor_id LIMIT 1 BY anchor_id`,
		named("workspace", sp.name), []any{&anchor, &keys}, func() error {
			use(identity.AnchorID(anchor), nodes(keys))
			return nil
		})
	if err != nil {
		return fmt.Errorf("read members of sets: %w", err)
	}
	return nil
}

// nodes are members of which only the keys are known, which is all that
// Deciding reads.
func nodes(keys []uint64) []identity.Node {
	n := make([]identity.Node, len(keys))
	for i, k := range keys {
		n[i] = identity.Node{Key: identity.Key(k)}
	}
	return n
}
