package clickhouse

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/singleflight"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// A profile is read at one published version of the reading. The version, as
// the epochs and how far the rows of each count, is bound to every query of a
// read, and each query takes the counted row of greatest (epoch, sequence) per
// key out of the two hops. That is the definition of the reading. The
// expressions of the warehouse give the same answer for whole tables; they read
// every recent change, which a point read must not pay for (measured: 15 ms of
// CPU a query, against 2 ms).

// countedSQL is the condition that a row of a hop counts.
const countedSQL = "sequence <= transform(epoch, {epochs:Array(UInt64)}, {lasts:Array(UInt64)}, toUInt64(0))"

// version is a published version of a workspace's reading.
type version struct {
	epochs, lasts []uint64
	at            time.Time // when it was asked for
	generation    uint64    // of the workspace at that time
}

func (v version) bind() []any {
	return []any{clickhouse.Named("epochs", v.epochs), clickhouse.Named("lasts", v.lasts)}
}

// versions keeps the version of each workspace until it is old, or until
// Refresh says that there is a newer one.
type versions struct {
	flights singleflight.Group
	mu      sync.Mutex // Protects the fields below.
	known   map[string]version
	// generation counts the refreshes of each workspace: a version that was
	// asked for before a refresh is not used after it.
	generation map[string]uint64
}

var _ profiles.Refresher = (*Store)(nil)

// Refresh implements profiles.Refresher.
func (s *Store) Refresh(workspace string) {
	s.versions.mu.Lock()
	defer s.versions.mu.Unlock()
	s.versions.generation[workspace]++
}

// version returns the version to read at.
func (s *Store) version(ctx context.Context, workspace string) (version, error) {
	now := s.now()
	s.versions.mu.Lock()
	v, ok := s.versions.known[workspace]
	generation := s.versions.generation[workspace]
	s.versions.mu.Unlock()
	known := ok && v.generation == generation && now.Sub(v.at) < s.cfg.VersionAge
	if known && now.Sub(v.at) < s.cfg.VersionAge/2 {
		return v, nil
	}
	// Not joined with a flight of another generation, which may know less.
	name := strconv.FormatUint(generation, 10) + " " + workspace
	arrived := s.versions.flights.DoChan(name, func() (any, error) {
		// The flight must not end with the caller that happened to come first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.MaxExecution)
		defer cancel()
		return s.askVersion(ctx, workspace, generation)
	})
	if known { // Asked for ahead: nobody is to wait for what all need.
		return v, nil
	}
	select {
	case <-ctx.Done():
		return version{}, ctx.Err()
	case result := <-arrived:
		if result.Err != nil {
			return version{}, fmt.Errorf("read published version: %w", result.Err)
		}
		return result.Val.(version), nil
	}
}

func (s *Store) askVersion(ctx context.Context, workspace string, generation uint64) (version, error) {
	v := version{at: s.now(), generation: generation}
	var counting warehouse.Counting
	if err := s.query(ctx, warehouse.CountingSQL, counting.Scan, clickhouse.Named("workspace", workspace)); err != nil {
		return version{}, err
	}
	v.epochs, v.lasts = counting.Counted() // Not nil, which the driver sends as NULL.
	s.versions.mu.Lock()
	defer s.versions.mu.Unlock()
	if known, ok := s.versions.known[workspace]; !ok || known.generation <= generation {
		s.versions.known[workspace] = v
	}
	return v, nil
}
