package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/profiles/privacy"
)

// newEraser returns the worker that rewrites tables after erasures.
func newEraser(p *platform, registry prometheus.Registerer) (*privacy.Worker, error) {
	cfg := privacy.DefaultConfig()
	cfg.BatchWait, cfg.Retention = p.settings.erasureWait, p.settings.retention
	cfg.Cluster, cfg.KafkaRetention = p.warehouse.Cluster, eventRetention
	return privacy.NewWorker(cfg, privacy.Deps{
		Conn: p.conn, Key: privacy.SigningKey(p.secret), Clock: now, Logger: p.log.With("role", "worker"), Registerer: registry,
	})
}
