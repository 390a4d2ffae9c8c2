package letters

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

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
// Its places are the condition on letters and that on what was done with them.
const fromSQL = `
	FROM
	(
		SELECT letter_id, received_time, kind, source, reason, detail, length(value) AS bytes,
			if(position != '', position, concat(topic, '/', toString(partition), '/', toString(offset))) AS place
		FROM dead_letters WHERE %[1]s
	) AS d
	LEFT JOIN
	(
		SELECT letter_id, uniqExactIf(revision, action = 'replay') AS attempts, max(revision) AS last_action,
			maxIf(revision, action = 'replay') AS last_replay, argMaxIf(toString(action), revision, action IN ('replay', 'discard')) AS decided
		FROM dead_letter_actions WHERE %[2]s GROUP BY letter_id
	) AS a USING (letter_id)
	LEFT JOIN
	(
		SELECT letter_id, countIf(outcome != 'failed') AS stored, maxIf(attempt, outcome = 'failed') AS last_failed,
			argMaxIf(toString(reason), attempt, outcome = 'failed') AS last_reason
		FROM dead_letter_outcomes WHERE %[2]s GROUP BY letter_id
	) AS o USING (letter_id)`

// among is the condition on a letter's id.
const among = "letter_id IN (SELECT reinterpretAsUInt128(reverse(unhex(arrayJoin(?)))))"

const newestFirst = " ORDER BY received_time DESC, letter_id DESC LIMIT ?"

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

// query returns a query of columns over the letters of a filter in one of the
// states, with its values.
func (f Filter) query(columns string, inner *query, workspace string) (string, []any) {
	text := "SELECT " + columns + fmt.Sprintf(fromSQL, inner, "workspace = ?")
	args := append(slices.Clone(inner.args), workspace, workspace)
	if len(f.Statuses) > 0 {
		text, args = text+" WHERE "+statusSQL+" IN (?)", append(args, f.Statuses)
	}
	return text, args
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
	inner := f.inner(workspace)
	if cursor != "" {
		at, id, err := parseCursor(cursor)
		if err != nil {
			return nil, "", err
		}
		inner.and("(received_time, letter_id) < (fromUnixTimestamp64Milli(?), reinterpretAsUInt128(reverse(unhex(?))))", at, id)
	}
	page, err := s.page(ctx, workspace, f, inner, limit+1)
	if err != nil {
		return nil, "", err
	}
	list, err := s.letters(ctx, workspace, page)
	if err != nil || len(list) <= limit {
		return list, "", err
	}
	list = list[:limit]
	last := list[limit-1]
	return list, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%s", last.Received.UnixMilli(), last.ID)), nil
}

// page is the letters of one page: which, and when they were received, which
// finds them by the sort key.
type page struct {
	ids        []string
	first, end int64 // milliseconds; end is exclusive
}

// page finds a page without a look at bytes and details, which are most of what
// a letter weighs.
func (s *Store) page(ctx context.Context, workspace string, f Filter, inner *query, limit int) (p page, err error) {
	text := "SELECT " + idSQL + ", toUnixTimestamp64Milli(received_time) FROM dead_letters WHERE " + inner.String()
	args := slices.Clone(inner.args)
	if len(f.Statuses) > 0 {
		text, args = f.query(idSQL+", toUnixTimestamp64Milli(received_time)", inner, workspace)
	}
	rows, err := s.conn.Query(ctx, text+newestFirst, append(args, limit)...)
	if err != nil {
		return p, fmt.Errorf("read dead letters: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id, &p.first); err != nil {
			return p, fmt.Errorf("read dead letters: %w", err)
		}
		if len(p.ids) == 0 {
			p.end = p.first + 1
		}
		p.ids = append(p.ids, id)
	}
	return p, rows.Err()
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

// letters reads the letters of a page.
func (s *Store) letters(ctx context.Context, workspace string, p page) ([]Letter, error) {
	list := []Letter{}
	if len(p.ids) == 0 {
		return list, nil
	}
	inner := Filter{Since: time.UnixMilli(p.first), Until: time.UnixMilli(p.end)}.inner(workspace)
	inner.and(among, p.ids)
	args := append(slices.Clone(inner.args), workspace, p.ids, workspace, p.ids)
	rows, err := s.conn.Query(ctx, "SELECT "+idSQL+", received_time, kind, source, reason, detail, place, bytes, "+statusSQL+
		", attempts, last_action, last_reason"+fmt.Sprintf(fromSQL, inner, "workspace = ? AND "+among)+
		newestFirst, append(args, len(p.ids))...)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	defer func() { _ = rows.Close() }()
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
	text, args := f.query(fmt.Sprintf("arrayMap(x -> x.2, groupArraySorted(%d)((received_time, %s))), count()", limit, idSQL), f.inner(workspace), workspace)
	err = s.conn.QueryRow(ctx, text, args...).Scan(&ids, &matched)
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
	text, args := f.query("reason, source, kind, "+statusSQL+" AS status, count() AS n, min(received_time), max(received_time)", f.inner(workspace), workspace)
	rows, err := s.conn.Query(ctx, text+" GROUP BY reason, source, kind, status ORDER BY n DESC, reason, source, kind, status LIMIT 1000", args...)
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
	inner := Filter{}.inner(workspace)
	inner.and(among, []string{id})
	p, err := s.page(ctx, workspace, Filter{}, inner, 1)
	if err != nil {
		return nil, err
	}
	found, err := s.letters(ctx, workspace, p)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	w := &Whole{Letter: found[0]}
	var value string
	err = s.conn.QueryRow(ctx, "SELECT message_id, value, headers FROM dead_letters WHERE workspace = ? AND received_time >= fromUnixTimestamp64Milli(?) AND received_time < fromUnixTimestamp64Milli(?) AND "+among+" LIMIT 1",
		workspace, p.first, p.end, []string{id}).
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
