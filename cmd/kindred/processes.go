package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/deploy/embedded"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// role is a part of Kindred that can be a process of its own.
type role string

const (
	roleAPI        role = "api"        // HTTP: intake and profiles
	roleIngest     role = "ingest"     // events from Kafka to ClickHouse
	roleIdentity   role = "identity"   // profiles; a second process is a hot standby
	roleWorker     role = "worker"     // scores and other work in the background
	roleBroker     role = "broker"     // the embedded Kafka
	roleClickHouse role = "clickhouse" // the embedded ClickHouse
)

func allRoles() []role {
	return []role{roleAPI, roleIngest, roleIdentity, roleWorker, roleBroker, roleClickHouse}
}

// roleSet is what a process does; nil is everything.
type roleSet []role

func parseRoles(names []string) (roleSet, error) {
	var set roleSet
	for _, n := range names {
		if !slices.Contains(allRoles(), role(n)) {
			return nil, fmt.Errorf("role %q does not exist; roles are %v", n, allRoles())
		}
		set = append(set, role(n))
	}
	return set, nil
}

func (r roleSet) has(x role) bool { return r == nil || slices.Contains(r, x) }

// needsClickHouse and needsKafka say which engines the set works with, embedded
// here or not.
func (r roleSet) needsClickHouse() bool {
	return r.has(roleAPI) || r.has(roleIngest) || r.has(roleIdentity) || r.has(roleWorker) || r.has(roleClickHouse)
}

func (r roleSet) needsKafka() bool {
	return r.has(roleAPI) || r.has(roleIngest) || r.has(roleIdentity) || r.has(roleWorker) || r.has(roleBroker)
}

// enginesOnly reports whether there is nothing to run but engines.
func (r roleSet) enginesOnly() bool {
	return !r.has(roleAPI) && !r.has(roleIngest) && !r.has(roleIdentity) && !r.has(roleWorker)
}

// checkRoles refuses roles that contradict the addresses.
func (s *settings) checkRoles() error {
	var errs []error
	if s.roles != nil && s.roles.has(roleBroker) && len(s.kafkaBrokers) > 0 {
		errs = append(errs, errors.New("--role broker is the embedded Kafka, but KINDRED_KAFKA_BROKERS names another one"))
	}
	if s.roles != nil && s.roles.has(roleClickHouse) && s.clickhouseURL != "" {
		errs = append(errs, errors.New("--role clickhouse is the embedded ClickHouse, but KINDRED_CLICKHOUSE_URL names another one"))
	}
	return errors.Join(errs...)
}

// waitPause separates two looks for an engine that is not up yet.
const waitPause = 500 * time.Millisecond

// await calls try until it succeeds or ctx ends, and says what it waits for:
// processes are started in any order.
func (p *platform) await(ctx context.Context, what string, try func(context.Context) error) error {
	if p.settings.roles == nil {
		return try(ctx) // One process does everything: nobody else will start it.
	}
	last := ""
	for {
		err := try(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if text := err.Error(); text != last {
			p.ui.say("waiting for %s: %s", what, text)
			last = text
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(waitPause):
		}
	}
}

// awaitClickHouse waits for a ClickHouse of another process. A process of named
// roles leaves the tables to whoever has them made, the role clickhouse or
// `kindred migrate`, because only one may.
func (p *platform) awaitClickHouse(ctx context.Context) error {
	return p.await(ctx, "ClickHouse", func(ctx context.Context) error {
		if p.warehouse.URL = p.settings.clickhouseURL; p.warehouse.URL == "" {
			var err error
			if p.warehouse.URL, err = p.localClickHouse(); err != nil {
				return err
			}
		}
		if p.settings.roles != nil {
			return warehouse.Current(ctx, p.warehouse)
		}
		return p.migrate(ctx)
	})
}

// localClickHouse is the address of the embedded ClickHouse that another process
// runs on the same data folder, where its password is.
func (p *platform) localClickHouse() (string, error) {
	folder := filepath.Join(p.settings.data, "clickhouse")
	password, err := os.ReadFile(filepath.Join(folder, "admin.password"))
	if err != nil {
		return "", fmt.Errorf("no embedded ClickHouse has been started on %s: %w; start it with `kindred up --role clickhouse` and the same --data, or set KINDRED_CLICKHOUSE_URL", folder, err)
	}
	u := url.URL{
		Scheme: "clickhouse", User: url.UserPassword(embedded.AdminUser, strings.TrimSpace(string(password))),
		Host: net.JoinHostPort("127.0.0.1", fmt.Sprint(p.settings.clickhousePort)), Path: "/kindred",
	}
	return u.String(), nil
}

// open connects once the tables are there.
func (p *platform) open(ctx context.Context) error {
	if !p.settings.roles.needsClickHouse() {
		return nil
	}
	return p.await(ctx, "ClickHouse", func(ctx context.Context) (err error) {
		p.conn, err = warehouse.Open(ctx, p.warehouse)
		if err != nil || !p.settings.roles.has(roleIngest) {
			return err
		}
		cfg := p.warehouse
		cfg.MaxConns = bulkConnections
		p.bulk, err = warehouse.Open(ctx, cfg)
		return err
	})
}

// bulkConnections is how many inserts of events go on at a time.
const bulkConnections = 3

// brokerAddresses are those of the settings, or of the embedded Kafka that
// another process runs.
func (s *settings) brokerAddresses() []string {
	if len(s.kafkaBrokers) > 0 {
		return s.kafkaBrokers
	}
	return []string{net.JoinHostPort("127.0.0.1", fmt.Sprint(s.kafkaPort))}
}

// runUp runs the roles of the settings until ctx ends.
func runUp(ctx context.Context, p *platform, ready func(net.Addr)) error {
	if p.settings.roles.enginesOnly() {
		ready(nil)
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
			return cause
		}
		return nil
	}
	r, err := newRoles(p)
	if err != nil {
		return err
	}
	return r.run(ctx, ready)
}
