package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// catchUp publishes what the loaded ledger says beyond what is published. found is
// what the graph says of it: profiles that are not an identifier's own key, past
// tenures, households. pending are the sets of pendingSets. With whole
// it compares all sets as well: the rules may be others than those by which the
// published ones were decided.
func (o *owner) catchUp(ctx context.Context, sp *space, found graph.Changes, pending []identity.AnchorID, whole bool) error {
	c := o.newChanges(causeRestart)
	if whole {
		c.cause = causeRules
		queue := sp.flips
		sp.flips = newFlips()
		return o.publishWhole(ctx, sp, queue, found, c)
	}
	if err := o.diffGraph(ctx, sp, found, c); err != nil {
		return err
	}
	if err := o.decidePending(ctx, sp, c, pending, fewPending); err != nil {
		return fmt.Errorf("decide pending sets: %w", err)
	}
	return o.publishSpilled(ctx, sp, c)
}

// publishSpilled stores what is left of c and makes all of it visible.
func (o *owner) publishSpilled(ctx context.Context, sp *space, c *changes) error {
	if c.last[sp.name] == 0 && c.flips.rows() == 0 {
		return nil
	}
	if err := o.spill(ctx, sp, c); err != nil {
		return err
	}
	if c.last[sp.name] == 0 {
		return nil
	}
	if err := o.at("version"); err != nil {
		return err
	}
	if err := o.deps.Publisher.Publish(ctx, sp.name, o.epoch, c.last[sp.name]); err != nil {
		return fmt.Errorf("publish at %d/%d: %w", o.epoch, c.last[sp.name], err)
	}
	o.log.Info("reading differed from the ledger", "workspace", sp.name, "cause", c.cause, "changes", c.total)
	sp.last = c.last[sp.name]
	return nil
}

// spill stores the rows of c and empties it, so that a difference of any size
// needs little memory. Nobody sees the rows before their version is published.
func (o *owner) spill(ctx context.Context, sp *space, c *changes) error {
	if err := o.at("catch up"); err != nil {
		return err
	}
	if err := o.store.insert(ctx, o.token("restart/"+sp.name), c.blocks()...); err != nil {
		return err
	}
	c.profiles, c.owners, c.history, c.flips, c.notices = newProfileBlock(), newOwnerBlock(), historyBlock{}, flipBlock{}, nil
	c.tenures, c.households = tenureBlock{}, newHouseholdBlock()
	return nil
}

// spillFull spills c when it has as many rows as one insert takes.
func (o *owner) spillFull(ctx context.Context, sp *space, c *changes) error {
	if max(c.history.rows(), c.owners.rows()) < o.cfg.InsertRows {
		return nil
	}
	return o.spill(ctx, sp, c)
}

// diffProfiles walks the moves and the published rows side by side, in order of
// identifier, so that neither needs an index.
func (o *owner) diffProfiles(ctx context.Context, sp *space, moves []identity.Move, c *changes) error {
	slices.SortFunc(moves, func(a, b identity.Move) int {
		if a.Identifier < b.Identifier {
			return -1
		}
		return 1
	})
	next := 0
	behind := func(key identity.Key) error { // moves before key were never published
		for ; next < len(moves) && moves[next].Identifier < key; next++ {
			m := moves[next]
			c.move(sp.name, identity.Move{Identifier: m.Identifier, Old: identity.ProfileID(m.Identifier), New: m.New})
			if err := o.spillFull(ctx, sp, c); err != nil {
				return err
			}
		}
		return nil
	}
	err := o.eachPublished(ctx, sp, func(key identity.Key, profile uint64) error {
		if err := behind(key); err != nil {
			return err
		}
		now := identity.ProfileID(key)
		if next < len(moves) && moves[next].Identifier == key {
			now = moves[next].New
			next++
		}
		if _, gone := sp.erased[key]; gone && profile == 0 && now == identity.ProfileID(key) {
			now = 0 // A household value without a row has no namespace to tell it by.
		}
		if now != identity.ProfileID(profile) {
			c.move(sp.name, identity.Move{Identifier: key, Old: identity.ProfileID(profile), New: now})
		}
		return o.spillFull(ctx, sp, c)
	})
	if err != nil {
		return err
	}
	return behind(1 << 63) // above every key
}

// eachPublished visits the published profile of each identifier that has one, in
// order of identifier. The last row of each stands, and is found here: the query says
// the order, which is that of the table's key, so that the engine merges its parts
// and sorts nothing; to group the rows costs it more than to send them. Rows of one
// version are one row, inserted twice.
func (o *owner) eachPublished(ctx context.Context, sp *space, visit func(key identity.Key, profile uint64) error) error {
	var id, profile uint64  // of the row
	var last, stands uint64 // of the rows before it; no identifier is 0
	err := o.store.each(ctx, `SELECT identifier_id, profile_id FROM identifier_profile
		WHERE workspace = {workspace:String} AND `+countedRows("epoch", "sequence")+`
		ORDER BY identifier_id, epoch, sequence`,
		sp.cuts.args("workspace", sp.name), []any{&id, &profile}, func() error {
			if id != last && last != 0 {
				if err := visit(identity.Key(last), stands); err != nil {
					return err
				}
			}
			last, stands = id, profile
			return nil
		})
	if err != nil || last == 0 {
		return err
	}
	return visit(identity.Key(last), stands)
}

