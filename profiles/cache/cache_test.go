package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// world is a store whose truth a test changes: which profile holds each
// identifier, and a version that every change raises.
type world struct {
	mu      sync.Mutex // Protects the fields below.
	profile map[identity.Key]identity.ProfileID
	version map[identity.ProfileID]int
	shared  map[identity.ProfileID]identity.Key // a former identifier, and a household
	size    int                                 // of a trait, to fill memory
	err     error
	entered chan struct{} // receives when a read has seen the truth
	leave   chan struct{} // a read waits for it before it returns

	resolves, loads atomic.Int64
}

func newWorld() *world {
	w := &world{profile: map[identity.Key]identity.ProfileID{}, version: map[identity.ProfileID]int{}}
	for k := identity.Key(1); k <= 10; k++ {
		w.profile[k] = identity.ProfileID((k + 1) / 2 * 2) // Profiles 2, 4, … of two identifiers each.
	}
	return w
}

func (w *world) pause() {
	w.mu.Lock()
	entered, leave := w.entered, w.leave
	w.mu.Unlock()
	if entered != nil {
		entered <- struct{}{}
		<-leave
	}
}

func (w *world) Resolve(_ context.Context, workspace string, key identity.Key) (identity.ProfileID, error) {
	w.resolves.Add(1)
	w.mu.Lock()
	id, ok := w.profile[key]
	err := w.err
	w.mu.Unlock()
	w.pause()
	if err != nil {
		return 0, err
	}
	if !ok || workspace != "main" {
		return 0, profiles.ErrNotFound
	}
	return id, nil
}

func (w *world) Load(_ context.Context, workspace string, id identity.ProfileID) (*profiles.Profile, error) {
	w.loads.Add(1)
	w.mu.Lock()
	p := &profiles.Profile{ID: id, IdentifierCount: w.version[id]}
	for k, owner := range w.profile {
		if owner == id {
			p.Keys = append(p.Keys, k)
		}
	}
	if k, ok := w.shared[id]; ok {
		p.Former, p.Household = []identity.Key{k}, &profiles.Household{ID: identity.HouseholdID(k + 100)}
	}
	if w.size > 0 {
		p.Traits = []profiles.Trait{{Name: "big", Value: make([]byte, w.size)}}
	}
	err := w.err
	w.mu.Unlock()
	w.pause()
	if err != nil {
		return nil, err
	}
	if len(p.Keys) == 0 || workspace != "main" {
		return nil, profiles.ErrNotFound
	}
	return p, nil
}

// start runs a cache over w until the test ends.
func start(t testing.TB, cfg Config, w *world) *Cache {
	t.Helper()
	return run(t, cfg, Deps{Store: w, Now: time.Now, Registerer: prometheus.NewRegistry()})
}

func run(t testing.TB, cfg Config, deps Deps) *Cache {
	t.Helper()
	c, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	running, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- c.Run(ctx, func() { close(running) }) }()
	<-running
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return c
}

// settle waits until ristretto has applied what was set.
func (c *Cache) settle() { c.store.Load().Wait() }

func TestRemembers(t *testing.T) {
	ctx := context.Background()
	w := newWorld()
	c := start(t, DefaultConfig(), w)
	for range 5 {
		p, err := profiles.Find(ctx, c, "main", 1)
		if err != nil || p.ID != 2 {
			t.Fatalf("find: %+v, %v", p, err)
		}
		c.settle()
	}
	if w.resolves.Load() != 1 || w.loads.Load() != 1 {
		t.Errorf("store was asked %d and %d times", w.resolves.Load(), w.loads.Load())
	}
	if got := testutil.ToFloat64(c.metrics.requests.WithLabelValues("load", "hit")); got != 4 {
		t.Errorf("%v hits, want 4", got)
	}
}

// TestWhoIsReadIsThere: ristretto takes a profile in some time after it was given, and
// whoever asks for it until then does not read it again.
func TestWhoIsReadIsThere(t *testing.T) {
	w := newWorld()
	c := start(t, DefaultConfig(), w)
	for range 20 {
		if p, err := profiles.Find(context.Background(), c, "main", 1); err != nil || p.ID != 2 {
			t.Fatalf("find: %+v, %v", p, err)
		}
	}
	if w.resolves.Load() != 1 || w.loads.Load() != 1 {
		t.Errorf("store was asked %d and %d times", w.resolves.Load(), w.loads.Load())
	}
}

