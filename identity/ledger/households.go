package ledger

import (
	"context"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

func newHouseholdBlock() *hopBlock {
	return &hopBlock{name: "household_profile", insert: `INSERT INTO household_profile
		(workspace, profile_id, epoch, sequence, household_id, previous_id)`}
}

// rehouse adds the change of a profile's household.
func (c *changes) rehouse(workspace string, r graph.Rehousing) {
	v := c.add(workspace, identity.ChangedHousehold, uint64(r.Profile), uint64(r.Old), uint64(r.New))
	c.households.add(workspace, v, uint64(r.Profile), uint64(r.New), uint64(r.Old))
}

// diffHouseholds compares households, of which the graph found those in housed,
// with the published ones.
func (o *owner) diffHouseholds(ctx context.Context, sp *space, housed []graph.Rehousing, c *changes) error {
	s := sideBySide[graph.Rehousing]{
		list: housed, key: func(r graph.Rehousing) uint64 { return uint64(r.Profile) },
		visit: func(r graph.Rehousing) error {
			c.rehouse(sp.name, r)
			return o.spillFull(ctx, sp, c)
		},
	}
	var profile, household uint64
	err := o.store.each(ctx, `SELECT profile_id, argMax(household_id, (epoch, sequence)) FROM household_profile
		WHERE workspace = {workspace:String} AND `+countedRows("epoch", "sequence")+`
		GROUP BY profile_id ORDER BY profile_id SETTINGS optimize_aggregation_in_order = 1`,
		sp.cuts.args("workspace", sp.name), []any{&profile, &household}, func() error {
			now, _, err := s.at(profile)
			if err != nil {
				return err
			}
			r := graph.Rehousing{Profile: identity.ProfileID(profile), Old: identity.HouseholdID(household), New: now.New}
			if r.Old == r.New {
				return nil
			}
			return s.visit(r)
		})
	if err != nil {
		return err
	}
	return s.rest()
}
