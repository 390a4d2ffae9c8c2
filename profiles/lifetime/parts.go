package lifetime

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// partSize is the number of things whose sum is one term of a larger one.
const partSize = 2048

// parts returns how many parts n things have.
func parts(n int) int { return (n + partSize - 1) / partSize }

// inParts calls f for each part of n things, i being its number, on all processors
// at once, and returns when all are done. Where parts begin depends on n alone: who
// keeps one sum of each and adds them up in order has the same bits on any number of
// processors.
func inParts(n int, f func(i, from, to int)) {
	spread(parts(n), func(i int) { f(i, i*partSize, min(n, (i+1)*partSize)) })
}

// spread calls f for 0 to n-1 on all processors at once, and returns when all are done.
func spread(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wait.Wait()
}
