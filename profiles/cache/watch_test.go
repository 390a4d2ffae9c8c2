package cache

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// sources are what a test says has changed.
type sources struct {
	mu       sync.Mutex // Protects the fields below.
	err      error
	computed uint64
	at       Change
	keys     []identity.Key // of changes that were not asked for yet
	undone   bool
	still    time.Time // stored events are named up to then; zero for all
	deaf     bool
}

func (s *sources) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *sources) Computed(context.Context, string) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.computed, s.err
}

func (s *sources) Renamed(_ context.Context, _ string, after Change) (Change, []identity.Key, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := s.keys
	s.keys = nil
	if !s.at.After(after) {
		keys = nil
	}
	return s.at, keys, !s.undone, s.err
}

func (s *sources) Stored() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.deaf:
		return time.Time{}
	case s.still.IsZero():
		return time.Now()
	}
	return s.still
}

// TestVouchedAnswersLiveOn reads a profile, lets ten minutes pass, lets something
// happen and reads it again after some seconds: each thing that may change it, and each
// way in which that could not be told, must cost the answer, and nothing else may.
func TestVouchedAnswersLiveOn(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(c *Cache, s *sources)
		before  bool // it happens before the first read
		close   bool // and no moment before it
		wait    time.Duration
		holds   time.Duration
		loads   int64
	}{
		"nothing":                      {loads: 1},
		"nobody watches":               {happens: nil, wait: -1, loads: 2},
		"sources fail":                 {happens: func(_ *Cache, s *sources) { s.change(func() { s.err = errors.New("down") }) }, wait: 2 * time.Minute, loads: 2},
		"sources fail for a moment":    {happens: func(_ *Cache, s *sources) { s.change(func() { s.err = errors.New("down") }) }, loads: 1},
		"scores are computed":          {happens: func(_ *Cache, s *sources) { s.change(func() { s.computed++ }) }, loads: 2},
		"identity names it":            {happens: func(_ *Cache, s *sources) { s.change(func() { s.at.Sequence++; s.keys = []identity.Key{1} }) }, loads: 2},
		"identity names another":       {happens: func(_ *Cache, s *sources) { s.change(func() { s.at.Sequence++; s.keys = []identity.Key{7} }) }, loads: 1},
		"what was published is undone": {happens: func(_ *Cache, s *sources) { s.change(func() { s.undone = true }) }, loads: 2},
		"notes do not come":            {happens: func(_ *Cache, s *sources) { s.change(func() { s.still = time.Now() }) }, wait: 2 * time.Minute, loads: 2},
		"notes never came":             {happens: func(_ *Cache, s *sources) { s.change(func() { s.deaf = true }) }, before: true, loads: 2},
		"notes were lost":              {happens: func(c *Cache, _ *sources) { c.Lost("main") }, loads: 2},
		"notes of all were lost":       {happens: func(c *Cache, _ *sources) { c.Lost("") }, loads: 2},
		"notes of another were lost":   {happens: func(c *Cache, _ *sources) { c.Lost("other") }, loads: 1},
		"notes were lost before":       {happens: func(c *Cache, _ *sources) { c.Lost("main") }, before: true, loads: 1},
		"notes were lost just before":  {happens: func(c *Cache, _ *sources) { c.Lost("main") }, before: true, close: true, loads: 2},
		"a window moves":               {holds: 5 * time.Minute, loads: 2},
		"a window will move":           {holds: 15 * time.Minute, loads: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s := newWorld(), &sources{at: Change{1, 1}}
				deps := Deps{Store: w, Now: time.Now, Registerer: prometheus.NewRegistry()}
				if test.holds > 0 {
					deps.Holds = func(_ *profiles.Profile, read time.Time) time.Time { return read.Add(test.holds) }
				}
				c := run(t, DefaultConfig(), deps)
				c.realms.of("main") // Somebody has asked.
				if test.wait >= 0 {
					ctx, stop := context.WithCancel(t.Context())
					done := make(chan error)
					go func() { done <- c.Watch(ctx, s, 5*time.Second, slog.New(slog.DiscardHandler)) }()
					defer func() { stop(); <-done }()
				}
				if test.close {
					time.Sleep(10 * time.Second)
				}
				if test.before {
					test.happens(c, s)
				}
				if !test.close {
					time.Sleep(10 * time.Second)
				}
				find := func() {
					t.Helper()
					if _, err := profiles.Find(t.Context(), c, "main", 1); err != nil {
						t.Fatal(err)
					}
					c.settle()
				}
				find()
				time.Sleep(10 * time.Minute)
				if !test.before && test.happens != nil {
					test.happens(c, s)
				}
				time.Sleep(max(6*time.Second, test.wait))
				find()
				if n := w.loads.Load(); n != test.loads {
					t.Errorf("%d loads, want %d", n, test.loads)
				}
			})
		})
	}
}

// TestWatchEnds: who vouched and ended vouches no more, whatever it had said.
func TestWatchEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c := run(t, DefaultConfig(), Deps{Store: w, Now: time.Now, Registerer: prometheus.NewRegistry()})
		c.realms.of("main")
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Watch(ctx, &sources{}, 5*time.Second, slog.New(slog.DiscardHandler)) }()
		time.Sleep(2 * time.Second)
		find := func(loads int64) {
			t.Helper()
			if _, err := profiles.Find(t.Context(), c, "main", 1); err != nil {
				t.Fatal(err)
			}
			c.settle()
			if n := w.loads.Load(); n != loads {
				t.Errorf("%d loads, want %d", n, loads)
			}
		}
		find(1)
		time.Sleep(2 * time.Minute)
		find(1)
		stop()
		<-done
		find(2)
	})
}
