package cache

import (
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Change is a place among the changes of identity of a workspace.
type Change struct{ Epoch, Sequence uint64 }

// After reports whether c comes after o.
func (c Change) After(o Change) bool {
	return c.Epoch > o.Epoch || c.Epoch == o.Epoch && c.Sequence > o.Sequence
}

// Sources tell what changes the view of a profile, where it is stored.
// Implementations are safe for concurrent use.
type Sources interface {
	// Computed returns a number that is another one after rows of scores or groups of
	// the workspace came or went.
	Computed(ctx context.Context, workspace string) (uint64, error)
	// Renamed returns the published place of the changes of identity, and the keys that
	// those after a place name: whole is false where they are not all, because they are
	// too many, or what was published before may be undone, or the place is the zero one.
	Renamed(ctx context.Context, workspace string, after Change) (at Change, keys []identity.Key, whole bool, err error)
	// Stored returns a time on the clock of Deps.Now up to which all keys of stored events
	// have been named to Invalidate, or the workspace to Lost; the zero time for none.
	Stored() time.Time
}

// watch is what is known of the sources of one workspace.
type watch struct {
	computed uint64
	renamed  Change
}

// Watch looks at the sources every so often until ctx ends, and vouches for what is
// cached: while it can, answers live for TTL, and otherwise for Fresh. It names what
// changed in identity and has not been named by a notice, and says what was computed
// anew as lost: whole populations are, and naming all of them takes longer than reading
// again those that are asked for.
func (c *Cache) Watch(ctx context.Context, sources Sources, every time.Duration, log *slog.Logger) error {
	watches, failing := map[*realm]watch{}, map[*realm]bool{}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		for _, r := range c.realms.list("") {
			err := c.look(ctx, sources, r, watches)
			if err != nil && ctx.Err() == nil {
				c.metrics.blind.Inc()
				if !failing[r] { // Once, and not every few seconds.
					log.Warn("cached profiles are not vouched for", "workspace", r.workspace, "error", err)
				}
			}
			failing[r] = err != nil
		}
		select {
		case <-ctx.Done():
			for _, r := range c.realms.list("") {
				r.end()
			}
			return nil
		case <-tick.C:
		}
	}
}

// never is long before the cache was made, and far from what a number can hold.
const never = math.MinInt64 / 2

// look brings a workspace up to date. What it finds was there at the latest when the
// question was answered; what it does not find was not there when it was put.
func (c *Cache) look(ctx context.Context, sources Sources, r *realm, watches map[*realm]watch) error {
	heard := c.clock()
	if at := sources.Stored(); at.IsZero() {
		heard = never
	} else {
		heard = min(heard, int64(at.Sub(c.made)))
	}
	known, watched := watches[r]
	computed, err := sources.Computed(ctx, r.workspace)
	if err != nil {
		return err
	}
	at, keys, whole, err := sources.Renamed(ctx, r.workspace, known.renamed)
	if err != nil {
		return err
	}
	if len(keys) > 0 {
		c.Invalidate(r.workspace, keys...)
	}
	switch {
	case !watched:
		c.begin(r)
	case known.computed != computed || !whole:
		c.Lost(r.workspace)
	}
	watches[r] = watch{computed, at}
	r.heard.Store(heard)
	return nil
}
