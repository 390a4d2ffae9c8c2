package propensity

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// workers is how many goroutines share the work; results never depend on it.
func workers() int { return runtime.GOMAXPROCS(0) }

// parallel calls f for 0 to n-1 on several goroutines and returns when all are
// done. What f writes must be its own.
func parallel(n, workers int, f func(i int)) {
	if workers <= 1 || n <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(workers, n) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wait.Wait()
}

// chunkRows is the number of rows that are summed apart: sums of chunks are
// added in their order, so that they do not depend on the processors.
const chunkRows = 4096

// chunks calls f for every chunk of n rows.
func chunks(n, workers int, f func(chunk, from, to int)) {
	parallel((n+chunkRows-1)/chunkRows, workers, func(i int) {
		f(i, i*chunkRows, min(n, (i+1)*chunkRows))
	})
}
