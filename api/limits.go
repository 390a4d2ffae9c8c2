package api

import (
	"math"
	"sync"
	"time"
)

// limiter holds keys to their rates: a bucket of tokens for each, filled by the
// second. Only keys that are known have buckets, and full ones are forgotten, so
// that memory stays that of the keys in use. It is safe for concurrent use.
type limiter struct {
	rate  float64 // tokens a second where the key has none of its own; 0: no limit
	burst int     // greatest number of tokens; 0: those of a second

	mu      sync.Mutex // Protects the fields below.
	buckets map[string]bucket
	sweep   int // buckets at which full ones are looked for
}

// bucket has what was in it at a time.
type bucket struct {
	tokens, rate, size float64
	at                 time.Time
}

// leastSweep is the number of buckets below which none is worth a search.
const leastSweep = 1000

// take uses a token of a key, or says how long to wait for one.
func (l *limiter) take(k Key, now time.Time) time.Duration {
	rate, burst := k.Rate, k.Burst
	if rate == 0 {
		rate = l.rate
	}
	if rate == 0 {
		return 0
	}
	if burst == 0 && k.Rate == 0 {
		burst = l.burst
	}
	size := math.Max(1, float64(burst))
	if burst == 0 {
		size = math.Max(1, rate)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil {
		l.buckets, l.sweep = map[string]bucket{}, leastSweep
	}
	name := k.Workspace + "\x00" + k.id()
	b, ok := l.buckets[name]
	if !ok {
		if len(l.buckets) >= l.sweep {
			l.forget(now)
		}
		b = bucket{tokens: size, at: now}
	}
	b.rate, b.size = rate, size
	b.tokens = b.filled(now)
	if now.After(b.at) {
		b.at = now
	}
	wait := time.Duration(0)
	if b.tokens < 1 {
		wait = time.Duration((1 - b.tokens) / rate * float64(time.Second))
	} else {
		b.tokens--
	}
	l.buckets[name] = b
	return wait
}

// filled is what is in the bucket now. A clock that went back adds nothing.
func (b bucket) filled(now time.Time) float64 {
	return math.Min(b.size, b.tokens+b.rate*math.Max(0, now.Sub(b.at).Seconds()))
}

// forget drops full buckets: a new one is as full. The caller holds mu.
func (l *limiter) forget(now time.Time) {
	for name, b := range l.buckets {
		if b.filled(now) >= b.size {
			delete(l.buckets, name)
		}
	}
	l.sweep = max(leastSweep, 2*len(l.buckets))
}
