package restrictions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/control"
)

// Config bounds a List.
type Config struct {
	// Poll is how often it is asked for changes. Default 1 s.
	Poll time.Duration
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config { return Config{Poll: time.Second} }

// Validate reports every fault of c.
func (c Config) Validate() error {
	if c.Poll <= 0 {
		return errors.New("restrictions: poll must be positive")
	}
	return nil
}

// List holds the restricted identifiers of all workspaces in memory, some hundred bytes
// each, and follows the table. It is safe for concurrent use.
type List struct {
	cfg  Config
	conn driver.Conn
	log  *slog.Logger

	refresh sync.Mutex // One reads at a time.
	held    atomic.Pointer[held]
}

// held is one state of the list.
type held struct {
	revision, erasures uint64
	of                 map[string]map[identity.Key]*Restriction // by workspace
}

// NewList returns a list of conn that has read nothing yet.
func NewList(cfg Config, conn driver.Conn, log *slog.Logger) (*List, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &List{cfg: cfg, conn: conn, log: log}, nil
}

// Run follows the table until ctx ends. What cannot be read is logged and tried again;
// what was known before stands meanwhile.
func (l *List) Run(ctx context.Context) error {
	return control.Follow(ctx, l.cfg.Poll, l.log, "restrictions", l.Refresh)
}

// Find returns the restriction of whoever holds one of keys, the earliest where there
// are several, and nil for none. It reads the table only where nobody has yet, and
// fails rather than take a person for free.
func (l *List) Find(ctx context.Context, workspace string, keys ...identity.Key) (*Restriction, error) {
	if l.held.Load() == nil {
		if err := l.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	of := l.held.Load().of[workspace]
	if len(of) == 0 {
		return nil, nil
	}
	var found *Restriction
	for _, k := range keys {
		if r := of[k]; r != nil && (found == nil || r.Since.Before(found.Since)) {
			found = r
		}
	}
	return found, nil
}

// Any reports whether anybody of a workspace may be restricted.
func (l *List) Any(workspace string) bool {
	now := l.held.Load()
	return now == nil || len(now.of[workspace]) > 0
}

// Refresh reads the restrictions if they, or the erasures that end some, have changed.
func (l *List) Refresh(ctx context.Context) error {
	l.refresh.Lock()
	defer l.refresh.Unlock()
	next := &held{of: map[string]map[identity.Key]*Restriction{}}
	err := l.conn.QueryRow(ctx, "SELECT (SELECT max(revision) FROM restrictions), (SELECT count() FROM identity_erasures)").Scan(&next.revision, &next.erasures)
	if err != nil {
		return fmt.Errorf("read the revision of restrictions: %w", err)
	}
	if now := l.held.Load(); now != nil && now.revision == next.revision && now.erasures == next.erasures {
		return nil
	}
	rows, err := l.conn.Query(ctx, "SELECT toString(workspace), identifier_id, since, restriction_id, toString(ground), toString(actor) FROM restricted_identifiers")
	if err != nil {
		return fmt.Errorf("read restrictions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	byID := map[string]*Restriction{}
	for rows.Next() {
		var workspace string
		var id uint64
		var r Restriction
		if err := rows.Scan(&workspace, &id, &r.Since, &r.ID, &r.Ground, &r.Actor); err != nil {
			return fmt.Errorf("read restrictions: %w", err)
		}
		r.Since = r.Since.UTC()
		one := byID[workspace+"\x00"+r.ID]
		if one == nil {
			one = &r
			byID[workspace+"\x00"+r.ID] = one
		}
		one.Keys = append(one.Keys, identity.Key(id))
		if next.of[workspace] == nil {
			next.of[workspace] = map[identity.Key]*Restriction{}
		}
		next.of[workspace][identity.Key(id)] = one
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read restrictions: %w", err)
	}
	l.held.Store(next)
	return nil
}