func TestWorkspacesAreApart(t *testing.T) {
	ctx := context.Background()
	w := newWorld()
	c := start(t, DefaultConfig(), w)
	if _, err := profiles.Find(ctx, c, "main", 1); err != nil {
		t.Fatal(err)
	}
	c.settle()
	if _, err := c.Resolve(ctx, "other", 2); !errors.Is(err, profiles.ErrNotFound) {
		t.Errorf("resolve in another workspace: %v", err)
	}
	if _, err := c.Load(ctx, "other", 2); !errors.Is(err, profiles.ErrNotFound) {
		t.Errorf("load in another workspace: %v", err)
	}
	c.settle()
	if _, err := profiles.Find(ctx, c, "main", 1); err != nil || w.loads.Load() != 2 {
		t.Errorf("the other workspace's question cost the answer of this one: %v, %d loads", err, w.loads.Load())
	}
}

func TestNegativeAnswersLiveShortly(t *testing.T) {
	ctx := context.Background()
	w := newWorld()
	cfg := DefaultConfig()
	cfg.NegativeTTL = 50 * time.Millisecond
	c := start(t, cfg, w)
	ask := func() error { _, err := c.Resolve(ctx, "main", 99); c.settle(); return err }
	for range 3 {
		if err := ask(); !errors.Is(err, profiles.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if w.resolves.Load() != 1 {
		t.Errorf("store was asked %d times", w.resolves.Load())
	}
	w.mu.Lock()
	w.profile[99] = 2
	w.mu.Unlock()
	deadline := time.Now().Add(5 * time.Second)
	for ask() != nil {
		if time.Now().After(deadline) {
			t.Fatal("a negative answer does not end")
		}
	}
}

func TestErrorsAreNotRemembered(t *testing.T) {
	ctx := context.Background()
	w := newWorld()
	c := start(t, DefaultConfig(), w)
	w.err = errors.New("down")
	if _, err := profiles.Find(ctx, c, "main", 1); !errors.Is(err, w.err) {
		t.Fatal(err)
	}
	c.settle()
	w.err = nil
	if _, err := profiles.Find(ctx, c, "main", 1); err != nil {
		t.Error(err)
	}
}

// TestInvalidateByAnyKey forgets a profile by each name that a notice may use.
func TestInvalidateByAnyKey(t *testing.T) {
	ctx := context.Background()
	for name, key := range map[string]identity.Key{"the id": 2, "the identifier that was asked for": 1, "another": 2} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			c := start(t, DefaultConfig(), w)
			find := func() int {
				p, err := profiles.Find(ctx, c, "main", 1)
				if err != nil {
					t.Fatal(err)
				}
				c.settle()
				return p.IdentifierCount
			}
			find()
			w.mu.Lock()
			w.version[2]++
			w.mu.Unlock()
			if find() != 0 {
				t.Error("answer was not cached")
			}
			c.Invalidate("main", key)
			if find() != 1 {
				t.Error("answer from before the invalidation")
			}
		})
	}
	t.Run("a stranger's", func(t *testing.T) {
		w := newWorld()
		c := start(t, DefaultConfig(), w)
		for range 2 {
			if _, err := profiles.Find(ctx, c, "main", 1); err != nil {
				t.Fatal(err)
			}
			c.settle()
			c.Invalidate("main", 3, 4, 77)
		}
		if w.loads.Load() != 1 {
			t.Error("a stranger's notice cost the answer")
		}
	})
}

// TestManyKeysAreNamed names more keys than are named at once: all of them count.
func TestManyKeysAreNamed(t *testing.T) {
	w := newWorld()
	c := start(t, DefaultConfig(), w)
	load := func() {
		for _, id := range []identity.ProfileID{2, 4} {
			if _, err := c.Load(t.Context(), "main", id); err != nil {
				t.Fatal(err)
			}
			c.settle()
		}
	}
	load()
	keys := make([]identity.Key, 2*maxNamedAtOnce+2)
	for i := range keys {
		keys[i] = identity.Key(1000 + i)
	}
	keys[0], keys[len(keys)-1] = 2, 4
	c.Invalidate("main", keys...)
	load()
	if n := w.loads.Load(); n != 4 {
		t.Errorf("%d loads of two profiles that were both named", n)
	}
}

