package warehouse

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Counting finds which rows of the reading count, as the view identity_counted says, from
// the rows of CountingSQL. Whoever asks many times a second asks this way: of the two
// tables themselves the engine answers in 3.5 ms of a processor, of the view in 11, nearly
// all of them to plan it.
type Counting struct {
	published map[uint64]uint64 // the last sequence published in each epoch
	starts    []epochStart
}

// epochStart is a row of identity_epochs: what counts of the epoch before.
type epochStart struct{ epoch, previous, seen uint64 }

// CountingSQL reads what was published in the epochs of {workspace:String} and what of
// each its successor took over.
const CountingSQL = `SELECT false AS starts, epoch, toUInt64(0) AS previous, sequence AS last FROM identity_versions WHERE workspace = {workspace:String}
UNION ALL
SELECT true, epoch, previous_epoch, last_sequence_seen FROM identity_epochs WHERE workspace = {workspace:String}`

// Scan takes a row of CountingSQL.
func (c *Counting) Scan(rows driver.Rows) error {
	var starts bool
	var epoch, previous, last uint64
	if err := rows.Scan(&starts, &epoch, &previous, &last); err != nil {
		return err
	}
	if starts {
		c.starts = append(c.starts, epochStart{epoch, previous, last})
		return nil
	}
	if c.published == nil {
		c.published = map[uint64]uint64{}
	}
	c.published[epoch] = max(c.published[epoch], last)
	return nil
}

// Counted returns, in order, the epochs of which rows count, and up to which sequence they
// do. The cuts are followed from the newest epoch back along the epochs that each took
// over from; one that the chain skips counts for nothing.
func (c *Counting) Counted() (epochs, lasts []uint64) {
	slices.SortFunc(c.starts, func(a, b epochStart) int {
		return cmp.Or(cmp.Compare(b.epoch, a.epoch), cmp.Compare(b.previous, a.previous), cmp.Compare(b.seen, a.seen))
	})
	cuts, newest := map[uint64]uint64{}, uint64(0)
	if len(c.starts) > 0 {
		newest = c.starts[0].epoch
	}
	at := newest
	for _, s := range c.starts {
		if s.epoch == at {
			at, cuts[s.previous] = s.previous, s.seen
		}
	}
	epochs, lasts = []uint64{}, []uint64{}
	for _, epoch := range slices.Sorted(maps.Keys(c.published)) {
		cut := cuts[epoch]
		if epoch >= newest {
			cut = math.MaxUint64
		}
		if last := min(c.published[epoch], cut); last > 0 {
			epochs, lasts = append(epochs, epoch), append(lasts, last)
		}
	}
	return epochs, lasts
}
