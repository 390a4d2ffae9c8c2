package letters

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/ingest"
)

// Store reads letters. It never writes. It is safe for concurrent use.
type Store struct{ conn driver.Conn }

// NewStore returns a store on conn.
func NewStore(conn driver.Conn) *Store { return &Store{conn: conn} }

const idSQL = "lower(leftPad(hex(letter_id), 32, '0'))"

// fromSQL is every letter with its state, as the view dead_letter_status has it,
// but with the conditions inside, so that only letters in question are joined.
// Its places are the conditions and the order of the letters.
const fromSQL = `
	FROM
	(
		SELECT letter_id, received_time, kind, source, reason, detail, length(value) AS bytes,
			if(position != '', position, concat(topic, '/', toString(partition), '/', toString(offset))) AS place
		FROM dead_letters WHERE %s %s
	) AS d
	LEFT JOIN
	(
		SELECT letter_id, uniqExactIf(revision, action = 'replay') AS attempts, max(revision) AS last_action,
			maxIf(revision, action = 'replay') AS last_replay, argMaxIf(toString(action), revision, action IN ('replay', 'discard')) AS decided
		FROM dead_letter_actions WHERE workspace = ? AND (empty(?) OR letter_id IN (SELECT reinterpretAsUInt128(reverse(unhex(arrayJoin(?)))))) GROUP BY letter_id
	) AS a USING (letter_id)
	LEFT JOIN
	(
		SELECT letter_id, countIf(outcome != 'failed') AS stored, maxIf(attempt, outcome = 'failed') AS last_failed,
			argMaxIf(toString(reason), attempt, outcome = 'failed') AS last_reason
		FROM dead_letter_outcomes WHERE workspace = ? AND (empty(?) OR letter_id IN (SELECT reinterpretAsUInt128(reverse(unhex(arrayJoin(?)))))) GROUP BY letter_id
	) AS o USING (letter_id)`

const statusSQL = `multiIf(stored > 0, 'stored', decided = '', 'open', decided = 'discard', 'discarded', last_failed >= last_replay, 'failed', 'replayed')`

// query is a condition with its bound values.
type query struct {
	conditions []string
	args       []any
}

func (q *query) and(condition string, args ...any) {
	q.conditions = append(q.conditions, condition)
	q.args = append(q.args, args...)
}

func (q *query) String() string { return strings.Join(q.conditions, " AND ") }

func (f Filter) inner(workspace string) *query {
	q := &query{}
	q.and("workspace = ?", workspace)
	for column, v := range map[string]string{"reason": f.Reason, "source": f.Source, "kind": f.Kind} {
		if v != "" {
			q.and(column+" = ?", v)
		}
	}
	if !f.Since.IsZero() {
		q.and("received_time >= fromUnixTimestamp64Milli(?)", f.Since.UnixMilli())
	}
	if !f.Until.IsZero() {
		q.and("received_time < fromUnixTimestamp64Milli(?)", f.Until.UnixMilli())
	}
	return q
}

func (f Filter) outer(q *query) {
	if len(f.Statuses) > 0 {
		q.and(statusSQL+" IN (?)", f.Statuses)
	}
}

// List returns the letters of a filter, the newest first, and the cursor of the
// next page, "" at the end. The limit is 1 to 500.
func (s *Store) List(ctx context.Context, workspace string, f Filter, cursor string, limit int) ([]Letter, string, error) {
	if err := f.Validate(); err != nil {
		return nil, "", err
	}
	if limit < 1 || limit > maxPage {
		return nil, "", fmt.Errorf("%w: limit must be 1 to %d", ErrRefused, maxPage)
	}
	inner, outer := f.inner(workspace), &query{}
	if cursor != "" {
		at, id, err := parseCursor(cursor)
		if err != nil {
			return nil, "", err
		}
		inner.and("(received_time, letter_id) < (fromUnixTimestamp64Milli(?), reinterpretAsUInt128(reverse(unhex(?))))", at, id)
	}
	outer.and("1")
	f.outer(outer)
	list, err := s.letters(ctx, workspace, inner, outer, limit+1)
	if err != nil || len(list) <= limit {
		return list, "", err
	}
	list = list[:limit]
	last := list[limit-1]
	return list, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%s", last.Received.UnixMilli(), last.ID)), nil
}

func parseCursor(cursor string) (int64, string, error) {
	bad := fmt.Errorf("%w: cursor is not one that a list has returned", ErrRefused)
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return 0, "", bad
	}
	at, id, _ := strings.Cut(string(b), ".")
	millis, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return 0, "", bad
	}
	if _, err := ingest.ParseHash(id); err != nil {
		return 0, "", bad
	}
	return millis, id, nil
}

