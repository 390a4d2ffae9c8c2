package main

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/restrictions"
	"github.com/kindred-cdp/kindred/profiles/privacy"
	"github.com/kindred-cdp/kindred/segments/activation"
)

// newEraser returns the worker that rewrites tables after erasures.
func newEraser(p *platform, changed func(workspace string), registry prometheus.Registerer) (*privacy.Worker, error) {
	cfg := privacy.DefaultConfig()
	cfg.BatchWait, cfg.Retention = p.settings.erasureWait, p.settings.retention
	cfg.Cluster, cfg.KafkaRetention = p.warehouse.Cluster, eventRetention
	return privacy.NewWorker(cfg, privacy.Deps{
		Conn: p.conn, Key: privacy.SigningKey(p.secret), Clock: now, Logger: p.log.With("role", "worker"), Registerer: registry, Changed: changed,
		Recipients: activation.NewStore(p.conn),
	})
}

// restrictionKeeper is api.Restrictions.
type restrictionKeeper struct {
	s *restrictions.Service
	*restrictions.List
}

var _ api.Restrictions = restrictionKeeper{}

func (k restrictionKeeper) Find(ctx context.Context, workspace string, keys ...identity.Key) (*api.Restriction, error) {
	r, err := k.List.Find(ctx, workspace, keys...)
	if r == nil {
		return nil, err
	}
	return &api.Restriction{ID: r.ID, Since: r.Since, Ground: r.Ground, Actor: r.Actor}, err
}

func (k restrictionKeeper) Restrict(ctx context.Context, workspace, actor, ground string, keys []identity.Key) error {
	return refusal(k.s.Restrict(ctx, workspace, actor, ground, keys))
}

func (k restrictionKeeper) Release(ctx context.Context, workspace, actor string, keys []identity.Key) (bool, error) {
	there, err := k.s.Release(ctx, workspace, actor, keys)
	return there, refusal(err)
}
