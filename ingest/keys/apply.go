package keys

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/ingest/control"
)

// Kinds of commands. Their subject is the id of the key.
const (
	KindCreate = "key.create" // body Creation
	KindRotate = "key.rotate" // body Rotation
	KindRevoke = "key.revoke" // no body
)

// Handler applies changes of keys. It is the only writer of api_keys.
type Handler struct{ conn driver.Conn }

var _ control.Handler = (*Handler)(nil)

// NewHandler returns a handler that writes through conn.
func NewHandler(conn driver.Conn) *Handler { return &Handler{conn: conn} }

// Apply implements control.Handler.
func (h *Handler) Apply(ctx context.Context, c *control.Placed) (control.Result, error) {
	if !idForm.MatchString(c.Subject) {
		return control.Refuse(control.Refused, "the id of a key must have 16 hexadecimal digits"), nil
	}
	key, err := h.before(ctx, c)
	if err != nil {
		return control.Result{}, err
	}
	var refused *control.Result
	var change string
	switch c.Kind {
	case KindCreate:
		change = "create"
		refused, err = h.create(ctx, c, &key)
	case KindRotate:
		change = "rotate"
		refused, err = h.rotate(ctx, c, &key)
	default:
		change = "revoke"
		refused = h.revoke(&key)
	}
	if err != nil {
		return control.Result{}, err
	}
	if refused != nil {
		return *refused, nil
	}
	if err := h.write(ctx, c, change, &key); err != nil {
		return control.Result{}, err
	}
	return control.Result{Verdict: control.OK, Body: map[string]uint64{"revision": c.Revision}}, nil
}

func refuse(v control.Verdict, format string, args ...any) *control.Result {
	r := control.Refuse(v, format, args...)
	return &r
}

func (h *Handler) create(ctx context.Context, c *control.Placed, key *Key) (*control.Result, error) {
	var ask Creation
	if json.Unmarshal(c.Body, &ask) != nil {
		return refuse(control.Refused, "the body is no new key"), nil
	}
	if err := ask.validate(); err != nil {
		return refuse(control.Refused, "%v", err), nil
	}
	if key.Revision != 0 {
		return refuse(control.Conflict, "there is a key of this id"), nil
	}
	if !ask.Expires.IsZero() && !ask.Expires.After(c.Time) {
		return refuse(control.Refused, "the key would have expired"), nil
	}
	live, named, err := h.others(ctx, c, ask.Name)
	switch {
	case err != nil:
		return nil, err
	case named > 0:
		return refuse(control.Conflict, "there is a live key of this name"), nil
	case live >= MaxKeys:
		return refuse(control.Refused, "the workspace has %d live keys, which is the limit", live), nil
	}
	*key = Key{
		Name: ask.Name, Role: ask.Role, Source: ask.Source, Origins: ask.Origins, Person: ask.Person, Rate: ask.Rate, Burst: ask.Burst,
		Created: c.Time, Expires: ask.Expires, hash: ask.Hash,
	}
	return h.taken(ctx, c, ask.Hash)
}

func (h *Handler) rotate(ctx context.Context, c *control.Placed, key *Key) (*control.Result, error) {
	var ask Rotation
	if json.Unmarshal(c.Body, &ask) != nil {
		return refuse(control.Refused, "the body is no rotation of a key"), nil
	}
	if err := ask.validate(); err != nil {
		return refuse(control.Refused, "%v", err), nil
	}
	switch {
	case key.Revision == 0:
		return refuse(control.Conflict, noKey), nil
	case key.Revoked:
		return refuse(control.Conflict, "the key was revoked"), nil
	case !key.Expires.IsZero() && !key.Expires.After(c.Time):
		return refuse(control.Conflict, "the key has expired"), nil
	}
	key.previous, key.Before = "", time.Time{}
	if ask.Grace > 0 {
		key.previous, key.Before = key.hash, c.Time.Add(ask.Grace)
	}
	key.hash = ask.Hash
	return h.taken(ctx, c, ask.Hash)
}

// noKey is the detail by which the service knows that there is no such key.
const noKey = "there is no such key"

func (h *Handler) revoke(key *Key) *control.Result {
	switch {
	case key.Revision == 0:
		return refuse(control.Conflict, noKey)
	case key.Revoked:
		return refuse(control.Conflict, "the key was revoked before")
	}
	key.Revoked = true
	return nil
}

// before returns the state of the key before the command; the zero Key for none.
func (h *Handler) before(ctx context.Context, c *control.Placed) (Key, error) {
	found, err := read(ctx, h.conn, "workspace = ? AND key_id = ? AND revision < ?", c.Workspace, c.Subject, c.Revision)
	if err != nil || len(found) == 0 {
		return Key{}, err
	}
	return found[0], nil
}

// others counts the live keys of the workspace before the command, and those of a
// name. A key that has expired is not live.
func (h *Handler) others(ctx context.Context, c *control.Placed, name string) (live, named uint64, err error) {
	err = h.conn.QueryRow(ctx, `
		SELECT count(), countIf(called = ?) FROM
		(
			SELECT argMax(name, revision) AS called, argMax(revoked, revision) AS ended, argMax(expires_at, revision) AS until
			FROM api_keys WHERE workspace = ? AND revision < ? GROUP BY key_id
		)
		WHERE NOT ended AND (toUnixTimestamp64Milli(until) = 0 OR toUnixTimestamp64Milli(until) > ?)`,
		name, c.Workspace, c.Revision, c.Time.UnixMilli()).Scan(&live, &named)
	if err != nil {
		return 0, 0, fmt.Errorf("read api_keys: %w", err)
	}
	return live, named, nil
}

// taken refuses a secret that was ever that of a key, of any workspace.
func (h *Handler) taken(ctx context.Context, c *control.Placed, hash string) (*control.Result, error) {
	var n uint64
	if err := h.conn.QueryRow(ctx, "SELECT count() FROM api_keys WHERE hash = ? AND revision < ?", hash, c.Revision).Scan(&n); err != nil {
		return nil, fmt.Errorf("read api_keys: %w", err)
	}
	if n > 0 {
		return refuse(control.Refused, "the secret was that of a key before"), nil
	}
	return nil, nil
}

func (h *Handler) write(ctx context.Context, c *control.Placed, change string, k *Key) error {
	return control.Insert(ctx, h.conn, c.Token(), "api_keys",
		`workspace, key_id, revision, changed_at, actor, change, name, role, source, person, rate, burst,
		created_at, expires_at, revoked, hash, previous_hash, previous_until, origins`,
		[]any{
			c.Workspace, c.Subject, c.Revision, c.Time, c.Actor, change, k.Name, k.Role, k.Source, k.Person, k.Rate, k.Burst,
			k.Created, orEpoch(k.Expires), k.Revoked, k.hash, k.previous, orEpoch(k.Before), append([]string{}, k.Origins...),
		})
}

// orEpoch is what the table holds for no time.
func orEpoch(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return t
}

func orZero(t time.Time) time.Time {
	if t.Unix() == 0 {
		return time.Time{}
	}
	return t
}
