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

// ranges cuts all keys into ranges of about so many of n rows. Keys are hashes of 63 bits, so that
// ranges of one length have about as many rows.
func ranges(n, rows uint64) []keyRange {
	count := n/rows + 1
	length := uint64(1)<<63/count + 1
	all := make([]keyRange, count)
	for i := range all {
		all[i] = keyRange{uint64(i) * length, uint64(i+1)*length - 1}
	}
	return all
}

// readers is the number of ranges that are read at once: while the rows of one are
// sorted the engine has another to read, and it reads each on one thread.
const readers = 2

// readAhead hands rows to a graph, in order, that are read ahead: each step reads a
// range, and returns what gives its rows to the graph.
type readAhead []func(ctx context.Context) (take func(), err error)

// rangesOf returns the steps for a table of n rows: the rows of one range after the
// other, read by read, go to take in the order of key.
func rangesOf[T any](
	n, perRange uint64, read func(context.Context, keyRange, []T) ([]T, error), key func(*T) (a, b identity.Key), take func([]T),
) (steps readAhead) {
	all := ranges(n, perRange)
	each := int(n)/len(all) + int(perRange)/64 // A range has more than its share, but not as many more.
	free := make(chan []T, 2*readers)          // as many as there ever are
	sorters := make(chan *graph.Sorter[T], readers)
	for range readers {
		sorters <- &graph.Sorter[T]{Key: key}
	}
	for _, r := range all {
		steps = append(steps, func(ctx context.Context) (func(), error) {
			var rows []T
			select {
			case rows = <-free:
			default:
			}
			rows, err := read(ctx, r, slices.Grow(rows[:0], each))
			if err != nil {
				return nil, err
			}
			s := <-sorters // No more read at once.
			rows = s.Sort(rows, identity.Key(r.from), identity.Key(r.to))
			sorters <- s
			return func() {
				take(rows)
				free <- rows
			}, nil
		})
	}
	return steps
}

// run reads and takes. Of what is read little more waits to be taken than is being read.
func (r readAhead) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	read := make([]chan func(), len(r))
	for i := range read {
		read[i] = make(chan func(), 1)
	}
	ahead := make(chan struct{}, readers+1)
	next := make(chan int)
	group.Go(func() error {
		defer close(next)
		for i := range r {
			if !push(ctx, ahead, struct{}{}) || !push(ctx, next, i) {
				return ctx.Err()
			}
		}
		return nil
	})
	for range readers {
		group.Go(func() error {
			for i := range next {
				take, err := r[i](ctx)
				if err != nil {
					return err
				}
				read[i] <- take
			}
			return nil
		})
	}
	for _, c := range read {
		select {
		case take := <-c:
			take()
			<-ahead
		case <-ctx.Done():
			return group.Wait()
		}
	}
	return group.Wait()
}

// push sends to c; false when ctx ended first.
func push[T any](ctx context.Context, c chan<- T, v T) bool {
	select {
	case c <- v:
		return true
	case <-ctx.Done():
		return false
	}
}
