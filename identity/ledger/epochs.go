package ledger

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// start is one row of identity_epochs: epoch follows previous, of which the
// rows up to seen count.
type start struct{ epoch, previous, seen uint64 }

// cuts say up to which sequence the rows of an epoch count; those of an epoch
// that is not in it do not count.
type cuts map[uint64]uint64

// countable returns the cuts under which the owner of epoch head reads. Epochs
// count along the chain from head to its previous epoch and so on. An epoch
// beside the chain belongs to an owner that was replaced before its row was
// seen, and what it wrote, its own cuts included, counts nowhere.
func countable(starts []start, head uint64) cuts {
	byEpoch := make(map[uint64]start, len(starts))
	for _, s := range starts {
		byEpoch[s.epoch] = s
	}
	c := cuts{head: math.MaxUint64}
	for s, ok := byEpoch[head]; ok && s.previous != 0 && s.previous < s.epoch; s, ok = byEpoch[s.previous] {
		c[s.previous] = s.seen
	}
	return c
}

// countedRows returns the SQL condition for rows that count, by the columns of
// their epoch and sequence; cuts.args binds it.
func countedRows(epoch, sequence string) string {
	return sequence + ` <= transform(` + epoch + `, {cut_epochs:Array(UInt64)}, {cut_sequences:Array(UInt64)}, toUInt64(0))`
}

// args binds the parameters of a query with the condition of countedRows, after pairs.
func (c cuts) args(pairs ...any) []any {
	epochs := make([]uint64, 0, len(c))
	for e := range c {
		epochs = append(epochs, e)
	}
	slices.Sort(epochs)
	sequences := make([]uint64, 0, len(c))
	for _, e := range epochs {
		sequences = append(sequences, c[e])
	}
	return named(append(pairs, "cut_epochs", epochs, "cut_sequences", sequences)...)
}

// lastEpochs returns the greatest epoch of every workspace that has one.
func (s *store) lastEpochs(ctx context.Context) (map[string]uint64, error) {
	last := map[string]uint64{}
	var workspace string
	var epoch uint64
	err := s.each(ctx, `SELECT workspace, max(epoch) FROM identity_epochs GROUP BY workspace`, nil,
		[]any{&workspace, &epoch}, func() error {
			last[workspace] = epoch
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read epochs: %w", err)
	}
	return last, nil
}

// begin makes epoch the last one of workspace and returns the cuts to read
// under. Its row is written first and read under second: whatever an older
// owner still writes is past its cut, or beside the chain.
func (o *owner) begin(ctx context.Context, workspace string) (cuts, error) {
	if err := o.deps.Publisher.StartEpoch(ctx, workspace, o.epoch); err != nil {
		return nil, fmt.Errorf("start epoch %d: %w", o.epoch, err)
	}
	starts, err := o.store.starts(ctx, workspace, o.epoch)
	if err != nil {
		return nil, err
	}
	return countable(starts, o.epoch), nil
}

// starts returns the rows of identity_epochs up to epoch.
func (s *store) starts(ctx context.Context, workspace string, epoch uint64) ([]start, error) {
	var all []start
	var r start
	err := s.each(ctx, `SELECT epoch, previous_epoch, last_sequence_seen FROM identity_epochs
		WHERE workspace = {workspace:String} AND epoch <= {epoch:UInt64}`,
		named("workspace", workspace, "epoch", epoch), []any{&r.epoch, &r.previous, &r.seen}, func() error {
			all = append(all, r)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("read epochs: %w", err)
	}
	return all, nil
}
