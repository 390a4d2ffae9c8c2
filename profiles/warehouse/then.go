package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Owner returns the SQL expression of the identifier that decides whose an anchor is
// in the reading, whatever the time: the first hop of AnchorProfile.
func (r Reading) Owner(anchor string) string {
	e := expressions{at: r}
	return e.read("toUInt64(" + unflagged(e.owner(anchor)) + ")")
}

// Holder returns the SQL expression of the identifier to whom another one, that moves
// between people, belonged at a time, an SQL expression of type DateTime64; itself for
// all others. id must be the name of a column: the text has it several times.
func (r Reading) Holder(id, time string) string {
	if r.bound && !r.tenures {
		return id
	}
	e := expressions{at: r}
	return e.read(e.tenureOwner(id, "_held_"+id, time))
}

// Past is what there is to undo of the reading of a workspace to have it as it was at a
// time.
type Past struct {
	// Changes says that something changed since, Erasures that something was ever erased.
	Changes, Erasures bool
	epochs, last      []uint64
}

const pastSQL = `SELECT (SELECT count() FROM identity_changes WHERE workspace = {workspace:String} AND changed_at >= fromUnixTimestamp64Milli({at:Int64}, 'UTC') AND subject_kind IN ('identifier', 'set')) > 0,
	(SELECT count() FROM identity_erasures WHERE workspace = {workspace:String}) > 0, groupArray(epoch), groupArray(last_sequence)
FROM identity_counted WHERE workspace = {workspace:String}`

// PastOf looks what changed in the reading of a workspace since a time.
func PastOf(ctx context.Context, conn driver.Conn, workspace string, at time.Time) (Past, error) {
	p := Past{epochs: []uint64{}, last: []uint64{}}
	err := conn.QueryRow(ctx, pastSQL, clickhouse.Named("workspace", workspace), clickhouse.Named("at", at.UnixMilli())).Scan(&p.Changes, &p.Erasures, &p.epochs, &p.last)
	if err != nil {
		return p, fmt.Errorf("read what changed in the reading: %w", err)
	}
	return p, nil
}

// Args adds the parameters that Changed needs.
func (p Past) Args(args ...any) []any {
	if !p.Changes {
		return args
	}
	return append(args, clickhouse.Named("counted_epochs", p.epochs), clickhouse.Named("counted_last", p.last))
}

// Changed returns the SELECT of what the reading said, before a time, of the subjects of
// one kind ("identifier" or "set") that changed since: subject and was, of type UInt64.
// since is an expression of type DateTime64. It binds {workspace:String} and what Args
// adds. Rows that do not count for readers do not count here, so that a replaced owner
// rewrites no past.
func Changed(kind, since string) string {
	return fmt.Sprintf(`SELECT subject_id AS subject, argMin(old_id, (epoch, sequence)) AS was
FROM identity_changes
WHERE workspace = {workspace:String} AND subject_kind = '%s' AND changed_at >= %s
    AND sequence <= transform(epoch, {counted_epochs:Array(UInt64)}, {counted_last:Array(UInt64)}, toUInt64(0))
GROUP BY subject_id`, kind, since)
}