func (s *Store) letters(ctx context.Context, workspace string, inner, outer *query, limit int) ([]Letter, error) {
	args := append(append(slices.Clone(inner.args), workspace, workspace), outer.args...)
	rows, err := s.conn.Query(ctx, "SELECT "+idSQL+", received_time, kind, source, reason, detail, place, bytes, "+statusSQL+
		", attempts, last_action, last_reason"+fmt.Sprintf(fromSQL, inner)+" WHERE "+outer.String()+
		" ORDER BY received_time DESC, letter_id DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []Letter{}
	for rows.Next() {
		var l Letter
		if err := rows.Scan(&l.ID, &l.Received, &l.Kind, &l.Source, &l.Reason, &l.Detail, &l.Position, &l.Bytes, &l.Status, &l.Attempts, &l.Revision, &l.LastReason); err != nil {
			return nil, fmt.Errorf("read dead letters: %w", err)
		}
		list = append(list, l)
	}
	return list, rows.Err()
}

// IDs returns the ids of the oldest letters of a filter, at most limit, and how
// many there are.
func (s *Store) IDs(ctx context.Context, workspace string, f Filter, limit int) (ids []string, matched uint64, err error) {
	if err := f.Validate(); err != nil {
		return nil, 0, err
	}
	inner, outer := f.inner(workspace), &query{}
	outer.and("1")
	f.outer(outer)
	args := append(append(slices.Clone(inner.args), workspace, workspace), outer.args...)
	err = s.conn.QueryRow(ctx, fmt.Sprintf("SELECT arrayMap(x -> x.2, groupArraySorted(%d)((received_time, %s))), count()", limit, idSQL)+
		fmt.Sprintf(fromSQL, inner)+" WHERE "+outer.String(), args...).Scan(&ids, &matched)
	if err != nil {
		return nil, 0, fmt.Errorf("read dead letters: %w", err)
	}
	return ids, matched, nil
}

// Summary counts letters by reason, source, kind and state, the most first.
func (s *Store) Summary(ctx context.Context, workspace string, f Filter) ([]Count, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	inner, outer := f.inner(workspace), &query{}
	outer.and("1")
	f.outer(outer)
	args := append(append(slices.Clone(inner.args), workspace, workspace), outer.args...)
	rows, err := s.conn.Query(ctx, "SELECT reason, source, kind, "+statusSQL+" AS status, count() AS n, min(received_time), max(received_time)"+
		fmt.Sprintf(fromSQL, inner)+" WHERE "+outer.String()+" GROUP BY reason, source, kind, status ORDER BY n DESC, reason, source, kind, status LIMIT 1000", args...)
	if err != nil {
		return nil, fmt.Errorf("count dead letters: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []Count{}
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Reason, &c.Source, &c.Kind, &c.Status, &c.Letters, &c.First, &c.Last); err != nil {
			return nil, fmt.Errorf("count dead letters: %w", err)
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// Get returns a letter with its bytes and history, or ErrNotFound.
func (s *Store) Get(ctx context.Context, workspace, id string) (*Whole, error) {
	if _, err := ingest.ParseHash(id); err != nil {
		return nil, ErrNotFound
	}
	inner, outer := Filter{}.inner(workspace), &query{}
	inner.and("letter_id = reinterpretAsUInt128(reverse(unhex(?)))", id)
	outer.and("1")
	found, err := s.letters(ctx, workspace, inner, outer, 1)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	w := &Whole{Letter: found[0]}
	var value string
	err = s.conn.QueryRow(ctx, "SELECT message_id, value, headers FROM dead_letters WHERE workspace = ? AND letter_id = reinterpretAsUInt128(reverse(unhex(?))) LIMIT 1", workspace, id).
		Scan(&w.MessageID, &value, &w.Headers)
	if err != nil {
		return nil, fmt.Errorf("read dead letter: %w", err)
	}
	w.Value = []byte(value)
	return w, s.history(ctx, workspace, id, w)
}

// history reads what was done and what became of it. A topic that is read again
// from its start repeats outcomes, which are told once.
func (s *Store) history(ctx context.Context, workspace, id string, w *Whole) error {
	rows, err := s.conn.Query(ctx, `
		SELECT * FROM (
		SELECT time, revision, toString(action) AS what, toString(actor) AS who, reason, '' AS detail, value, 0 AS after
		FROM dead_letter_actions WHERE workspace = ? AND letter_id = reinterpretAsUInt128(reverse(unhex(?)))
		UNION ALL
		SELECT min(received_time), attempt, toString(outcome), '', toString(reason), any(detail), '', 1
		FROM dead_letter_outcomes WHERE workspace = ? AND letter_id = reinterpretAsUInt128(reverse(unhex(?)))
		GROUP BY attempt, outcome, reason
		) ORDER BY revision, after, time, what`, workspace, id, workspace, id)
	if err != nil {
		return fmt.Errorf("read history of dead letter: %w", err)
	}
	defer func() { _ = rows.Close() }()
	w.History = []Event{}
	for rows.Next() {
		var e Event
		var value string
		var after uint8
		if err := rows.Scan(&e.Time, &e.Revision, &e.What, &e.Actor, &e.Reason, &e.Detail, &value, &after); err != nil {
			return fmt.Errorf("read history of dead letter: %w", err)
		}
		if value != "" {
			w.Edited = []byte(value)
		}
		w.History = append(w.History, e)
	}
	return rows.Err()
}
