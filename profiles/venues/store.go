package venues

import (
	"context"
	"fmt"
	"math/big"
	"time"
)

// place is where a fix lies in the order of its table.
type place struct {
	anchor uint64
	time   time.Time
	hash   big.Int
}

// stored is a fix as the table has it.
type stored struct {
	place
	Fix
	received time.Time
}

// assignment is what stands for a fix.
type assignment struct {
	venue       string
	probability float32
}

// venueTable identifies the venues of the catalogue: another value, another table.
type venueTable struct{ count, hash uint64 }

const placed = `FROM catalogue WHERE workspace = ? AND type IN ('venue', 'store') AND active AND isNotNull(lat) AND isNotNull(lon)`

func (w *Worker) readTable(ctx context.Context) (t venueTable, err error) {
	err = w.deps.Conn.QueryRow(ctx, `SELECT count(), groupBitXor(cityHash64(item_id, assumeNotNull(lat), assumeNotNull(lon), radius)) `+placed,
		w.cfg.Workspace).Scan(&t.count, &t.hash)
	if err != nil {
		return t, fmt.Errorf("read venue table: %w", err)
	}
	return t, nil
}

// readVenues returns the venue table in order of id. A venue that is listed as
// venue and as store is taken once.
func (w *Worker) readVenues(ctx context.Context) ([]Venue, error) {
	rows, err := w.deps.Conn.Query(ctx, `SELECT item_id, assumeNotNull(lat), assumeNotNull(lon), toFloat64(radius) `+placed+`
		ORDER BY item_id, type LIMIT 1 BY item_id LIMIT ?`, w.cfg.Workspace, w.cfg.Venues)
	if err != nil {
		return nil, fmt.Errorf("read venues: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []Venue
	for rows.Next() {
		var v Venue
		if err := rows.Scan(&v.ID, &v.Lat, &v.Lon, &v.Radius); err != nil {
			return nil, fmt.Errorf("read venues: %w", err)
		}
		all = append(all, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read venues: %w", err)
	}
	return all, nil
}

// readSample returns the fixes to learn from: those of the least hashes, in
// their order, which is a fair draw and the same for the same set of fixes.
func (w *Worker) readSample(ctx context.Context) ([]Fix, error) {
	rows, err := w.deps.Conn.Query(ctx, `SELECT lat, lon, toFloat64(accuracy), venue FROM location_facts
		WHERE workspace = ? ORDER BY message_hash LIMIT ?`, w.cfg.Workspace, w.cfg.Sample)
	if err != nil {
		return nil, fmt.Errorf("read sample of fixes: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []Fix
	for rows.Next() {
		var f Fix
		if err := rows.Scan(&f.Lat, &f.Lon, &f.Accuracy, &f.Venue); err != nil {
			return nil, fmt.Errorf("read sample of fixes: %w", err)
		}
		all = append(all, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read sample of fixes: %w", err)
	}
	return all, nil
}

const fixColumns = `SELECT anchor_id, time, message_hash, lat, lon, toFloat64(accuracy), received_time FROM location_facts
	WHERE workspace = ? AND venue = '' `

// readPage returns the fixes to judge after a place, in the order of the table,
// so that a page is one range of the sort key.
func (w *Worker) readPage(ctx context.Context, after *place) ([]stored, error) {
	if after == nil {
		return w.readFixes(ctx, fixColumns+"ORDER BY anchor_id, time, message_hash LIMIT ?", w.cfg.Workspace, w.cfg.Batch)
	}
	return w.readFixes(ctx, fixColumns+`AND anchor_id >= ? AND (anchor_id, time, message_hash) > (?, fromUnixTimestamp64Milli(?, 'UTC'), toUInt128(?))
		ORDER BY anchor_id, time, message_hash LIMIT ?`,
		w.cfg.Workspace, after.anchor, after.anchor, after.time.UnixMilli(), after.hash.String(), w.cfg.Batch)
}

// readNew returns fixes received from a time on, a page after a hash among
// those of that very time.
func (w *Worker) readNew(ctx context.Context, since time.Time, after *big.Int) ([]stored, error) {
	from := max(since.UnixMilli(), 0)
	return w.readFixes(ctx, fixColumns+`AND received_time >= fromUnixTimestamp64Milli(?, 'UTC')
		AND (received_time, message_hash) > (fromUnixTimestamp64Milli(?, 'UTC'), toUInt128(?)) ORDER BY received_time, message_hash LIMIT ?`,
		w.cfg.Workspace, from, from, after.String(), w.cfg.Batch)
}

func (w *Worker) readFixes(ctx context.Context, query string, args ...any) ([]stored, error) {
	rows, err := w.deps.Conn.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read fixes: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []stored
	for rows.Next() {
		var f stored
		if err := rows.Scan(&f.anchor, &f.time, &f.hash, &f.Lat, &f.Lon, &f.Accuracy, &f.received); err != nil {
			return nil, fmt.Errorf("read fixes: %w", err)
		}
		all = append(all, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read fixes: %w", err)
	}
	return all, nil
}

// readStanding returns what stands for the fixes from one place to another.
func (w *Worker) readStanding(ctx context.Context, from, to *place) (map[string]assignment, error) {
	rows, err := w.deps.Conn.Query(ctx, `SELECT message_hash, argMax(venue, revision), argMax(probability, revision) FROM location_venues
		WHERE workspace = ? AND anchor_id BETWEEN ? AND ?
			AND (anchor_id, time) >= (?, fromUnixTimestamp64Milli(?, 'UTC')) AND (anchor_id, time) <= (?, fromUnixTimestamp64Milli(?, 'UTC'))
		GROUP BY message_hash`,
		w.cfg.Workspace, from.anchor, to.anchor, from.anchor, from.time.UnixMilli(), to.anchor, to.time.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("read assignments: %w", err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string]assignment{}
	for rows.Next() {
		var hash big.Int
		var a assignment
		if err := rows.Scan(&hash, &a.venue, &a.probability); err != nil {
			return nil, fmt.Errorf("read assignments: %w", err)
		}
		all[string(hash.Bytes())] = a
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read assignments: %w", err)
	}
	return all, nil
}

// readRevision returns the greatest revision written so far.
func (w *Worker) readRevision(ctx context.Context) (revision uint64, err error) {
	if err = w.deps.Conn.QueryRow(ctx, "SELECT max(revision) FROM location_venues WHERE workspace = ?", w.cfg.Workspace).Scan(&revision); err != nil {
		return 0, fmt.Errorf("read revision: %w", err)
	}
	return revision, nil
}

func (w *Worker) write(ctx context.Context, fixes []stored, answers []assignment) error {
	if len(fixes) == 0 {
		return nil
	}
	batch, err := w.deps.Conn.PrepareBatch(ctx, "INSERT INTO location_venues (workspace, anchor_id, time, message_hash, revision, venue, probability)")
	if err != nil {
		return fmt.Errorf("write assignments: %w", err)
	}
	defer func() { _ = batch.Close() }()
	for i := range fixes {
		f, a := &fixes[i], &answers[i]
		if err := batch.Append(w.cfg.Workspace, f.anchor, f.time, &f.hash, w.revision, a.venue, a.probability); err != nil {
			return fmt.Errorf("write assignments: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("write assignments: %w", err)
	}
	return nil
}
