package api

import (
	"testing"
	"time"
)

// BenchmarkTake is what a rate costs a request.
func BenchmarkTake(b *testing.B) {
	l := limiter{rate: 1e9}
	key, now := Key{ID: "0011223344556677", Workspace: "main"}, time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for b.Loop() {
		l.take(key, now)
	}
}
