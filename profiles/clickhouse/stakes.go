package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// stakesSQL counts the events of many profiles at once. It reads the sets in
// which an identifier that is or was of one of them takes part, and asks the
// reading whose each event is; what a phone did for its owner before last is read
// only where another identifier leads to it. The keys of events begin with the
// anchor, so it costs what those profiles have, and a scan at most.
var stakesSQL = `WITH mine AS (
    SELECT identifier_id FROM identifier_profile WHERE workspace = {workspace:String} AND profile_id IN {profiles:Array(UInt64)}
    UNION DISTINCT
    SELECT arrayJoin({profiles:Array(UInt64)})
)
SELECT ` + warehouse.EventProfile("anchor_id", "time") + ` AS profile, count(), toFloat64(0)
FROM events
WHERE workspace = {workspace:String} AND anchor_id IN (
    SELECT anchor_id FROM anchor_members WHERE workspace = {workspace:String} AND identifier_id IN (SELECT identifier_id FROM mine)
    UNION ALL
    SELECT identifier_id FROM mine
)
GROUP BY profile
HAVING profile IN {profiles:Array(UInt64)}
UNION ALL
SELECT profile_id, toUInt64(0), value
FROM (
    SELECT profile_id, computed_at, value FROM scores
    WHERE workspace = {workspace:String} AND profile_id IN {profiles:Array(UInt64)} AND score = {score:String}
    ORDER BY profile_id, computed_at DESC
    LIMIT 1 BY profile_id
)
WHERE computed_at >= (SELECT max(computed_at) FROM scores WHERE workspace = {workspace:String} AND profile_id = 0 AND score = {score:String})`

// Stakes returns what hangs on profiles, by their present ids: the number of
// their events, and their value by the newest score of a name, 0 where it was
// withdrawn or never made. Profiles with neither are left out.
func (s *Store) Stakes(ctx context.Context, workspace, score string, ids []identity.ProfileID) (map[identity.ProfileID]identity.Stake, error) {
	found := make(map[identity.ProfileID]identity.Stake, len(ids))
	bound := make([]uint64, len(ids)) // Not nil: the driver sends nil as NULL.
	for i, id := range ids {
		bound[i] = uint64(id)
	}
	err := s.query(ctx, stakesSQL, func(rows driver.Rows) error {
		var id, events uint64
		var value float64
		if err := rows.Scan(&id, &events, &value); err != nil {
			return err
		}
		stake := found[identity.ProfileID(id)]
		stake.Events += events
		stake.Value += value
		found[identity.ProfileID(id)] = stake
		return nil
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("score", score), clickhouse.Named("profiles", bound))
	if err != nil {
		return nil, fmt.Errorf("read what hangs on profiles: %w", err)
	}
	return found, nil
}
