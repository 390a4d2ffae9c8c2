package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// tenureBlock is rows of identifier_tenures.
type tenureBlock struct {
	workspace       []string
	id              []uint64
	epoch, sequence []uint64
	untils, owners  [][]uint64 // untils are times: milliseconds, as they are sent
}

func (*tenureBlock) table() string { return "identifier_tenures" }
func (*tenureBlock) statement() string {
	return `INSERT INTO identifier_tenures (workspace, identifier_id, epoch, sequence, untils, owners)`
}
func (b *tenureBlock) rows() int { return len(b.id) }
func (b *tenureBlock) columns(i, j int) []any {
	return []any{names(b.workspace[i:j]), b.id[i:j], b.epoch[i:j], b.sequence[i:j], b.untils[i:j], b.owners[i:j]}
}

func (b *tenureBlock) add(workspace string, v version, id identity.Key, past []graph.Tenure) {
	untils, owners := make([]uint64, len(past)), make([]uint64, len(past))
	for i, t := range past {
		untils[i], owners[i] = uint64(t.Until), uint64(t.Owner)
	}
	b.workspace = append(b.workspace, workspace)
	b.id = append(b.id, uint64(id))
	b.epoch = append(b.epoch, v.Epoch)
	b.sequence = append(b.sequence, v.Sequence)
	b.untils = append(b.untils, untils)
	b.owners = append(b.owners, owners)
}

// record adds what one flush of a graph changed.
func (c *changes) record(workspace string, found graph.Changes) {
	for _, m := range found.Moves {
		c.move(workspace, m)
	}
	for _, r := range found.Retold {
		c.retell(workspace, r)
	}
	for _, r := range found.Rehoused {
		c.rehouse(workspace, r)
	}
}

// retell adds the change of an identifier's past tenures: a row with all of them,
// a change for each two owners between which events of some time move, and, with
// the first tenure, the row by which readers ask for the time of what happened to
// the identifier alone. The sets that it decides have been flagged since they were
// decided.
func (c *changes) retell(workspace string, r graph.Retelling) {
	var v version
	for _, p := range handovers(r) {
		v = c.add(workspace, identity.ChangedTenures, uint64(r.Identifier), uint64(p[0]), uint64(p[1]))
	}
	c.tenures.add(workspace, v, r.Identifier, r.New)
	if len(r.Old) == 0 {
		own := identity.Attribution{Anchor: identity.AnchorID(r.Identifier), Old: r.Identifier, New: r.Identifier}
		c.owners.decide(workspace, v, own, true)
	}
}

// handovers returns the old and the new owner of each stretch of time of which
// the owner changed, each two once, by time; the identifier itself twice where
// none did. A past tenure lasts until the next one starts, and the present one,
// the identifier's own, has no end.
func handovers(r graph.Retelling) [][2]identity.Key {
	var pairs [][2]identity.Key
	before, after := r.Old, r.New
	for {
		pair := [2]identity.Key{r.Identifier, r.Identifier}
		if len(before) > 0 {
			pair[0] = before[0].Owner
		}
		if len(after) > 0 {
			pair[1] = after[0].Owner
		}
		if pair[0] != pair[1] && !slices.Contains(pairs, pair) {
			pairs = append(pairs, pair)
		}
		switch {
		case len(before) == 0 && len(after) == 0:
			if pairs == nil {
				pairs = append(pairs, pair)
			}
			return pairs
		case len(after) == 0 || len(before) > 0 && before[0].Until < after[0].Until:
			before = before[1:]
		case len(before) == 0 || after[0].Until < before[0].Until:
			after = after[1:]
		default:
			before, after = before[1:], after[1:]
		}
	}
}

// flag says that the identifier that decides a set became one that moves between
// people, or ceased to be. Nothing else changes, and nobody needs to read again:
// its tenures, if it has any, are changes of their own.
func (c *changes) flag(sp *space, anchor identity.AnchorID, decider identity.Key) {
	a := identity.Attribution{Anchor: anchor, Old: decider, New: decider}
	c.owners.decide(sp.name, c.next(sp.name), a, sp.graph.Moving(decider))
}

// diffGraph publishes the difference between what the graph of sp found, from
// nothing, and what is published.
func (o *owner) diffGraph(ctx context.Context, sp *space, found graph.Changes, c *changes) error {
	if err := o.diffProfiles(ctx, sp, found.Moves, c); err != nil {
		return fmt.Errorf("compare profiles with the published ones: %w", err)
	}
	if err := o.diffTenures(ctx, sp, found.Retold, c); err != nil {
		return fmt.Errorf("compare past tenures with the published ones: %w", err)
	}
	if err := o.diffHouseholds(ctx, sp, found.Rehoused, c); err != nil {
		return fmt.Errorf("compare households with the published ones: %w", err)
	}
	return nil
}

// diffTenures compares past tenures, of which the graph found those in told, with
// the published ones.
func (o *owner) diffTenures(ctx context.Context, sp *space, told []graph.Retelling, c *changes) error {
	s := sideBySide[graph.Retelling]{
		list: told, key: func(r graph.Retelling) uint64 { return uint64(r.Identifier) },
		visit: func(r graph.Retelling) error {
			c.retell(sp.name, r)
			return o.spillFull(ctx, sp, c)
		},
	}
	var id uint64
	var untils []int64
	var owners []uint64
	err := o.store.each(ctx, `SELECT identifier_id, arrayMap(u -> toUnixTimestamp64Milli(u), argMax(untils, (epoch, sequence))),
			argMax(owners, (epoch, sequence)) FROM identifier_tenures
		WHERE workspace = {workspace:String} AND `+countedRows("epoch", "sequence")+`
		GROUP BY identifier_id ORDER BY identifier_id SETTINGS optimize_aggregation_in_order = 1`,
		sp.cuts.args("workspace", sp.name), []any{&id, &untils, &owners}, func() error {
			r := graph.Retelling{Identifier: identity.Key(id)}
			for i, u := range untils {
				r.Old = append(r.Old, graph.Tenure{Until: u, Owner: identity.Key(owners[i])})
			}
			now, _, err := s.at(id)
			if err != nil {
				return err
			}
			if r.New = now.New; slices.Equal(r.Old, r.New) {
				return nil
			}
			return s.visit(r)
		})
	if err != nil {
		return err
	}
	return s.rest()
}

// sideBySide walks a list and rows, both in order of key, so that neither needs
// an index.
type sideBySide[T any] struct {
	list  []T
	key   func(T) uint64
	visit func(T) error // what has no row
}

// at visits what lies before the row of key, and returns what has this key; false
// for none.
func (s *sideBySide[T]) at(key uint64) (found T, ok bool, err error) {
	for len(s.list) > 0 && s.key(s.list[0]) < key {
		if err := s.visit(s.list[0]); err != nil {
			return found, false, err
		}
		s.list = s.list[1:]
	}
	if len(s.list) == 0 || s.key(s.list[0]) != key {
		return found, false, nil
	}
	found, s.list = s.list[0], s.list[1:]
	return found, true, nil
}

// rest visits what lies behind the last row.
func (s *sideBySide[T]) rest() error {
	for _, t := range s.list {
		if err := s.visit(t); err != nil {
			return err
		}
	}
	return nil
}
