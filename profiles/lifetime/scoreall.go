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
	if _, err := f.Scorer(horizons, terms); err != nil {
		return err
	}
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
		scorer, err := f.Scorer(horizons, terms)
		if err != nil { // not after the one above
			return err
		}
		group.Go(func() error {
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
