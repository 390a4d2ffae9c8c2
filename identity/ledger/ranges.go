package ledger

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
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
		s := sorter[T]{key: key}
		for _, r := range ranges(n) {
			var rows []T
			select {
			case rows = <-free:
			case <-ctx.Done():
				return ctx.Err()
			}
			rows, err := read(ctx, r, rows[:0])
			if err != nil {
				return err
			}
			select {
			case full <- s.sort(rows):
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

// sorter sorts rows by key. It sorts places, which are a third of a row.
type sorter[T any] struct {
	key    func(*T) (a, b identity.Key)
	places []place
	spare  []T
}

type place struct {
	a  identity.Key
	at int
}

// sort returns rows in order, and keeps their memory for the next ones.
func (s *sorter[T]) sort(rows []T) []T {
	s.places = s.places[:0]
	for i := range rows {
		a, _ := s.key(&rows[i])
		s.places = append(s.places, place{a, i})
	}
	slices.SortFunc(s.places, func(x, y place) int {
		if x.a != y.a {
			return cmp.Compare(x.a, y.a)
		}
		_, b := s.key(&rows[x.at])
		_, c := s.key(&rows[y.at])
		return cmp.Compare(b, c)
	})
	sorted := s.spare[:0]
	for _, p := range s.places {
		sorted = append(sorted, rows[p.at])
	}
	s.spare = rows
	return sorted
}
