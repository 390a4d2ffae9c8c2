package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/control"
)

// ErrNotFound reports a key that is not in the workspace.
var ErrNotFound = errors.New("there is no such key")

// ErrConflict reports that the state of the key forbids a change; the wrapping
// error says why.
var ErrConflict = errors.New("conflict")

// ErrRefused reports a change that breaks a rule; the wrapping error says which.
var ErrRefused = errors.New("refused")

// Service lists keys and sends changes. It is safe for concurrent use.
type Service struct {
	conn   driver.Conn
	client *control.Client
	ring   *Ring
}

// NewService returns a service. The ring sees its changes at once; those of other
// processes see them when they next look.
func NewService(conn driver.Conn, client *control.Client, ring *Ring) *Service {
	return &Service{conn: conn, client: client, ring: ring}
}

// List returns the keys of a workspace, the newest first, also those that ended.
func (s *Service) List(ctx context.Context, workspace string) ([]Key, error) {
	return read(ctx, s.conn, "workspace = ?", workspace)
}

// Create makes a key and returns it with its secret, which is nowhere else. The
// hash of c is set here, and the source of a public key begins with its prefix.
func (s *Service) Create(ctx context.Context, workspace, actor string, c Creation) (*Key, string, error) {
	var secret string
	secret, c.Hash = newSecret()
	if c.Role == RolePublic && c.Source != "" && !strings.HasPrefix(c.Source, identity.PublicPrefix) {
		c.Source = identity.PublicPrefix + c.Source
	}
	if err := c.validate(); err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrRefused, err)
	}
	key, err := s.change(ctx, KindCreate, workspace, actor, newID(), c)
	return key, secret, err
}

// Rotate gives a key another secret, and returns it.
func (s *Service) Rotate(ctx context.Context, workspace, actor, id string, grace time.Duration) (*Key, string, error) {
	secret, hash := newSecret()
	key, err := s.change(ctx, KindRotate, workspace, actor, id, Rotation{Hash: hash, Grace: grace})
	return key, secret, err
}

// Revoke ends a key.
func (s *Service) Revoke(ctx context.Context, workspace, actor, id string) (*Key, error) {
	return s.change(ctx, KindRevoke, workspace, actor, id, struct{}{})
}

func (s *Service) change(ctx context.Context, kind, workspace, actor, id string, body any) (*Key, error) {
	if !idForm.MatchString(id) {
		return nil, ErrNotFound
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode change: %w", err)
	}
	o, err := s.client.Do(ctx, control.Command{Workspace: workspace, Kind: kind, Subject: id, Actor: actor, Body: text})
	switch {
	case err != nil:
		return nil, err
	case o.Verdict == control.Conflict && o.Detail == noKey:
		return nil, ErrNotFound
	case o.Verdict == control.Conflict:
		return nil, fmt.Errorf("%w: %s", ErrConflict, o.Detail)
	case o.Verdict != control.OK:
		return nil, fmt.Errorf("%w: %s", ErrRefused, o.Detail)
	}
	if err := s.ring.Refresh(ctx); err != nil {
		return nil, err
	}
	found, err := read(ctx, s.conn, "workspace = ? AND key_id = ? AND revision <= ?", workspace, id, o.Revision)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return &found[0], nil
}
