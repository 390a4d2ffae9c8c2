package gather_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/gather"
)

// shelf is a store that answers when it is let, and notes its batches.
type shelf struct {
	gate  chan struct{}
	takes time.Duration // each batch, once it is let

	mu      sync.Mutex
	batches []string // Protected by mu.
	news    []string // workspaces of which there is a newer version; protected by mu
	err     error
}

func (s *shelf) note(ctx context.Context, workspace string, n int) error {
	s.mu.Lock()
	s.batches = append(s.batches, fmt.Sprint(workspace, n))
	s.mu.Unlock()
	select {
	case <-s.gate:
		time.Sleep(s.takes) // By the clock of the test.
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.err
}

func (s *shelf) ResolveMany(ctx context.Context, workspace string, keys []identity.Key) ([]identity.ProfileID, error) {
	ids := make([]identity.ProfileID, len(keys))
	for i, k := range keys {
		ids[i] = identity.ProfileID(k / 10)
	}
	return ids, s.note(ctx, workspace, len(keys))
}

func (s *shelf) LoadMany(ctx context.Context, workspace string, ids []identity.ProfileID) ([]*profiles.Profile, error) {
	found := make([]*profiles.Profile, len(ids))
	for i, id := range ids {
		switch {
		case id == 666:
			panic("bad id")
		case id != 404:
			found[i] = &profiles.Profile{ID: id}
		}
	}
	return found, s.note(ctx, workspace, len(ids))
}

func (s *shelf) Refresh(workspace string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.news = append(s.news, workspace)
}

func (s *shelf) Resolve(context.Context, string, identity.Key) (identity.ProfileID, error) {
	panic("not gathered")
}

func (s *shelf) Load(context.Context, string, identity.ProfileID) (*profiles.Profile, error) {
	panic("not gathered")
}

func newGatherer(t *testing.T, running, most int, next profiles.Batcher) *gather.Gatherer {
	t.Helper()
	cfg := gather.DefaultConfig()
	cfg.Running, cfg.Most = running, most
	g, err := gather.New(cfg, next)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestReadsShareBatches: the first read goes alone and at once; what comes while it
// is read makes the next batches, each workspace by itself, equal reads once, none
// larger than it may be; and everybody gets their own answer.
func TestReadsShareBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{gate: make(chan struct{})}
		g := newGatherer(t, 1, 4, s)
		var wg sync.WaitGroup
		load := func(workspace string, id identity.ProfileID) {
			wg.Add(1)
			go func() {
				defer wg.Done()
				p, err := g.Load(t.Context(), workspace, id)
				if id == 404 && !errors.Is(err, profiles.ErrNotFound) || id != 404 && (err != nil || p.ID != id) {
					t.Errorf("load %d: %v, %v", id, p, err)
				}
			}()
			synctest.Wait()
		}
		load("a", 1)
		for _, id := range []identity.ProfileID{2, 3, 404, 3, 5} {
			load("a", id)
		}
		load("b", 7)
		close(s.gate)
		wg.Wait()
		if got, want := fmt.Sprint(s.batches), "[a1 a3 b1 a1]"; got != want {
			t.Errorf("batches %s, want %s", got, want)
		}
	})
}

