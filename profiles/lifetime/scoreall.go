package lifetime

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// scoredTogether is the number of customers that one goroutine scores at a time.
const scoredTogether = 4096

// ScoreAll scores many customers on all processors, as Scorer.Score does one:
// each is called once for every customer, with its place, from several
// goroutines at once. What is computed does not depend on their number.
// ScoreAll returns the faults of horizons and terms, or the error of ctx.
func (f *Fitted) ScoreAll(ctx context.Context, customers []Customer, horizons []float64, terms Terms, each func(i int, s Score, err error)) error {
	chunks := make(chan int)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(chunks)
		for from := 0; from < len(customers); from += scoredTogether {
			select {
			case chunks <- from:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			scorer, err := f.Scorer(horizons, terms)
			if err != nil {
				return err
			}
			for from := range chunks {
				for i := from; i < min(from+scoredTogether, len(customers)); i++ {
					s, err := scorer.Score(customers[i])
					each(i, s, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// scoredChunk is what one goroutine scores; done is closed when it has.
type scoredChunk struct {
	from   int
	scores []Score
	faults []error
	done   chan struct{}
}

// ScoreInOrder scores as ScoreAll does, but each is called in the order of the
// customers, by one goroutine, while others score those that follow: no more than
// some ten thousand scores are held at a time. An error of each is the end, and is
// returned.
func (f *Fitted) ScoreInOrder(ctx context.Context, customers []Customer, horizons []float64, terms Terms, each func(i int, s Score, err error) error) error {
	workers := runtime.GOMAXPROCS(0)
	next, ordered := make(chan *scoredChunk), make(chan *scoredChunk, workers)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(next)
		defer close(ordered)
		for from := 0; from < len(customers); from += scoredTogether {
			n := min(scoredTogether, len(customers)-from)
			c := &scoredChunk{from, make([]Score, n), make([]error, n), make(chan struct{})}
			for _, to := range []chan *scoredChunk{ordered, next} {
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
			scorer, err := f.Scorer(horizons, terms)
			if err != nil {
				return err
			}
			for c := range next {
				for i := range c.scores {
					c.scores[i], c.faults[i] = scorer.Score(customers[c.from+i])
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
func inOrder(ctx context.Context, chunks <-chan *scoredChunk, each func(i int, s Score, err error) error) error {
	for c := range chunks {
		select {
		case <-c.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		for i := range c.scores {
			if err := each(c.from+i, c.scores[i], c.faults[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
