package clickhouse

import (
	"context"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// householdSQL takes the profiles that ever were in the household of the profile,
// by the projection of the table, and finds in which each is now.
const householdSQL = `SELECT profile_id, argMax(household_id, (epoch, sequence)) AS household
FROM household_profile
WHERE workspace = {workspace:String} AND ` + countedSQL + ` AND profile_id IN (
    SELECT profile_id FROM household_profile WHERE workspace = {workspace:String} AND household_id != 0 AND household_id IN (
        SELECT argMax(household_id, (epoch, sequence)) FROM household_profile
        WHERE workspace = {workspace:String} AND profile_id = {profile:UInt64} AND ` + countedSQL + `
    )
)
GROUP BY profile_id
HAVING household != 0
ORDER BY profile_id`

// household reads the household of the profile, and who else is in it.
func (r *reader) household(ctx context.Context, p *profiles.Profile) error {
	all := map[identity.HouseholdID][]identity.ProfileID{}
	mine := identity.HouseholdID(0)
	err := r.read(ctx, "household", householdSQL, func(rows driver.Rows) error {
		var profile, household uint64
		if err := rows.Scan(&profile, &household); err != nil {
			return err
		}
		h, id := identity.HouseholdID(household), identity.ProfileID(profile)
		if id == r.id {
			mine = h
		}
		all[h] = append(all[h], id)
		return nil
	}, r.version.bind()...)
	if mine != 0 {
		p.Household = &profiles.Household{
			ID: mine, Profiles: slices.DeleteFunc(all[mine], func(id identity.ProfileID) bool { return id == r.id }),
		}
	}
	return err
}