// TestReadUnderWayIsNotKept invalidates while the store is being read: who
// comes after the invalidation must not join that read, and its answer must
// not be cached.
func TestReadUnderWayIsNotKept(t *testing.T) {
	ctx := context.Background()
	w := newWorld()
	c := start(t, DefaultConfig(), w)
	w.entered, w.leave = make(chan struct{}), make(chan struct{})
	versions := make(chan int, 2)
	load := func() {
		p, err := c.Load(ctx, "main", 2)
		if err != nil {
			t.Error(err)
		}
		versions <- p.IdentifierCount
	}
	go load()
	<-w.entered // The read has seen version 0.
	w.mu.Lock()
	w.version[2] = 1
	w.mu.Unlock()
	c.Invalidate("main", 1) // An identifier that the reader does not know of yet.

	go load() // Joins the read, but must not take its answer.
	for joined := false; !joined; {
		c.ledger.mu.Lock()
		joined = c.ledger.active == 3 // Two callers and one flight.
		c.ledger.mu.Unlock()
	}
	w.leave <- struct{}{}
	if v := <-versions; v != 0 {
		t.Errorf("who came before the invalidation got version %d", v)
	}
	<-w.entered
	w.leave <- struct{}{}
	if v := <-versions; v != 1 {
		t.Errorf("who came after the invalidation got version %d", v)
	}
	c.settle()
	w.mu.Lock()
	w.entered = nil
	w.mu.Unlock()
	if p, err := c.Load(ctx, "main", 2); err != nil || p.IdentifierCount != 1 {
		t.Errorf("cached: %+v, %v", p, err)
	}
	if got := testutil.ToFloat64(c.metrics.discarded); got != 1 {
		t.Errorf("%v answers discarded, want 1", got)
	}
}

// In a bubble, because only there is it known that every caller waits for the
// flight: one that has merely begun would start another.
func TestEqualReadsAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		c := start(t, DefaultConfig(), w)
		w.entered, w.leave = make(chan struct{}), make(chan struct{})
		const callers = 50
		var wait sync.WaitGroup
		ctx, cancel := context.WithCancel(context.Background())
		for i := range callers {
			wait.Go(func() {
				own := context.Background()
				if i == 0 {
					own = ctx
				}
				if _, err := c.Load(own, "main", 2); err != nil && i != 0 {
					t.Error(err)
				}
			})
		}
		<-w.entered
		synctest.Wait()
		cancel() // One caller goes away; the others get their answer.
		w.leave <- struct{}{}
		wait.Wait()
		if w.loads.Load() != 1 {
			t.Errorf("%d loads for %d equal reads", w.loads.Load(), callers)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	ctx := context.Background()
	w := newWorld()
	w.size = 10 << 10
	for k := identity.Key(1); k <= 1000; k++ {
		w.profile[k] = identity.ProfileID(k)
	}
	cfg := DefaultConfig()
	cfg.MaxBytes = 1 << 20
	c := start(t, cfg, w)
	for k := identity.Key(1); k <= 1000; k++ {
		if _, err := profiles.Find(ctx, c, "main", k); err != nil {
			t.Fatal(err)
		}
	}
	c.settle()
	s := c.store.Load()
	if used := s.MaxCost() - s.RemainingCost(); used > cfg.MaxBytes || used < cfg.MaxBytes/2 {
		t.Errorf("%d bytes used of %d", used, cfg.MaxBytes)
	}
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	if held := len(c.holders); held > int(cfg.MaxBytes)/w.size || held == 0 {
		t.Errorf("index holds %d profiles", held)
	}
}

// TestManyAtOnce changes the truth and invalidates while readers run: no
// reader may see a version older than what was invalidated before it asked.
func TestManyAtOnce(t *testing.T) {
	ctx := context.Background()
	w := newWorld()
	cfg := DefaultConfig()
	cfg.MaxBytes = 1 << 20
	c := start(t, cfg, w)
	var published [11]atomic.Int64
	var wait sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wait.Go(func() {
			for k := identity.Key(1); ; k = k%10 + 1 {
				select {
				case <-stop:
					return
				default:
				}
				id := (k + 1) / 2 * 2
				least := published[id].Load()
				p, err := profiles.Find(ctx, c, "main", k)
				if err != nil || int64(p.IdentifierCount) < least {
					t.Errorf("profile %d: version %v after %d was published, %v", id, p, least, err)
					return
				}
			}
		})
	}
	for n := range 20_000 {
		id := identity.ProfileID(n%5*2 + 2)
		w.mu.Lock()
		w.version[id]++
		v := w.version[id]
		w.mu.Unlock()
		c.Invalidate("main", identity.Key(id)-identity.Key(n%2))
		published[id].Store(int64(v))
	}
	close(stop)
	wait.Wait()
}

