package audit

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/identity"
)

// Filter picks entries. Empty fields pick all.
type Filter struct {
	KeyID, Actor, Action, Route, RequestID string
	Subjects                               []identity.Key // any of them
	Since, Until                           time.Time
}

// ErrCursor reports a cursor that no page gave.
var ErrCursor = errors.New("is no cursor of the audit log")

const listSQL = `
	SELECT toUnixTimestamp64Milli(time) AS ms, entry_id, complete, request_id, key_id, key_name, role, actor, action, method, route, resource, subjects, status
	FROM audit_log
	WHERE workspace = {workspace:String}
		AND time >= fromUnixTimestamp64Milli({since:Int64}) AND time < fromUnixTimestamp64Milli({until:Int64})
		AND (time, entry_id) < (fromUnixTimestamp64Milli({before:Int64}), {entry:String})
		AND ({key:String} = '' OR key_id = {key:String}) AND ({actor:String} = '' OR actor = {actor:String})
		AND ({action:String} = '' OR action = {action:String}) AND ({route:String} = '' OR route = {route:String})
		AND ({request:String} = '' OR request_id = {request:String})
		AND (empty({subjects:Array(UInt64)}) OR hasAny(subjects, {subjects:Array(UInt64)}))
	ORDER BY workspace DESC, time DESC, entry_id DESC, complete DESC
	LIMIT 1 BY time, entry_id
	LIMIT {limit:UInt32}`

// farAway is after every entry.
const farAway = int64(4102444800000) // 2100-01-01

// List returns the newest entries of a filter below a cursor, and the cursor of the
// next page, "" at the end.
func (l *Log) List(ctx context.Context, workspace string, f Filter, cursor string, limit int) ([]Entry, string, error) {
	before, entry, err := readCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	since, until := int64(0), farAway
	if !f.Since.IsZero() {
		since = f.Since.UnixMilli()
	}
	if !f.Until.IsZero() {
		until = f.Until.UnixMilli()
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters{
		"workspace": workspace, "since": strconv.FormatInt(since, 10), "until": strconv.FormatInt(until, 10),
		"before": strconv.FormatInt(before, 10), "entry": entry, "key": f.KeyID, "actor": f.Actor, "action": f.Action, "route": f.Route,
		"request": f.RequestID, "subjects": subjectList(f.Subjects), "limit": strconv.Itoa(limit + 1),
	}))
	rows, err := l.conn.Query(ctx, listSQL)
	if err != nil {
		return nil, "", fmt.Errorf("read audit_log: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []Entry{}
	for rows.Next() {
		e := Entry{Workspace: workspace}
		var ms int64
		var complete bool
		var subjects []uint64
		var status uint16
		if err := rows.Scan(&ms, &e.ID, &complete, &e.RequestID, &e.KeyID, &e.KeyName, &e.Role, &e.Actor, &e.Action, &e.Method, &e.Route, &e.Resource, &subjects, &status); err != nil {
			return nil, "", fmt.Errorf("read audit_log: %w", err)
		}
		e.Time, e.Status = time.UnixMilli(ms).UTC(), int(status)
		for _, s := range subjects {
			e.Subjects = append(e.Subjects, identity.ProfileID(s))
		}
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("read audit_log: %w", err)
	}
	if len(list) <= limit {
		return list, "", nil
	}
	last := list[limit-1]
	return list[:limit], writeCursor(last.Time.UnixMilli(), last.ID), nil
}

func subjectList(keys []identity.Key) string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = strconv.FormatUint(uint64(k), 10)
	}
	return "[" + strings.Join(texts, ",") + "]"
}

func writeCursor(ms int64, id string) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", ms, id))
}

func readCursor(text string) (ms int64, id string, err error) {
	if text == "" {
		return farAway, "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return 0, "", ErrCursor
	}
	number, id, ok := strings.Cut(string(b), " ")
	ms, err = strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || len(id) != 32 || ms < 0 || ms > farAway {
		return 0, "", ErrCursor
	}
	return ms, id, nil
}
