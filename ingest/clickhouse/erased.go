package clickhouse

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/ingest"
)

// Erased is an ingest.Erased on the table that the identity role writes. It holds
// some 40 bytes for each identifier and set that was ever erased.
type Erased struct {
	conn  driver.Conn
	known atomic.Int64 // entries, so that there is no lock where nothing was erased

	reading sync.Mutex // held by the refresh that reads
	rows    uint64     // of the table, as of the last refresh
	newest  int64      // erased_at

	mu    sync.RWMutex // Protects the field below.
	until map[uint64]ingest.Millis
}

var _ ingest.Erased = (*Erased)(nil)

// NewErased returns one that has read nothing yet.
func NewErased(conn driver.Conn) *Erased {
	return &Erased{conn: conn, until: map[uint64]ingest.Millis{}}
}

// erasedOverlap is how much of what was read before is read again, in milliseconds: a
// row may be stored later than one of a later time.
const erasedOverlap = 24 * 60 * 60 * 1000

// Refresh implements ingest.Erased. Where nothing is new it asks for a count, which
// the server knows.
func (e *Erased) Refresh(ctx context.Context) error {
	e.reading.Lock()
	defer e.reading.Unlock()
	var rows uint64
	if err := e.conn.QueryRow(ctx, "SELECT count() FROM identity_erasures").Scan(&rows); err != nil {
		return fmt.Errorf("count erasures: %w", err)
	}
	if rows == e.rows {
		return nil
	}
	found, err := e.conn.Query(ctx, `
		SELECT id, toUnixTimestamp64Milli(max(erased_at)) FROM identity_erasures
		WHERE what IN ('identifier', 'set') AND erased_at >= fromUnixTimestamp64Milli(toInt64(?), 'UTC') GROUP BY id`, max(0, e.newest-erasedOverlap))
	if err != nil {
		return fmt.Errorf("read erasures: %w", err)
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var id uint64
		var at int64
		if err := found.Scan(&id, &at); err != nil {
			return fmt.Errorf("read erasures: %w", err)
		}
		e.note(id, at)
	}
	if err := found.Err(); err != nil {
		return fmt.Errorf("read erasures: %w", err)
	}
	e.rows = rows
	return nil
}

func (e *Erased) note(id uint64, at ingest.Millis) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.until[id] = max(e.until[id], at)
	e.newest = max(e.newest, at)
	e.known.Store(int64(len(e.until)))
}

// Until implements ingest.Erased.
func (e *Erased) Until(id uint64) ingest.Millis {
	if e.known.Load() == 0 {
		return 0
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.until[id]
}
