package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// seen notes one answer about a circle: how many profiles it is in (1 when all is
// well), whether it is one with its user, and how far the changes had come before
// and after the read.
func (v *visible) seen(reader string, c *circle, parts int, joined bool, before, after int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reads[reader]++
	if before != after {
		v.overlap[reader]++
	}
	switch {
	case parts != 1:
		v.half[reader]++
		v.example("%s: %s in %d parts, joined %v, between changes %d and %d", reader, c.name, parts, joined, before, after)
	case before == after && joined != (before%2 == 1):
		v.stale[reader]++
		v.example("%s: %s joined %v after change %d", reader, c.name, joined, before)
	}
}

func (v *visible) example(format string, args ...any) {
	if len(v.examples) < 5 {
		v.examples = append(v.examples, fmt.Sprintf(format, args...))
	}
}

// readSQL reads all circles in one query over two views, of events and of
// identifiers: one version must hold for all of it.
func (v *visible) readSQL(ctx context.Context) error {
	const query = `SELECT c, groupUniqArray(p) FROM (
			SELECT toString(name) AS c, profile_id AS p FROM behaviour_events WHERE workspace = ?
			UNION ALL SELECT transform(identifier_id, ?, ?, '') AS c, profile_id AS p FROM identifiers_masked WHERE workspace = ?
		) WHERE c != '' GROUP BY c`
	var ids []uint64
	var names []string
	for _, c := range v.circles {
		for _, k := range c.keys {
			ids, names = append(ids, uint64(k)), append(names, c.name)
		}
		for _, k := range c.userKeys {
			ids, names = append(ids, uint64(k)), append(names, c.userName)
		}
	}
	for ctx.Err() == nil {
		before := make([]int64, len(v.circles))
		for i, c := range v.circles {
			before[i] = c.published.Load()
		}
		of := map[string][]uint64{}
		rows, err := v.db.Query(ctx, query, v.workspace, ids, names, v.workspace)
		if err != nil {
			return err
		}
		for rows.Next() {
			var name string
			var in []uint64
			if err := rows.Scan(&name, &in); err != nil {
				return err
			}
			of[name] = in
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for i, c := range v.circles {
			mine, users := of[c.name], of[c.userName]
			parts := max(len(mine), len(users))
			v.seen("SQL", c, parts, parts == 1 && mine[0] == users[0], before[i], c.sent.Load())
		}
	}
	return nil
}

// readStore reads profiles from the store, told of every publication.
func (v *visible) readStore(ctx context.Context) error {
	return v.readProfiles(ctx, "store", v.store, func(c *circle) int64 {
		n := c.published.Load()
		v.store.Refresh(v.workspace)
		return n
	})
}

// readCache reads profiles as an API process has them.
func (v *visible) readCache(ctx context.Context) error {
	return v.readProfiles(ctx, "API", v.cache, func(c *circle) int64 { return c.noticed.Load() })
}

func (v *visible) readProfiles(ctx context.Context, reader string, store profiles.Store, begin func(*circle) int64) error {
	for n := 0; ctx.Err() == nil; n++ {
		c := v.circles[n%len(v.circles)]
		keys := slices.Concat(c.keys, c.userKeys)
		before := begin(c)
		p, err := profiles.Find(ctx, store, v.workspace, keys[n%len(keys)])
		after := c.sent.Load()
		if errors.Is(err, profiles.ErrNotFound) {
			v.mu.Lock()
			v.lost[reader]++
			v.mu.Unlock()
			continue
		}
		if err != nil {
			return err
		}
		mine, users := among(p.Keys, c.keys), among(p.Keys, c.userKeys)
		var events uint64
		parts := 1
		for i, part := range [2]struct{ have, all int }{{mine, len(c.keys)}, {users, len(c.userKeys)}} {
			switch part.have {
			case part.all:
				events += c.events[i]
			case 0:
			default:
				parts = 2
			}
		}
		if p.Activity.Total() != events || len(p.Keys) != mine+users {
			parts = 3
		}
		v.seen(reader, c, parts, mine > 0 && users > 0, before, after)
	}
	return nil
}

// among returns how many of some are in keys, which are ascending.
func among(keys, some []identity.Key) (n int) {
	for _, k := range some {
		if _, ok := slices.BinarySearch(keys, k); ok {
			n++
		}
	}
	return n
}
