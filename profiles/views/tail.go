package views

import (
	"context"
	"sync"
	"time"

	"github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// tail is what identity changed in a workspace since the mark of the projector.
type tail struct {
	mu      sync.Mutex // Protects the fields below.
	known   bool       // there is a mark
	from    clickhouse.Place
	until   clickhouse.Place
	asked   time.Time // when the mark was read
	asking  bool      // for the next one, ahead
	named   map[uint64]clickhouse.Place
	tooMany bool
	whole   bool  // says the mark
	marked  int64 // how far the projector was when the mark was read
}

// moment is the state of a tail when a read began.
type moment struct {
	version clickhouse.Version
	from    clickhouse.Place
	usable  bool
	whole   bool
	marked  int64
	feed    int64 // how far the projector was
}

// advance brings the tail to the published version.
func (t *tail) advance(ctx context.Context, r *rows, workspace string) (moment, error) {
	// Before the lock: a flight of several callers is one query.
	v, err := r.store.Version(ctx, workspace)
	if err != nil {
		return moment{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	place := r.feed.Place()
	if err := t.askMark(ctx, r, workspace); err != nil {
		return moment{}, err
	}
	if t.known && !t.tooMany && v.Latest().After(t.until) {
		if err := t.follow(ctx, r, workspace, v); err != nil {
			return moment{}, err
		}
	}
	return moment{version: v, from: t.from, usable: t.known && !t.tooMany, whole: t.whole, marked: t.marked, feed: place}, nil
}

// askMark reads the mark when what is known of it is old, and forgets the changes
// that it covers. It asks ahead: nobody is to wait for what all need.
func (t *tail) askMark(ctx context.Context, r *rows, workspace string) error {
	now := r.now()
	age := now.Sub(t.asked)
	switch {
	case t.asked.IsZero() || age >= r.cfg.MarkAge:
		place := r.feed.Place()
		m, ok, err := r.table.mark(ctx, workspace)
		if err == nil {
			t.take(m, ok, place, now)
		}
		return err
	case age >= r.cfg.MarkAge/2 && !t.asking:
		t.asking = true
		go t.askAhead(context.WithoutCancel(ctx), r, workspace, now)
	}
	return nil
}

// askAhead reads the mark beside those who read views. Where that fails, the next one
// who needs it asks.
func (t *tail) askAhead(ctx context.Context, r *rows, workspace string, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Gather.Timeout)
	defer cancel()
	place := r.feed.Place()
	m, ok, err := r.table.mark(ctx, workspace)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asking = false
	if err == nil && now.After(t.asked) {
		t.take(m, ok, place, now)
	}
}

// take keeps a mark that was asked for at a time, when the projector was at a place.
func (t *tail) take(m mark, ok bool, place int64, now time.Time) {
	t.asked, t.whole, t.marked = now, m.whole, place
	switch {
	case !ok:
		t.known = false
	case !t.known || t.tooMany && m.at.After(t.from):
		t.known, t.tooMany, t.from, t.until = true, false, m.at, m.at
		t.named = map[uint64]clickhouse.Place{}
	case m.at.After(t.from):
		t.from = m.at
		for name, at := range t.named {
			if !at.After(m.at) {
				delete(t.named, name)
			}
		}
	}
}

// follow adds the changes up to version v.
func (t *tail) follow(ctx context.Context, r *rows, workspace string, v clickhouse.Version) error {
	n := 0
	last := t.until
	err := r.store.Changes(ctx, workspace, v, t.until, r.cfg.MaxChanges+1, func(c clickhouse.Change) {
		n++
		last = c.At
		for _, name := range c.Names {
			if name != 0 {
				t.named[name] = c.At
			}
		}
	})
	if err != nil {
		return err // What was added is repeated, and the same.
	}
	if n > r.cfg.MaxChanges || len(t.named) > 3*r.cfg.MaxChanges {
		t.tooMany, t.named = true, nil
		return nil
	}
	t.until = v.Latest()
	if last.After(t.until) {
		t.until = last
	}
	return nil
}

// touched reports whether identity may have changed a view since its row was read, to
// a read that began at a moment.
func (t *tail) touched(r *row, m moment) bool {
	if !m.version.Counts(r.at) && !r.at.After(m.version.Latest()) {
		return true // Read from what an owner wrote past the cut of its successor.
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.known || t.tooMany {
		return true
	}
	// The mark went on meanwhile, and what it covers is forgotten: the row may be one
	// of those that were read again.
	if t.from != m.from && t.from.After(r.at) {
		return true
	}
	if t.named[uint64(r.id)].After(r.at) || r.household != 0 && t.named[r.household].After(r.at) {
		return true
	}
	for _, k := range r.keys {
		if t.named[k].After(r.at) {
			return true
		}
	}
	return false
}
