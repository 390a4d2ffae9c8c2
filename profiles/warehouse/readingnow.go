package warehouse

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Reading writes the reading of the ledger into the text of queries. The zero value
// is that of AnchorProfile and its siblings: each query finds the published version by
// itself, whoever sends it.
//
// To find it costs the server more than a small query does: the versions, the cuts and
// the folds are four tables and two joins, and they are planned once more wherever the
// text names the reading. A program that sends several queries, or small ones, asks
// ReadingNow once and binds what it found. Where nothing was changed since the base was
// loaded, no identifier ever moved between people and nobody is restricted, which is
// the rule on a day without a merge, its queries name none of these at all. Planning
// of a segment over orders, 22 000 transactions, two busy cores, milliseconds:
//
//	                             analysis   plan   query
//	each query by itself               59     85     116
//	bound, with recent changes         22     41      75
//	bound, without                      7     17      50
type Reading struct {
	bound bool
	// Whether there are published changes past the base, tenures, and restrictions.
	recent, tenures, restricted bool
	epochs                      string // arrays as texts
	sure, last                  string
}

// AnchorProfile is the function AnchorProfile for the reading.
func (r Reading) AnchorProfile(anchor string) string {
	return expressions{at: r}.anchorProfile(anchor)
}

// EventProfile is the function EventProfile for the reading.
func (r Reading) EventProfile(anchor, time string) string {
	return expressions{at: r}.eventProfile(anchor, time)
}

// EventOwner is the function EventOwner for the reading.
func (r Reading) EventOwner(anchor, time, name string) (owner, profile string) {
	return expressions{at: r}.eventOwner(anchor, time, name)
}

// IdentifierProfile is the function IdentifierProfile for the reading.
func (r Reading) IdentifierProfile(id string) string { return expressions{at: r}.identifierProfile(id) }

// Unrestricted is the function Unrestricted for the reading.
func (r Reading) Unrestricted(profile string) string {
	if r.bound && !r.restricted {
		return "1"
	}
	return profile + " NOT IN (SELECT " + r.IdentifierProfile("identifier_id") + " FROM restricted_identifiers WHERE workspace = {workspace:String})"
}

// Restricted reports whether the processing of anybody may be restricted.
func (r Reading) Restricted() bool { return !r.bound || r.restricted }

// Tenures reports whether any identifier may ever have moved between people.
func (r Reading) Tenures() bool { return !r.bound || r.tenures }

// Bind adds the parameters of the reading to those of a query that uses it. A query
// binds the workspace itself.
func (r Reading) Bind(parameters map[string]string) {
	if r.bound && r.recent {
		parameters["reading_epochs"], parameters["reading_sure"], parameters["reading_last"] = r.epochs, r.sure, r.last
	}
}

// Args is Bind for queries with arguments.
func (r Reading) Args(args ...any) []any {
	if r.bound && r.recent {
		args = append(args, clickhouse.Named("reading_epochs", r.epochs), clickhouse.Named("reading_sure", r.sure), clickhouse.Named("reading_last", r.last))
	}
	return args
}

// boundRecent is the column recent of the view reading for bound ranges.
const boundRecent = `SELECT (groupArrayIf(id, hop = 1), groupArrayIf(value, hop = 1), groupArrayIf(id, hop = 2), groupArrayIf(value, hop = 2), ` +
	`groupArrayIf(id, hop = 3), groupArrayIf(tenures, hop = 3)) FROM (SELECT hop, id, value, tenures FROM reading_recent WHERE workspace = {workspace:String} ` +
	`AND sequence > transform(epoch, {reading_epochs:Array(UInt64)}, {reading_sure:Array(UInt64)}, toUInt64(-1)) ` +
	`AND sequence <= transform(epoch, {reading_epochs:Array(UInt64)}, {reading_last:Array(UInt64)}, toUInt64(0)) ORDER BY epoch DESC, sequence DESC)`

// There are never tenures or restrictions in a table that has never had a row.
const nowSQL = `SELECT (SELECT count() FROM identifier_tenures) > 0, (SELECT count() FROM restrictions) > 0,
	groupArray(epoch), groupArray(sure_sequence), groupArray(last_sequence)
FROM reading_ranges
WHERE workspace = {workspace:String} AND last_sequence > sure_sequence`

// ReadingNow returns the reading of a workspace at the version that is published now:
// queries that are written by it and start at once see one version, all of them. A fold
// waits for queries that run, and not for one that will be sent: a query that starts
// after the next fold has ended may see some identifiers as they were later.
func ReadingNow(ctx context.Context, conn driver.Conn, workspace string) (Reading, error) {
	r := Reading{bound: true}
	var epochs, sure, last []uint64
	if err := conn.QueryRow(ctx, nowSQL, clickhouse.Named("workspace", workspace)).Scan(&r.tenures, &r.restricted, &epochs, &sure, &last); err != nil {
		return Reading{}, fmt.Errorf("read the version of the reading: %w", err)
	}
	r.recent = len(epochs) > 0
	r.epochs, r.sure, r.last = arrayText(epochs), arrayText(sure), arrayText(last)
	return r, nil
}

func arrayText(list []uint64) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, n := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatUint(n, 10))
	}
	b.WriteByte(']')
	return b.String()
}
