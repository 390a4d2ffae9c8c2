package personas

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls f for 0 to n-1 on several goroutines and returns when all are
// done. What f writes must be its own.
func parallel(n int, f func(i int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wait.Wait()
}

// chunkRows is the number of rows that are summed apart: sums of chunks are added
// in their order, so that they do not depend on the processors.
const chunkRows = 8192

// chunks calls f for every chunk of n rows.
func chunks(n int, f func(chunk, from, to int)) {
	parallel((n+chunkRows-1)/chunkRows, func(i int) { f(i, i*chunkRows, min(n, (i+1)*chunkRows)) })
}
