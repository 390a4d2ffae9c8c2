package linkage

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// divide has n pieces of work done by as many goroutines as there are workers.
// Which of them does which piece is open: what comes out must be kept by piece,
// or by worker where its order is nothing. It ends early with the error of ctx.
func divide(ctx context.Context, workers, n int, do func(worker, piece int)) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for w := range min(workers, n) {
		group.Go(func() error {
			for {
				piece := int(next.Add(1)) - 1
				if piece >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				do(w, piece)
			}
		})
	}
	return group.Wait()
}
