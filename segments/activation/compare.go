package activation

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
)

// comparison goes through the members of all segments of a destination and what it was
// told of them, and sends what makes the two equal. It needs no place: one that is
// begun again finds what is left.
//
// It goes on beside the changes. What it sends of a profile is the last change before
// what was read of the history, by the key of that change; while another job of the
// profile in the segment waits, that one tells. So of one profile nothing is told out of
// its order.
type comparison struct {
	order   uint64 // the revision of what asked for it
	segment int    // the place in the list of segments
	after   identity.ProfileID
}

// wanted is the revision of what asks for a comparison; 0 for nothing.
func (r *runner) wanted() uint64 {
	if r.Definition.backfills() && r.synced < r.Revision {
		return r.Revision
	}
	return 0
}

// fillCompared reads a part of a comparison into the window.
func (r *runner) fillCompared(ctx context.Context) error {
	if r.compare == nil {
		if order := r.wanted(); order > 0 {
			r.compare = &comparison{order: order}
		}
	}
	if !r.comparing() || r.room() == 0 {
		return nil
	}
	// What was told must be in the table.
	if err := r.commit(ctx); err != nil {
		return err
	}
	c := r.compare
	for room := r.room(); room > 0 && c.segment < len(r.Definition.Segments); {
		segment := r.Definition.Segments[c.segment]
		list, err := r.store.differences(ctx, r.Workspace, r.ID, segment, r.read, c.after, room)
		if err != nil {
			return err
		}
		for _, change := range list {
			c.after = change.Profile
			if r.Definition.takes(change.Entered) && !r.window.busy(segment, change.Profile) {
				r.window.add(&job{Change: change, key: Key(change), apart: true})
			}
		}
		if len(list) < room {
			c.segment, c.after = c.segment+1, 0
		}
		room -= len(list)
	}
	return nil
}

// comparing reports whether there is something left to compare.
func (r *runner) comparing() bool {
	return r.compare != nil && r.compare.segment < len(r.Definition.Segments)
}

// compared ends a comparison of which everything is dealt with.
func (r *runner) compared(now time.Time) {
	if r.compare != nil && !r.comparing() && len(r.window.apart) == 0 {
		r.synced, r.State.SyncedAt, r.compare = r.compare.order, now.UTC().Truncate(time.Millisecond), nil
	}
}

// differencesSQL takes those of whom the last change before a place says something else
// than the destination was told.
const differencesSQL = `
SELECT c.profile_id, c.block, c.latest.1, c.latest.2, c.latest.3, c.latest.4
FROM
(
	SELECT profile_id, max(segment_changes.block) AS block, argMax((entered, time, toString(cause), revision), segment_changes.block) AS latest
	FROM segment_changes
	WHERE workspace = {workspace:String} AND segment = {segment:String} AND profile_id > {after:UInt64}
		AND (segment_changes.block, toString(segment), profile_id) <= ({block:UInt64}, {place:String}, {behind:UInt64})
	GROUP BY profile_id
) AS c
LEFT JOIN
(
	SELECT profile_id, argMax(entered, block) AS inside
	FROM destination_told
	WHERE workspace = {workspace:String} AND destination = {destination:String} AND segment = {segment:String} AND profile_id > {after:UInt64}
	GROUP BY profile_id
) AS t ON c.profile_id = t.profile_id
WHERE c.latest.1 != t.inside
ORDER BY c.profile_id
LIMIT {limit:UInt64}`

// differences returns at most limit changes of profiles behind one, of which a
// destination was told something else.
func (s *Store) differences(ctx context.Context, workspace string, id ID, segment segments.ID, until position, after identity.ProfileID, limit int) ([]segments.Change, error) {
	var list []segments.Change
	err := query(ctx, s.conn, "differences to what was told", differencesSQL, func(rows driver.Rows) error {
		c := segments.Change{Segment: segment}
		var profile uint64
		var cause string
		err := rows.Scan(&profile, &c.Block, &c.Entered, &c.Time, &cause, &c.Revision)
		c.Profile, c.Cause = identity.ProfileID(profile), segments.Cause(cause)
		list = append(list, c)
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("destination", string(id)), clickhouse.Named("segment", string(segment)),
		clickhouse.Named("after", uint64(after)), clickhouse.Named("block", until.block), clickhouse.Named("place", until.segment), clickhouse.Named("behind", until.profile),
		clickhouse.Named("limit", uint64(limit)))
	return list, err
}
