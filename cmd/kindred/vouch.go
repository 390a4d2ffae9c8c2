package main

import (
	"context"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/cache"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/views"
)

// vouchEvery is how often it is asked what has changed that no note named.
const vouchEvery = 5 * time.Second

// maxRenamed bounds the changes of identity that are named one by one in that time.
const maxRenamed = 50_000

// sources is cache.Sources on the warehouse and the topic of stored events.
type sources struct {
	store *profilestore.Store
	feed  *views.Feed
}

var _ cache.Sources = sources{}

// Computed implements cache.Sources.
func (s sources) Computed(ctx context.Context, workspace string) (uint64, error) {
	return s.store.Computed(ctx, workspace)
}

// Renamed implements cache.Sources. A new owner of the ledger may have taken back what
// the one before had published at last.
func (s sources) Renamed(ctx context.Context, workspace string, after cache.Change) (at cache.Change, keys []identity.Key, whole bool, err error) {
	s.store.Refresh(workspace) // What is published before this call counts.
	v, err := s.store.Version(ctx, workspace)
	if err != nil {
		return after, nil, false, err
	}
	at = cache.Change(v.Latest())
	if at == after {
		return at, nil, true, nil
	}
	if at.Epoch != after.Epoch {
		return at, nil, false, nil
	}
	n := 0
	err = s.store.Changes(ctx, workspace, v, profilestore.Place(after), maxRenamed, func(c profilestore.Change) {
		n++
		for _, name := range c.Names {
			if name != 0 {
				keys = append(keys, identity.Key(name))
			}
		}
	})
	return at, keys, n < maxRenamed, err
}

// Stored implements cache.Sources.
func (s sources) Stored() time.Time { return s.feed.Until() }