// pendingSets returns the anchors of the sets that are stored without a row that
// decides them, few at most: their owner stopped between the two. Evidence read again
// would find them as well, but the ledger must not need it. It is asked for before the
// sightings are loaded, or while they are: those of its members are stored before a set.
func (o *owner) pendingSets(ctx context.Context, sp *space, few int) (pending []identity.AnchorID, err error) {
	var anchor uint64
	err = o.store.each(ctx, pendingSets, sp.cuts.args("workspace", sp.name, "limit", uint64(few)), []any{&anchor}, func() error {
		pending = append(pending, identity.AnchorID(anchor))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find pending sets: %w", err)
	}
	return pending, nil
}

// decidePending decides pending sets. As a rule there are few, which were found by
// their anchors alone, without the members of all others. From few on they are many,
// and not all of them were found.
func (o *owner) decidePending(ctx context.Context, sp *space, c *changes, pending []identity.AnchorID, few int) error {
	switch {
	case len(pending) == 0:
		return nil
	case len(pending) >= few:
		return o.decideAllPending(ctx, sp, c)
	}
	err := o.store.members(ctx, sp, pending, func(a identity.AnchorID, members []identity.Node) {
		o.decideSet(sp, a, members, c)
	})
	if err != nil {
		return err
	}
	return o.spillFull(ctx, sp, c)
}

// fewPending is the number of pending sets from which they are no few: as many
// anchors go to the engine in one query.
const fewPending = 1 << 15

// pendingSets is the query for the anchors of up to limit sets without a row that
// decides them. Both sides are read in the order of their keys and joined side by
// side. An anchor comes as often as the engine holds it, until it has merged its parts.
var pendingSets = `SELECT s.anchor_id FROM
	(SELECT anchor_id FROM anchors WHERE workspace = {workspace:String} ORDER BY anchor_id) AS s
	LEFT JOIN
	(SELECT anchor_id FROM anchor_owner WHERE workspace = {workspace:String} AND ` + countedRows("epoch", "sequence") + ` ORDER BY anchor_id) AS p
	ON s.anchor_id = p.anchor_id WHERE p.anchor_id = 0 LIMIT {limit:UInt64}
	SETTINGS join_algorithm = 'full_sorting_merge'`

// decideSet decides a set that no row decides yet.
func (o *owner) decideSet(sp *space, anchor identity.AnchorID, members []identity.Node, c *changes) {
	if key, ok := sp.graph.Deciding(members); ok && !sp.disowned[anchor] {
		c.set(sp, identity.Attribution{Anchor: anchor, New: key})
	}
}

// decideAllPending is decidePending where there are many, as in a workspace that is
// published for the first time.
func (o *owner) decideAllPending(ctx context.Context, sp *space, c *changes) error {
	var anchor uint64
	var keys []uint64
	return o.store.each(ctx, setsWithOwners(`WHERE p.anchor_id = 0`),
		sp.cuts.args("workspace", sp.name), []any{&anchor, &keys, new(uint64), new(bool)}, func() error {
			o.decideSet(sp, identity.AnchorID(anchor), nodes(keys), c)
			return o.spillFull(ctx, sp, c)
		})
}

// setsWithOwners returns the query for the sets of a workspace that meet where, in
// order of anchor: anchor, members, the published deciding identifier, 0 for
// none, and whether that moves. Both sides are read in the order of their keys
// and joined side by side: a set in memory of those that are decided takes 3 GiB
// for eight million.
func setsWithOwners(where string) string {
	return `SELECT s.anchor_id, s.members, p.owner.1, p.owner.2 FROM
		(SELECT anchor_id, any(members) AS members FROM anchors WHERE workspace = {workspace:String}
			GROUP BY anchor_id ORDER BY anchor_id) AS s
		LEFT JOIN
		(SELECT anchor_id, argMax((owner_id, has_tenures), (epoch, sequence)) AS owner FROM anchor_owner
			WHERE workspace = {workspace:String} AND ` + countedRows("epoch", "sequence") + ` GROUP BY anchor_id ORDER BY anchor_id) AS p
		ON s.anchor_id = p.anchor_id ` + where + ` ORDER BY s.anchor_id
		SETTINGS optimize_aggregation_in_order = 1, join_algorithm = 'full_sorting_merge'`
}
