package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/ingest/keys"
	"github.com/kindred-cdp/kindred/profiles/audit"
)

// keyring is api.Keyring.
type keyring struct{ *keys.Ring }

var _ api.Keyring = keyring{}

func (k keyring) Find(hash [sha256.Size]byte) (api.Key, bool) {
	found, ok := k.Ring.Find(hash)
	if !ok {
		return api.Key{}, false
	}
	return api.Key{
		ID: found.ID, Name: found.Name, Hash: hash, Role: api.Role(found.Role), Workspace: found.Workspace, Source: found.Source, Origins: found.Origins,
		Person: found.Person, Expires: found.Expires, Revoked: found.Revoked, Rate: found.Rate, Burst: int(found.Burst),
	}, true
}

// keyKeeper is api.Keys.
type keyKeeper struct {
	s   *keys.Service
	now func() time.Time
}

var _ api.Keys = keyKeeper{}

func (k keyKeeper) List(ctx context.Context, workspace string) ([]api.ManagedKey, error) {
	list, err := k.s.List(ctx, workspace)
	return mapped(list, func(x keys.Key) api.ManagedKey { return *k.shown(&x) }), refusal(err)
}

func (k keyKeeper) Create(ctx context.Context, workspace, actor string, ask api.NewKey) (*api.ManagedKey, string, error) {
	made, secret, err := k.s.Create(ctx, workspace, actor, keys.Creation{
		Name: ask.Name, Role: string(ask.Role), Source: ask.Source, Origins: ask.Origins, Person: ask.Person, Rate: ask.Rate, Burst: uint32(ask.Burst), Expires: ask.Expires,
	})
	if err != nil {
		return nil, "", refusal(err)
	}
	return k.shown(made), secret, nil
}

func (k keyKeeper) Revoke(ctx context.Context, workspace, actor, id string) (*api.ManagedKey, error) {
	key, err := k.s.Revoke(ctx, workspace, actor, id)
	if err != nil {
		return nil, refusal(err)
	}
	return k.shown(key), nil
}

func (k keyKeeper) Rotate(ctx context.Context, workspace, actor, id string, grace time.Duration) (*api.ManagedKey, string, error) {
	key, secret, err := k.s.Rotate(ctx, workspace, actor, id, grace)
	if err != nil {
		return nil, "", refusal(err)
	}
	return k.shown(key), secret, nil
}

func (k keyKeeper) shown(x *keys.Key) *api.ManagedKey {
	m := &api.ManagedKey{
		ID: x.ID, Name: x.Name, Role: api.Role(x.Role), Source: x.Source, Origins: x.Origins, Person: x.Person, Rate: x.Rate, Burst: int(x.Burst),
		Status: "live", Created: x.Created, Changed: x.Changed, By: x.Actor, Revision: x.Revision,
	}
	if !x.Expires.IsZero() {
		m.Expires = &x.Expires
	}
	if !x.Before.IsZero() && x.Before.After(k.now()) {
		m.Before = &x.Before
	}
	switch {
	case x.Revoked:
		m.Status = "revoked"
	case m.Expires != nil && !m.Expires.After(k.now()):
		m.Status = "expired"
	}
	return m
}

// recorder is api.Audit.
type recorder struct{ log *audit.Log }

var _ api.Audit = recorder{}

func (r recorder) Begin(ctx context.Context, e api.AuditEntry) error {
	return r.log.Begin(ctx, recorded(e))
}

func (r recorder) Note(ctx context.Context, e api.AuditEntry) error {
	return r.log.Note(ctx, recorded(e))
}

func (r recorder) List(ctx context.Context, workspace string, f api.AuditFilter, cursor string, limit int) ([]api.AuditEntry, string, error) {
	list, next, err := r.log.List(ctx, workspace, audit.Filter(f), cursor, limit)
	if errors.Is(err, audit.ErrCursor) {
		return nil, "", &api.Refused{Detail: "the query parameter \"cursor\" " + err.Error() + ": take it from \"next\""}
	}
	return mapped(list, func(e audit.Entry) api.AuditEntry {
		return api.AuditEntry{
			ID: e.ID, Workspace: e.Workspace, Time: e.Time, RequestID: e.RequestID, KeyID: e.KeyID, KeyName: e.KeyName, Role: api.Role(e.Role),
			Actor: e.Actor, Action: e.Action, Method: e.Method, Route: e.Route, Resource: e.Resource, Subjects: e.Subjects, Status: e.Status,
		}
	}), next, err
}

func recorded(e api.AuditEntry) audit.Entry {
	return audit.Entry{
		ID: e.ID, Workspace: e.Workspace, Time: e.Time, RequestID: e.RequestID, KeyID: e.KeyID, KeyName: e.KeyName, Role: string(e.Role),
		Actor: e.Actor, Action: e.Action, Method: e.Method, Route: e.Route, Resource: e.Resource, Subjects: e.Subjects, Status: e.Status,
	}
}
