package keys

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/ingest/control"
)

// Config bounds a Ring.
type Config struct {
	// Poll is how often the latest revision is asked for. Default 1 s.
	Poll time.Duration
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config { return Config{Poll: time.Second} }

// Validate reports every fault of c.
func (c Config) Validate() error {
	if c.Poll <= 0 {
		return errors.New("keys: poll must be positive")
	}
	return nil
}

// Ring holds the keys of all workspaces in memory, by the hash of their secrets,
// and follows the table. It is safe for concurrent use.
type Ring struct {
	cfg  Config
	conn driver.Conn
	log  *slog.Logger

	refresh sync.Mutex // One reads at a time.
	held    atomic.Pointer[held]
}

// held is one state of the ring.
type held struct {
	revision uint64
	byHash   map[[sha256.Size]byte]Key
	// pages is until when some key may send from an origin; zero for ever.
	pages map[string]time.Time
}

// NewRing returns a ring of conn that has read nothing yet.
func NewRing(cfg Config, conn driver.Conn, log *slog.Logger) (*Ring, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Ring{cfg: cfg, conn: conn, log: log}, nil
}

// Run follows the keys until ctx ends. What cannot be read is logged and tried
// again; the keys known before stand meanwhile.
func (r *Ring) Run(ctx context.Context) error {
	return control.Follow(ctx, r.cfg.Poll, r.log, "API keys", r.Refresh)
}

// Loaded reports whether the keys have been read once.
func (r *Ring) Loaded() bool { return r.held.Load() != nil }

// Find returns the key of a secret's hash. Of one that was rotated, the secret
// before finds it with its own end in Expires.
//
// A map of hashes tells nothing by the time it takes: whoever could choose the
// hash would have to invert SHA-256 to use it.
func (r *Ring) Find(hash [sha256.Size]byte) (Key, bool) {
	now := r.held.Load()
	if now == nil {
		return Key{}, false
	}
	k, ok := now.byHash[hash]
	return k, ok
}

// Admits reports whether any key that sends events may be used at a time by pages of an
// origin. A key of role write may by all: where it is used is not known.
func (r *Ring) Admits(origin string, at time.Time) bool {
	now := r.held.Load()
	if now == nil {
		return true
	}
	for _, page := range [2]string{origin, AnyOrigin} {
		if until, ok := now.pages[page]; ok && (until.IsZero() || at.Before(until)) {
			return true
		}
	}
	return false
}

// Refresh reads the keys if they have changed.
func (r *Ring) Refresh(ctx context.Context) error {
	r.refresh.Lock()
	defer r.refresh.Unlock()
	var revision uint64
	if err := r.conn.QueryRow(ctx, "SELECT max(revision) FROM api_keys").Scan(&revision); err != nil {
		return fmt.Errorf("read the revision of API keys: %w", err)
	}
	if now := r.held.Load(); now != nil && now.revision >= revision {
		return nil
	}
	list, err := read(ctx, r.conn, "revision <= ?", revision)
	if err != nil {
		return err
	}
	next := &held{revision: revision, byHash: make(map[[sha256.Size]byte]Key, len(list)), pages: map[string]time.Time{}}
	for _, k := range list {
		if k.previous != "" {
			old := k
			if old.Expires.IsZero() || k.Before.Before(old.Expires) {
				old.Expires = k.Before
			}
			next.add(k.previous, old)
		}
		next.add(k.hash, k)
		next.admit(&k)
	}
	r.held.Store(next)
	return nil
}

func (h *held) add(hash string, k Key) {
	var sum [sha256.Size]byte
	if n, err := hex.Decode(sum[:], []byte(hash)); err == nil && n == len(sum) {
		h.byHash[sum] = k
	}
}

func (h *held) admit(k *Key) {
	origins := k.Origins
	switch {
	case k.Revoked:
		return
	case k.Role == "write":
		origins = []string{AnyOrigin}
	}
	for _, origin := range origins {
		if until, ok := h.pages[origin]; !ok || !until.IsZero() && (k.Expires.IsZero() || until.Before(k.Expires)) {
			h.pages[origin] = k.Expires
		}
	}
}

// read returns the latest state of each key among the rows of a condition, the
// newest key first.
func read(ctx context.Context, conn driver.Conn, where string, args ...any) ([]Key, error) {
	rows, err := conn.Query(ctx, `
		SELECT workspace, key_id, revision, changed_at, actor, name, role, source, person, rate, burst,
			created_at, expires_at, revoked, hash, previous_hash, previous_until, origins
		FROM api_keys WHERE `+where+` ORDER BY created_at DESC, key_id, revision DESC LIMIT 1 BY workspace, key_id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read api_keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []Key{}
	for rows.Next() {
		var k Key
		if err := rows.Scan(&k.Workspace, &k.ID, &k.Revision, &k.Changed, &k.Actor, &k.Name, &k.Role, &k.Source, &k.Person, &k.Rate, &k.Burst,
			&k.Created, &k.Expires, &k.Revoked, &k.hash, &k.previous, &k.Before, &k.Origins); err != nil {
			return nil, fmt.Errorf("read api_keys: %w", err)
		}
		k.Expires, k.Before = orZero(k.Expires), orZero(k.Before)
		list = append(list, k)
	}
	return list, rows.Err()
}
