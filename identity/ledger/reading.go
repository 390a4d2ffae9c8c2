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
// tenures, households. With whole
// it compares all sets as well: the rules may be others than those by which the
// published ones were decided.
func (o *owner) catchUp(ctx context.Context, sp *space, found graph.Changes, whole bool) error {
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
	if err := o.decidePending(ctx, sp, c); err != nil {
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
	var id, profile uint64
	err := o.store.each(ctx, `SELECT identifier_id, argMax(profile_id, (epoch, sequence)) FROM identifier_profile
		WHERE workspace = {workspace:String} AND `+countedRows("epoch", "sequence")+`
		GROUP BY identifier_id ORDER BY identifier_id SETTINGS optimize_aggregation_in_order = 1`,
		sp.cuts.args("workspace", sp.name), []any{&id, &profile}, func() error {
			key := identity.Key(id)
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

// decidePending decides the sets that are stored without a row that decides
// them: their owner stopped between the two. Evidence read again would find
// them as well, but the ledger must not need it.
func (o *owner) decidePending(ctx context.Context, sp *space, c *changes) error {
	var anchor uint64
	var keys []uint64
	return o.store.each(ctx, setsWithOwners(`WHERE p.anchor_id = 0`),
		sp.cuts.args("workspace", sp.name), []any{&anchor, &keys, new(uint64), new(bool)}, func() error {
			if key, ok := sp.graph.Deciding(nodes(keys)); ok && !sp.disowned[identity.AnchorID(anchor)] {
				c.set(sp, identity.Attribution{Anchor: identity.AnchorID(anchor), New: key})
			}
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
