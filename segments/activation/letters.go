package activation

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/segments"
)

// States of letters.
const (
	LetterDead      = "dead"
	LetterAsked     = "asked" // it is to be sent again
	LetterDelivered = "delivered"
	LetterObsolete  = "obsolete" // a later change has overtaken it, or nothing is left to send
)

// Letter is a change that a destination did not take.
type Letter struct {
	ID       string // that of the change: segment/block/profile
	Change   segments.Change
	Version  uint64
	Time     time.Time // of its state
	State    string
	Reason   string
	Status   uint16 // that the receiver answered last; 0 for none
	Attempts uint32
	Answer   string // personal
}

// lettersSQL takes letters in a state, or in any, behind one in the order of their
// changes.
const lettersSQL = `
SELECT l.segment, l.profile_id, l.block, l.version, l.latest.1, l.latest.2, l.latest.3, l.latest.4, l.latest.5, l.latest.6, l.latest.7, l.latest.8, l.latest.9, l.latest.10
FROM
(
	SELECT segment, profile_id, block, max(destination_letters.version) AS version,
		argMax((time, toString(state), entered, changed_at, toString(cause), revision, toString(reason), status, attempts, answer), destination_letters.version) AS latest
	FROM destination_letters
	WHERE workspace = {workspace:String} AND destination = {destination:String}
		AND ({all:Bool} OR (segment, block, profile_id) IN arrayZip({segments:Array(String)}, {blocks:Array(UInt64)}, {profiles:Array(UInt64)}))
		AND (block, toString(segment), profile_id) > ({block:UInt64}, {segment:String}, {after:UInt64})
	GROUP BY segment, profile_id, block
) AS l
WHERE {state:String} IN ('', l.latest.2)
ORDER BY l.block, l.segment, l.profile_id
LIMIT {limit:UInt64}`

// letterQuery picks letters.
type letterQuery struct {
	workspace   string
	destination ID
	state       string   // all where it is empty
	ids         []string // all where it is nil
	from        position
	limit       int
}

func (s *Store) letters(ctx context.Context, q letterQuery) ([]Letter, error) {
	segmentNames, blocks, profiles := []string{}, []uint64{}, []uint64{}
	for _, id := range q.ids {
		c, ok := parseKey(id)
		if !ok {
			continue
		}
		segmentNames, blocks, profiles = append(segmentNames, string(c.Segment)), append(blocks, c.Block), append(profiles, uint64(c.Profile))
	}
	list := []Letter{}
	err := query(ctx, s.conn, "letters of a destination", lettersSQL, func(rows driver.Rows) error {
		var l Letter
		var profile uint64
		var segment, cause string
		c := &l.Change
		err := rows.Scan(&segment, &profile, &c.Block, &l.Version, &l.Time, &l.State, &c.Entered, &c.Time, &cause, &c.Revision, &l.Reason, &l.Status, &l.Attempts, &l.Answer)
		c.Segment, c.Profile, c.Cause = segments.ID(segment), identity.ProfileID(profile), segments.Cause(cause)
		c.Time, l.Time = c.Time.UTC(), l.Time.UTC()
		l.ID = Key(*c)
		list = append(list, l)
		return err
	}, clickhouse.Named("workspace", q.workspace), clickhouse.Named("destination", string(q.destination)), clickhouse.Named("state", q.state),
		clickhouse.Named("all", q.ids == nil), clickhouse.Named("segments", segmentNames), clickhouse.Named("blocks", blocks), clickhouse.Named("profiles", profiles),
		clickhouse.Named("block", q.from.block), clickhouse.Named("segment", q.from.segment), clickhouse.Named("after", q.from.profile),
		clickhouse.Named("limit", uint64(q.limit)))
	return list, err
}

// Letters returns at most limit letters of a destination in a state, or in any where it
// is empty, behind the letter after, in the order of their changes.
func (s *Store) Letters(ctx context.Context, workspace string, id ID, state, after string, limit int) ([]Letter, error) {
	q := letterQuery{workspace: workspace, destination: id, state: state, limit: limit}
	if c, ok := parseKey(after); ok {
		q.from = behind(c)
	}
	return s.letters(ctx, q)
}

// parseKey reads what Key writes.
func parseKey(key string) (c segments.Change, ok bool) {
	segment, rest, _ := strings.Cut(key, "/")
	block, profile, _ := strings.Cut(rest, "/")
	n, err := strconv.ParseUint(block, 10, 64)
	if err != nil {
		return c, false
	}
	id, err := identity.ParseProfileID(profile)
	if err != nil || !segments.ID(segment).Valid() {
		return c, false
	}
	return segments.Change{Segment: segments.ID(segment), Block: n, Profile: id}, true
}

// Redelivery asks for letters to be sent again.
type Redelivery struct {
	Letters []string `json:"letters,omitempty"` // ids; all that are dead where it is empty
}

// MaxRedelivery bounds the letters that are sent again by one command.
const MaxRedelivery = 10_000

// Redeliver asks for letters to be sent again, and returns how many. It writes under a
// token of the revision, so that asked twice is asked once.
func (d *Definitions) Redeliver(ctx context.Context, at Place, r Redelivery) (int, error) {
	for _, id := range r.Letters {
		if _, ok := parseKey(id); !ok {
			return 0, fmt.Errorf("%w: a letter is named by segment/block/profile", ErrRefused)
		}
	}
	if len(r.Letters) > MaxRedelivery {
		return 0, fmt.Errorf("%w: at most %d letters at a time", ErrRefused, MaxRedelivery)
	}
	if len(r.Letters) == 0 {
		r.Letters = nil
	}
	dead, err := NewStore(d.conn).letters(ctx, letterQuery{workspace: at.Workspace, destination: at.Destination, state: LetterDead, ids: r.Letters, limit: MaxRedelivery})
	if err != nil {
		return 0, err
	}
	rows := make([][]any, len(dead))
	for i := range dead {
		l := &dead[i]
		l.Version, l.Time, l.State = max(l.Version+1, uint64(at.Time.UnixMilli())), at.Time, LetterAsked
		rows[i] = letterRow(at.Workspace, at.Destination, l)
	}
	return len(rows), insert(ctx, d.conn, "redelivery/"+strconv.FormatUint(at.Revision, 10), "destination_letters", letterColumns, rows)
}

const letterColumns = "workspace, destination, segment, profile_id, block, version, time, state, entered, changed_at, cause, revision, reason, status, attempts, answer"

func letterRow(workspace string, id ID, l *Letter) []any {
	c := l.Change
	return []any{
		workspace, string(id), string(c.Segment), uint64(c.Profile), c.Block, l.Version, l.Time, l.State, c.Entered, c.Time, string(c.Cause), c.Revision,
		l.Reason, l.Status, l.Attempts, l.Answer,
	}
}