func TestWithoutRunItOnlyPasses(t *testing.T) {
	w := newWorld()
	c, err := New(DefaultConfig(), Deps{Store: w, Now: time.Now, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if p, err := profiles.Find(context.Background(), c, "main", 1); err != nil || p.ID != 2 {
			t.Errorf("%+v, %v", p, err)
		}
		c.Invalidate("main", 1)
	}
	if w.loads.Load() != 2 {
		t.Errorf("%d loads", w.loads.Load())
	}
}

func TestTooManyNamedKeysCountAsAll(t *testing.T) {
	var l ledger
	start := l.begin()
	keys := make([]identity.Key, maxNamed/2+1)
	for i := range keys {
		keys[i] = identity.Key(i + 1)
	}
	l.name(keys)
	if l.namedSince(start, []identity.Key{1 << 40}) {
		t.Error("a key that nobody named")
	}
	for i := range keys {
		keys[i] += 1 << 50
	}
	l.name(keys)
	if !l.namedSince(start, []identity.Key{1 << 40}) || l.namedSince(l.clock, []identity.Key{1 << 40}) {
		t.Error("beyond the bound every read under way must count as named, and no later one")
	}
	l.end()
	if len(l.named) != 0 {
		t.Error("names outlive the reads")
	}
}

func TestConfigNamesFaults(t *testing.T) {
	if err := (Config{}).Validate(); err == nil {
		t.Error("empty configuration is valid")
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}

func BenchmarkHit(b *testing.B) {
	ctx := context.Background()
	w := newWorld()
	c := start(b, DefaultConfig(), w)
	if _, err := profiles.Find(ctx, c, "main", 1); err != nil {
		b.Fatal(err)
	}
	c.settle()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := profiles.Find(ctx, c, "main", 1); err != nil {
				b.Error(err)
			}
		}
	})
}

func ExampleCache_Invalidate() {
	c, err := New(DefaultConfig(), Deps{Store: newWorld(), Now: time.Now, Registerer: prometheus.NewRegistry()})
	if err != nil {
		fmt.Println(err)
		return
	}
	// A notice of identity says: identifier 1 moved from profile 2 to 4.
	c.Invalidate("main", 1, 2, 4)
}

// TestAnswerOfResolveIsForgotten moves an identifier between two profiles, of which
// the first is cached: it answers for all of its identifiers.
func TestAnswerOfResolveIsForgotten(t *testing.T) {
	ctx := context.Background()
	w := newWorld()
	c := start(t, DefaultConfig(), w)
	if _, err := profiles.Find(ctx, c, "main", 2); err != nil {
		t.Fatal(err)
	}
	c.settle()
	w.mu.Lock()
	w.profile[1] = 4
	w.mu.Unlock()
	if id, _ := c.Resolve(ctx, "main", 1); id != 2 {
		t.Error("answer was not cached")
	}
	c.Invalidate("main", 1)
	if id, err := c.Resolve(ctx, "main", 1); err != nil || id != 4 {
		t.Errorf("resolved to %v, %v after the move", id, err)
	}
	if w.resolves.Load() != 2 {
		t.Errorf("store was asked %d times", w.resolves.Load())
	}
}

// TestLateWriteOfAForgottenAnswer plays what ristretto does now and then: a
// write that was buffered is applied after the deletion that followed it.
func TestLateWriteOfAForgottenAnswer(t *testing.T) {
	ctx := context.Background()
	w := newWorld()
	c := start(t, DefaultConfig(), w)
	if _, err := c.Load(ctx, "main", 2); err != nil {
		t.Fatal(err)
	}
	c.settle()
	c.ledger.mu.Lock()
	old := c.holders[1]
	c.ledger.mu.Unlock()
	w.mu.Lock()
	w.version[2] = 1
	w.mu.Unlock()
	c.Invalidate("main", 1)
	c.store.Load().Set(old.slot(), old, old.cost())
	c.settle()
	if p, err := c.Load(ctx, "main", 2); err != nil || p.IdentifierCount != 1 {
		t.Errorf("%+v, %v: an answer that was forgotten", p, err)
	}
}

// refreshed is a store that keeps something itself.
type refreshed struct {
	*world
	cache    *Cache
	asked    []string
	unlocked bool // no answer had been forgotten yet
}

func (r *refreshed) Refresh(workspace string) {
	r.asked = append(r.asked, workspace)
	r.cache.ledger.mu.Lock()
	defer r.cache.ledger.mu.Unlock()
	r.unlocked = r.cache.ledger.clock == 0
}

func TestInvalidateRefreshesTheStoreFirst(t *testing.T) {
	r := &refreshed{world: newWorld()}
	c, err := New(DefaultConfig(), Deps{Store: r, Now: time.Now, Registerer: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	r.cache = c
	c.Invalidate("main", 1)
	if len(r.asked) != 1 || r.asked[0] != "main" || !r.unlocked {
		t.Errorf("refreshed %v, before anything was forgotten: %v", r.asked, r.unlocked)
	}
}
