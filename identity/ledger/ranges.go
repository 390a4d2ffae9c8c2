package ledger

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// keyRange is a range of keys of identifiers, both ends included.
type keyRange struct{ from, to uint64 }

// rangeRows is about the number of rows in one range. The engine would need three
// times as long to merge its parts into the order of their keys as it does to read
// them: ranges are sorted here.
const rangeRows = 1 << 18

// ranges cuts all keys into ranges for n rows. Keys are hashes of 63 bits, so that
// ranges of one length have about as many rows.
func ranges(n uint64) []keyRange {
	count := n/rangeRows + 1
	length := uint64(1)<<63/count + 1
	all := make([]keyRange, count)
	for i := range all {
		all[i] = keyRange{uint64(i) * length, uint64(i+1)*length - 1}
	}
	return all
}

// rangeByRange reads the rows of one range after the other, and gives those of one
// to take while the next one is read. count is the query for their number.
func rangeByRange[T any](
	ctx context.Context, l *loader, count string, read func(context.Context, keyRange, []T) ([]T, error),
	key func(*T) (a, b identity.Key), take func([]T),
) error {
	var n uint64
	err := l.store.each(ctx, count, named("workspace", l.space.name), []any{&n}, func() error { return nil })
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	full, free := make(chan []T), make(chan []T, 2)
	free <- nil
	free <- nil
	group.Go(func() error {
		defer close(full)
		s, all := graph.Sorter[T]{Key: key}, ranges(n)
		each := int(n)/len(all) + rangeRows/64 // A range has more than its share, but not as many more.
		for _, r := range all {
			var rows []T
			select {
			case rows = <-free:
			case <-ctx.Done():
				return ctx.Err()
			}
			rows, err := read(ctx, r, slices.Grow(rows[:0], each))
			if err != nil {
				return err
			}
			select {
			case full <- s.Sort(rows, identity.Key(r.from), identity.Key(r.to)):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for rows := range full {
		take(rows)
		free <- rows
	}
	return group.Wait()
}
