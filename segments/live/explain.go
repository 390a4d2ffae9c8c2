package live

import (
	"context"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// explain finds the leaves by which each change came: those whose answer is another
// than at the last change of the profile in the segment, or, where there was none
// under the definition, those that let it in or keep it out. A segment of one leaf is
// moved by that one, whatever was before.
func (w *Worker) explain(ctx context.Context, s *space, changes []change) error {
	pointers := map[*target][]string{}
	var several []*change // that came by some of several leaves
	for i := range changes {
		c := &changes[i]
		if c.target.archived || c.Cause == segments.ByProfile {
			continue
		}
		if pointers[c.target] == nil {
			pointers[c.target] = segments.Pointers(c.target.definition, c.target.resolved)
		}
		if len(pointers[c.target]) == 1 {
			c.Leaves = append(c.Leaves, pointers[c.target]...)
		} else {
			several = append(several, c)
		}
	}
	before := map[standing]lastChange{}
	if s.block > 0 {
		for part := range slices.Chunk(several, 50_000) {
			if err := w.lastChanges(ctx, s, part, before); err != nil {
				return err
			}
		}
	}
	for _, c := range several {
		last, ok := before[standing{c.target, c.Profile}]
		for n, pointer := range pointers[c.target] {
			holds := c.leaves>>n&1 == 1
			turned := holds == c.Entered
			if ok && last.revision == c.Revision {
				turned = holds != (last.leaves>>n&1 == 1)
			}
			if turned {
				c.Leaves = append(c.Leaves, pointer)
			}
		}
	}
	return nil
}

// standing is a profile in a segment, or out of it.
type standing struct {
	target  *target
	profile identity.ProfileID
}

// lastChange is what the last change of a profile in a segment has kept.
type lastChange struct{ revision, leaves uint64 }

// beforeSQL names the segments as well: of each profile that has changed in one, the
// table has changes in many others.
const beforeSQL = `
SELECT segment, profile_id, argMax(revision, block) AS revision, argMax(leaves, block) AS leaves
FROM segment_changes
WHERE workspace = {workspace:String} AND segment IN {segments:Array(String)} AND profile_id IN (SELECT id FROM asked) AND block <= {block:UInt64}
GROUP BY segment, profile_id`

// lastChanges reads the last changes before some.
func (w *Worker) lastChanges(ctx context.Context, s *space, changes []*change, into map[standing]lastChange) error {
	targets, names := map[string]*target{}, []string{}
	profiles := make([]uint64, len(changes))
	for i, c := range changes {
		if targets[string(c.Segment)] == nil {
			targets[string(c.Segment)] = c.target
			names = append(names, string(c.Segment))
		}
		profiles[i] = uint64(c.Profile)
	}
	slices.Sort(profiles)
	ctx, err := sql.WithIDs(ctx, "asked", slices.Compact(profiles))
	if err != nil {
		return err
	}
	return w.store.query(ctx, "changes of segments before", beforeSQL, func(rows driver.Rows) error {
		var id string
		var profile uint64
		var last lastChange
		err := rows.Scan(&id, &profile, &last.revision, &last.leaves)
		into[standing{targets[id], identity.ProfileID(profile)}] = last
		return err
	}, clickhouse.Named("workspace", s.name), clickhouse.Named("segments", names), clickhouse.Named("block", s.block))
}
