package ledger

import (
	"context"
	"math"

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

// lowRanges is ranges for the lesser of two keys: these are denser the less they are, of
// all of them 1-(1-x)² lie below the part x of all keys.
func lowRanges(n, rows uint64) []keyRange {
	all := make([]keyRange, n/rows+1)
	from := uint64(0)
	for i := range all {
		below := 1 - math.Sqrt(1-float64(i+1)/float64(len(all)))
		all[i] = keyRange{from, uint64(math.Ldexp(below, 63)) - 1}
		from = all[i].to + 1
	}
	return all
}

// readers is the number of ranges that are read at once: while the rows of one are
// sorted the engine has another to read, and it reads each on one thread.
const readers = 2

// readAhead hands rows to a graph, in order, that are read ahead: each step reads a
// range, and returns what gives its rows to the graph.
type readAhead []func(ctx context.Context) (take func(), err error)

// rangesOf returns the steps for a table of n rows in ranges: the rows of one after the
// other, read by read, go to take in the order of key; ahead prepares those of several
// at once.
func rangesOf[T any](
	n uint64, all []keyRange, read func(context.Context, keyRange, []T) ([]T, error), key func(*T) (a, b identity.Key), ahead, take func([]T),
) (steps readAhead) {
	each := int(n)/len(all)*65/64 + 1024 // A range has more than its share, but not as many more.
	free := make(chan []T, 2*readers)    // as many as there ever are
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
			if cap(rows) < each {
				rows = graph.Large[T](each)
			}
			rows, err := read(ctx, r, rows[:0])
			if err != nil {
				return nil, err
			}
			s := <-sorters // No more read at once.
			rows = s.Sort(rows, identity.Key(r.from), identity.Key(r.to))
			sorters <- s
			ahead(rows)
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
