package nextproduct

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// rankedTogether is the number of customers whom one goroutine ranks for at a time.
const rankedTogether = 1024

// rankedChunk is what one goroutine ranks; done is closed when it has.
type rankedChunk struct {
	from int
	next [][]Product
	done chan struct{}
}

// RankInOrder ranks at most n products for each of many customers on all processors, as
// Next does for one, and calls each in the order of the customers, from one goroutine,
// while others rank for those that follow: no more than some thousand rankings are held
// at a time. An error of each is the end, and is returned.
func (m *Model) RankInOrder(ctx context.Context, customers [][]Basket, n int, each func(i int, next []Product) error) error {
	workers := runtime.GOMAXPROCS(0)
	work, ordered := make(chan *rankedChunk), make(chan *rankedChunk, workers)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(work)
		defer close(ordered)
		for from := 0; from < len(customers); from += rankedTogether {
			c := &rankedChunk{from, make([][]Product, min(rankedTogether, len(customers)-from)), make(chan struct{})}
			for _, to := range []chan *rankedChunk{ordered, work} {
				select {
				case to <- c:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	for range workers {
		group.Go(func() error {
			r := m.Ranker()
			for c := range work {
				for i := range c.next {
					c.next[i] = r.Next(customers[c.from+i], n)
				}
				close(c.done)
			}
			return nil
		})
	}
	group.Go(func() error { return inOrder(ctx, ordered, each) })
	return group.Wait()
}

// inOrder waits for one chunk after the other and calls each for what is in it.
func inOrder(ctx context.Context, chunks <-chan *rankedChunk, each func(i int, next []Product) error) error {
	for c := range chunks {
		select {
		case <-c.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		for i, next := range c.next {
			if err := each(c.from+i, next); err != nil {
				return err
			}
		}
	}
	return nil
}
