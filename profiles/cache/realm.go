package cache

import (
	"hash/maphash"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// realm is what is known of the changes of a workspace. All times are on the clock of
// the cache.
type realm struct {
	workspace string
	seed      uint64 // sets its slots apart from those of others
	// since is the time from which on changes are named: what was read before may be
	// out of date without being named. The end of time where nobody watches.
	since atomic.Int64
	// moving orders what moves since.
	moving sync.Mutex
	// heard is the time up to which all of them were.
	heard atomic.Int64
}

// realms are the workspaces of which something was asked. It is safe for concurrent use.
type realms struct {
	seed maphash.Seed
	mu   sync.RWMutex // Protects the field below.
	all  map[string]*realm
}

func (r *realms) of(workspace string) *realm {
	r.mu.RLock()
	found := r.all[workspace]
	r.mu.RUnlock()
	if found != nil {
		return found
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if found = r.all[workspace]; found == nil {
		found = &realm{workspace: workspace, seed: maphash.String(r.seed, workspace)}
		found.since.Store(math.MaxInt64) // Nobody watches it yet.
		r.all[workspace] = found
	}
	return found
}

// list returns one workspace, or all for "".
func (r *realms) list(workspace string) (list []*realm) {
	if workspace != "" {
		return []*realm{r.of(workspace)}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, one := range r.all {
		list = append(list, one)
	}
	return list
}

// fresh reports whether e may be given to who asks now: for a moment after it was read,
// whatever has happened, and as long as all that could have changed it would have named
// it.
func (e *entry) fresh(now int64, moment time.Duration) bool {
	if now-e.read <= int64(moment) {
		return true
	}
	return now < e.holds && e.read >= e.realm.since.Load() && now-e.realm.heard.Load() <= int64(moment)
}

// clock is the time since the cache was made.
func (c *Cache) clock() int64 { return int64(c.deps.Now().Sub(c.made)) }

// settling is how long a store may answer from what it knew before a change, such as
// the published version that it keeps for a moment: what was read within that time
// counts as read before.
const settling = int64(time.Second)

// Lost says that something of a workspace, "" for all, has changed until now that nobody
// named: what was read before lives for Config.Fresh from when it was read.
func (c *Cache) Lost(workspace string) {
	for _, r := range c.realms.list(workspace) {
		r.moving.Lock()
		if r.since.Load() != math.MaxInt64 {
			r.since.Store(c.clock() + settling)
		}
		r.moving.Unlock()
		c.metrics.lost.Inc()
	}
}

// begin says that all changes from now on are named.
func (c *Cache) begin(r *realm) {
	r.moving.Lock()
	defer r.moving.Unlock()
	r.since.Store(c.clock() + settling)
}

// end says that nobody watches any more.
func (r *realm) end() {
	r.moving.Lock()
	defer r.moving.Unlock()
	r.since.Store(math.MaxInt64)
}
