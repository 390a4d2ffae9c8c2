package live

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// roster is who is in which segment, as the blocks of changes up to the last one say.
// An evaluation for some profiles asks it of each of them, and the table would read
// a granule for every segment and profile. It is memory only, read from the table at a
// start and kept by whatever is appended: a bit for each segment and profile that is or
// was in any, and some twenty bytes for each profile.
type roster struct {
	places map[uint64]uint32 // of profiles among the bits
}

// bits are the members of one segment by their places.
type bits []uint64

func (b bits) has(place uint32) bool {
	return int(place/64) < len(b) && b[place/64]>>(place%64)&1 == 1
}

// enter and leave change one bit.
func (b *bits) enter(place uint32) {
	for int(place/64) >= len(*b) {
		*b = append(*b, 0)
	}
	(*b)[place/64] |= 1 << (place % 64)
}

func (b bits) leave(place uint32) {
	if int(place/64) < len(b) {
		b[place/64] &^= 1 << (place % 64)
	}
}

// has reports whether a profile is in a segment.
func (r *roster) has(t *target, profile uint64) bool {
	place, ok := r.places[profile]
	return ok && t.in.has(place)
}

// note keeps a change that is stored, and counts the members.
func (r *roster) note(t *target, profile uint64, entered bool) {
	place, ok := r.places[profile]
	if !ok {
		if r.places == nil {
			r.places = map[uint64]uint32{}
		}
		place = uint32(len(r.places))
		r.places[profile] = place
	}
	if entered {
		t.in.enter(place)
		t.members++
	} else {
		t.in.leave(place)
		t.members--
	}
}

// rosterSQL gives the members of a segment in portions.
const rosterSQL = `
SELECT groupArray(profile_id) FROM
(
	SELECT profile_id
	FROM segment_changes
	WHERE workspace = {workspace:String} AND segment = {segment:String} AND block <= {block:UInt64}
	GROUP BY profile_id
	HAVING argMax(entered, block)
)
GROUP BY intDiv(profile_id, 0x0100000000000000)
SETTINGS optimize_aggregation_in_order = 1`

// enlist reads the members of the segments of a workspace.
func (w *Worker) enlist(ctx context.Context, s *space) error {
	for _, t := range s.targets {
		err := w.store.query(ctx, "members of segments", rosterSQL, func(rows driver.Rows) error {
			var portion []uint64
			err := rows.Scan(&portion)
			for _, profile := range portion {
				s.roster.note(t, profile, true)
			}
			return err
		}, clickhouse.Named("workspace", s.name), clickhouse.Named("segment", string(t.id)), clickhouse.Named("block", s.block))
		if err != nil {
			return err
		}
	}
	return nil
}
