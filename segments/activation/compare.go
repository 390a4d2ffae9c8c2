package activation

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
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
	order
	segment int // the place in the list of segments
	after   identity.ProfileID
}

// order asks for a comparison.
type order struct {
	revision uint64
	// everybody has all members told again, by keys of this order.
	everybody bool
}

// wanted is what asks for a comparison now: somebody, the definition, or the time.
func (r *runner) wanted() (o order, wanted bool) {
	if r.ordered.revision > r.synced {
		o, wanted = r.ordered, true
	}
	if r.Definition.backfills() && r.Revision > r.synced {
		o.revision, wanted = max(o.revision, r.Revision), true
	}
	last := r.ChangedAt
	if r.State.SyncedAt.After(last) {
		last = r.State.SyncedAt
	}
	every := time.Duration(r.Definition.SyncHours) * time.Hour
	if !wanted && every > 0 && r.deps.Clock().Sub(last) >= every {
		o.revision, wanted = r.synced, true
	}
	return o, wanted
}

// fillCompared reads a part of a comparison into the window.
func (r *runner) fillCompared(ctx context.Context) error {
	if r.compare == nil {
		if o, wanted := r.wanted(); wanted {
			r.compare = &comparison{order: o}
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
		list, err := r.store.differences(ctx, r.Workspace, r.ID, segment, r.read, c.after, c.everybody, room)
		if err != nil {
			return err
		}
		for _, d := range list {
			c.after = d.Profile
			if !r.Definition.takes(d.Entered) || r.window.busy(segment, d.Profile) {
				continue
			}
			j := &job{Change: d.Change, key: Key(d.Change), apart: true}
			if d.known { // Who drops keys that it has seen would drop the change itself.
				j.key += "/again-" + strconv.FormatUint(c.revision, 10)
			}
			r.window.add(j)
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
		r.synced, r.State.SyncedAt, r.compare = max(r.synced, r.compare.revision), now.UTC().Truncate(time.Millisecond), nil
	}
}

// differencesSQL takes those of whom the last change before a place says something else
// than the destination was told.
const differencesSQL = `
SELECT c.profile_id, c.block, c.latest.1, c.latest.2, c.latest.3, c.latest.4, c.latest.1 = t.inside
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
WHERE c.latest.1 != t.inside OR {everybody:Bool} AND c.latest.1
ORDER BY c.profile_id
LIMIT {limit:UInt64}`

// difference is a change that a destination is to be told; known says that it was.
type difference struct {
	segments.Change
	known bool
}

// differences returns at most limit changes of profiles behind one, of which a
// destination was told something else; with those of all members where everybody is to
// be told again.
func (s *Store) differences(ctx context.Context, workspace string, id ID, segment segments.ID, until position, after identity.ProfileID, everybody bool, limit int) ([]difference, error) {
	var list []difference
	err := query(ctx, s.conn, "differences to what was told", differencesSQL, func(rows driver.Rows) error {
		c := difference{Change: segments.Change{Segment: segment}}
		var profile uint64
		var cause string
		err := rows.Scan(&profile, &c.Block, &c.Entered, &c.Time, &cause, &c.Revision, &c.known)
		c.Profile, c.Cause = identity.ProfileID(profile), segments.Cause(cause)
		list = append(list, c)
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("destination", string(id)), clickhouse.Named("segment", string(segment)),
		clickhouse.Named("after", uint64(after)), clickhouse.Named("block", until.block), clickhouse.Named("place", until.segment), clickhouse.Named("behind", until.profile),
		clickhouse.Named("everybody", everybody), clickhouse.Named("limit", uint64(limit)))
	return list, err
}

const orderedSQL = `SELECT max(revision), argMax(everybody, revision) FROM destination_syncs WHERE workspace = {workspace:String} AND destination = {destination:String}`

// ordered is the last order to compare all members; of revision 0 for none.
func (s *Store) ordered(ctx context.Context, workspace string, id ID) (o order, err error) {
	row := s.conn.QueryRow(ctx, orderedSQL, clickhouse.Named("workspace", workspace), clickhouse.Named("destination", string(id)))
	if err := row.Scan(&o.revision, &o.everybody); err != nil {
		return o, fmt.Errorf("read orders to compare: %w", profilestore.Concise(err))
	}
	return o, nil
}

// Sync is an order to compare all members of its segments with what a destination was
// told, and to send what makes the two equal.
type Sync struct {
	// Everybody has all members told again, for a receiver that has lost some.
	Everybody bool `json:"everybody,omitempty"`
}

// Sync gives an order, under a token of the revision.
func (d *Definitions) Sync(ctx context.Context, at Place, o Sync) error {
	return insert(ctx, d.conn, "sync/"+strconv.FormatUint(at.Revision, 10), "destination_syncs", "workspace, destination, revision, asked_at, actor, everybody",
		[][]any{{at.Workspace, string(at.Destination), at.Revision, at.Time, at.Actor, o.Everybody}})
}
