package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/profiles/venues"
)

// newVenues returns the worker that finds the venues of position fixes.
func newVenues(p *platform, registry prometheus.Registerer) (*venues.Worker, error) {
	cfg := venues.DefaultConfig()
	cfg.Workspace = p.settings.workspace
	return venues.New(cfg, venues.Deps{Conn: p.conn, Clock: now, Logger: p.log.With("role", "worker"), Registerer: registry})
}
