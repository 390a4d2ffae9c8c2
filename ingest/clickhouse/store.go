package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/kindred-cdp/kindred/ingest"
)

// Store is an ingest.Store on ClickHouse. It is safe for concurrent use.
type Store struct {
	conn  driver.Conn
	rooms rooms
	// bulk takes the inserts of events, as many at a time as turns allow.
	bulk  driver.Conn
	turns *semaphore.Weighted
}

var _ ingest.Store = (*Store)(nil)

// New returns a store on conn, whose default database holds the tables.
func New(conn driver.Conn) *Store {
	return &Store{conn: conn, bulk: conn, turns: semaphore.NewWeighted(16)}
}

// WithBulk sends the inserts of events over a pool of their own, of n
// connections, and returns s. A connection keeps a buffer of the size of the
// largest column that it has sent, so that a few connections for the large
// inserts take far less memory than all of them taking turns.
func (s *Store) WithBulk(bulk driver.Conn, n int) *Store {
	s.bulk, s.turns = bulk, semaphore.NewWeighted(int64(n))
	return s
}

// Insert implements ingest.Store. What was made of the events goes before them, so
// that whoever has counted an event finds all of it; and the message hashes go last:
// a range whose hashes are stored has its events stored too.
func (s *Store) Insert(ctx context.Context, token string, b *ingest.Batch) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"insert_deduplicate":         1,
		"insert_deduplication_token": token,
		"async_insert":               0,
		// The driver builds dictionaries of repeated texts slower than the engine.
		"low_cardinality_allow_in_native_format": 0,
	}))
	g, parts := errgroup.WithContext(ctx)
	g.Go(func() error { return s.insertTransactions(parts, b.Events) })
	g.Go(func() error { return s.insertKinds(parts, b) })
	g.Go(func() error { return s.insertTraits(parts, b.Events) })
	g.Go(func() error { return s.insertGroups(parts, b.Events) })
	g.Go(func() error { return s.insertConsents(parts, b.Events) })
	g.Go(func() error { return s.insertDeadLetters(parts, b.DeadLetters) })
	g.Go(func() error { return s.insertViolations(parts, b) })
	g.Go(func() error { return s.insertOutcomes(parts, b.Outcomes) })
	if err := g.Wait(); err != nil {
		return err
	}
	if err := s.insertEvents(ctx, b.Events); err != nil {
		return err
	}
	return s.insertSeen(ctx, b.Seen)
}

// insert sends rows to a table, see insertOver.
func (s *Store) insert(ctx context.Context, table, columns string, list ...values) error {
	return s.insertOver(ctx, s.conn, table, columns, list...)
}

// insertOver sends one block: the columns, all of one length, in the order of
// the column list. It must be one block. Of an insert in several the engine
// keeps those that came before a connection broke, and it makes the token of an
// insert from its blocks as well: the retry would be stored beside them.
func (s *Store) insertOver(ctx context.Context, conn driver.Conn, table, columns string, list ...values) error {
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+columns+")")
	if err != nil {
		return fmt.Errorf("insert %s: %w", table, err)
	}
	defer func() { _ = batch.Close() }()
	into := batch.Columns()
	room := s.rooms.lend(table, into)
	for i := range list {
		if _, err := into[i].Append(list[i].all()); err != nil {
			return fmt.Errorf("insert %s, column %d: %w", table, i, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert %s: %w", table, err)
	}
	s.rooms.keep(table, room, list[0].rows)
	return nil
}

// Lookup implements ingest.Store. The hashes travel as a temporary table, so
// their number is bounded by the batch, not by the length of a query.
func (s *Store) Lookup(ctx context.Context, workspace string, list []ingest.Hash) (map[ingest.Hash]ingest.Seen, error) {
	wanted, err := ext.NewTable("wanted", ext.Column("hash", "UInt128"))
	if err != nil {
		return nil, fmt.Errorf("look up messages: %w", err)
	}
	numbers := bigs(list, func(h ingest.Hash) ingest.Hash { return h })
	for i := range numbers {
		if err := wanted.Append(&numbers[i]); err != nil {
			return nil, fmt.Errorf("look up messages: %w", err)
		}
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithExternalTable(wanted))
	rows, err := s.conn.Query(ctx, `
		SELECT toUInt64(bitAnd(message_hash, 18446744073709551615)), toUInt64(bitShiftRight(message_hash, 64)),
			body_hash, topic, partition, offset, range_hash
		FROM seen_messages WHERE workspace = ? AND message_hash IN wanted`, workspace)
	if err != nil {
		return nil, fmt.Errorf("look up messages: %w", err)
	}
	defer func() { _ = rows.Close() }()
	found := map[ingest.Hash]ingest.Seen{}
	for rows.Next() {
		seen := ingest.Seen{Workspace: workspace}
		var partition uint32
		var offset uint64
		if err := rows.Scan(&seen.Hash[0], &seen.Hash[1], &seen.BodyHash, &seen.Position.Topic, &partition, &offset, &seen.Range); err != nil {
			return nil, fmt.Errorf("look up messages: %w", err)
		}
		seen.Position.Partition, seen.Position.Offset = int(partition), int64(offset)
		found[seen.Hash] = seen
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look up messages: %w", err)
	}
	return found, nil
}

// Scan implements ingest.Store.
func (s *Store) Scan(ctx context.Context, topic string, partition int, f func(ingest.Hash)) error {
	rows, err := s.conn.Query(ctx, `
		SELECT toUInt64(bitAnd(message_hash, 18446744073709551615)), toUInt64(bitShiftRight(message_hash, 64))
		FROM seen_messages WHERE topic = ? AND partition = ?`, topic, uint32(partition))
	if err != nil {
		return fmt.Errorf("scan messages: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var h ingest.Hash
	for rows.Next() {
		if err := rows.Scan(&h[0], &h[1]); err != nil {
			return fmt.Errorf("scan messages: %w", err)
		}
		f(h)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("scan messages: %w", err)
	}
	return nil
}