// apart returns a gatherer of batches that begin up to 4 ms apart and take so long, which it
// knows from one.
func apart(t *testing.T, takes time.Duration) (*gather.Gatherer, *shelf) {
	t.Helper()
	s := &shelf{gate: make(chan struct{}), takes: takes}
	close(s.gate)
	cfg := gather.DefaultConfig()
	cfg.Apart = 4 * time.Millisecond
	g, err := gather.New(cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Resolve(t.Context(), "a", 10); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // By the clock of the test.
	return g, s
}

// TestBatchesApart: who comes alone is answered at once, and those who come within twice
// the time that a batch takes share the next, which begins then, or after Apart.
func TestBatchesApart(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		takes   time.Duration
		answers map[time.Duration]time.Duration // of who comes then
		batches int
	}{
		{2 * ms, map[time.Duration]time.Duration{0: 2 * ms, ms: 6 * ms, 2 * ms: 6 * ms, 3 * ms: 6 * ms, 5 * ms: 10 * ms, 20 * ms: 22 * ms}, 4},
		{5 * ms, map[time.Duration]time.Duration{0: 5 * ms, ms: 9 * ms, 2 * ms: 9 * ms, 20 * ms: 25 * ms}, 3},
		{ms / 2, map[time.Duration]time.Duration{0: ms / 2, ms / 4: ms + ms/2, ms / 2: ms + ms/2, 3 * ms: 3*ms + ms/2}, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			g, s := apart(t, c.takes)
			start := time.Now()
			var wg sync.WaitGroup
			for after, want := range c.answers {
				wg.Go(func() {
					time.Sleep(after)
					if _, err := g.Resolve(t.Context(), "a", identity.Key(10+after)); err != nil {
						t.Error(err)
					}
					if got := time.Since(start); got != want {
						t.Errorf("batches of %v: who came after %v was answered after %v, want %v", c.takes, after, got, want)
					}
				})
			}
			wg.Wait()
			if n := len(s.batches) - 1; n != c.batches {
				t.Errorf("%d batches of %v, want %d", n, c.takes, c.batches)
			}
		})
	}
}

// TestManyKeysAtOnce: several keys of one caller come back in their order, whatever
// batches they were read in, and with them those that others asked for meanwhile, once.
func TestManyKeysAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := gather.DefaultConfig()
		cfg.Running, cfg.Most = 1, 3
		var batches []int
		gate := make(chan struct{})
		q := gather.NewQueue(cfg, func(_ context.Context, _ string, keys []int) ([]int, error) {
			<-gate
			batches = append(batches, len(keys))
			squares := make([]int, len(keys))
			for i, k := range keys {
				squares[i] = k * k
			}
			return squares, nil
		})
		var wg sync.WaitGroup
		for _, keys := range [][]int{{1}, {5, 4, 5, 6, 7}, {7, 5}, {}} {
			wg.Go(func() {
				got, err := q.GetMany(t.Context(), "a", keys...)
				for i, k := range keys {
					if err != nil || got[i] != k*k {
						t.Errorf("%v: %v, %v", keys, got, err)
					}
				}
			})
			synctest.Wait()
		}
		close(gate)
		wg.Wait()
		if got, want := fmt.Sprint(batches), "[1 2 2 1]"; got != want {
			t.Errorf("batches of %s, want %s", got, want)
		}
	})
}

// TestWhoLeavesLeavesAlone: a caller that goes away ends nothing for the others, a
// fault of the store reaches all of its batch, and a panic is one.
func TestWhoLeavesLeavesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{gate: make(chan struct{}), err: errors.New("down")}
		g := newGatherer(t, 1, 4, s)
		ctx, leave := context.WithCancel(t.Context())
		got := make(chan error, 3)
		go func() { _, err := g.Resolve(ctx, "a", 10); got <- err }()
		synctest.Wait()
		go func() { _, err := g.Resolve(t.Context(), "a", 20); got <- err }()
		synctest.Wait()
		leave()
		if err := <-got; !errors.Is(err, context.Canceled) {
			t.Errorf("who left: %v", err)
		}
		close(s.gate)
		if err := <-got; err == nil || err.Error() != "down" {
			t.Errorf("who stayed: %v", err)
		}
		if _, err := g.Load(t.Context(), "a", 666); err == nil {
			t.Error("a panic is no error")
		}
		s.err = nil
		if id, err := g.Resolve(t.Context(), "a", 50); id != 5 || err != nil {
			t.Errorf("after all that: %v, %v", id, err)
		}
	})
}

// TestRefreshReachesTheStore: the cache tells of a newer version, and only the store
// that keeps the one before can forget it.
func TestRefreshReachesTheStore(t *testing.T) {
	s := &shelf{gate: make(chan struct{})}
	var g profiles.Refresher = newGatherer(t, 1, 4, s)
	g.Refresh("a")
	if fmt.Sprint(s.news) != "[a]" {
		t.Errorf("the store heard of %v", s.news)
	}
}
