package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/control"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/forecast"
	"github.com/kindred-cdp/kindred/profiles/traitfile"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
	segmentsql "github.com/kindred-cdp/kindred/segments/sql"
)

// kindModel is the kind of commands that decide something of a model of propensity,
// whose name is their subject.
const kindModel = "model.change"

// identityThen tells to whom identifiers belonged by the evidence of up to a moment.
type identityThen func(ctx context.Context, workspace string, at time.Time) (iter.Seq2[identity.Key, identity.ProfileID], error)

// newForecast wires the worker of models. library resolves the segments that definitions
// of who is eligible name; scored is told of profiles with new scores.
func newForecast(p *platform, library segments.Library, then identityThen, scored func(string, ...identity.Key), registry prometheus.Registerer) (*forecast.Worker, error) {
	reader, err := features.New(features.Deps{Conn: p.conn, Then: then})
	if err != nil {
		return nil, err
	}
	traits, err := traitfile.Read(p.settings.traits)
	if err != nil {
		return nil, err
	}
	return forecast.New(forecast.DefaultConfig(), forecast.Deps{
		Conn: p.conn, Features: reader, Clock: now, Logger: p.log.With("role", "worker"), Registerer: registry,
		Eligible: func(ctx context.Context, workspace string, definition json.RawMessage, at time.Time) (map[identity.ProfileID]bool, error) {
			return eligibleThen(ctx, p, library, traits, workspace, definition, at)
		},
		Scored: func(workspace string, ids []identity.ProfileID) {
			scored(workspace, mapped(ids, func(id identity.ProfileID) identity.Key { return identity.Key(id) })...)
		},
	})
}

// eligibleThen returns the profiles for which a definition holds at a moment.
func eligibleThen(ctx context.Context, p *platform, library segments.Library, traits traitfile.File, workspace string, definition json.RawMessage, at time.Time) (map[identity.ProfileID]bool, error) {
	d, err := segments.Parse(definition)
	if err != nil {
		return nil, err
	}
	if d, err = segments.Resolve(ctx, library, workspace, "", d); err != nil {
		return nil, err
	}
	reading, err := warehouse.ReadingNow(ctx, p.conn, workspace)
	if err != nil {
		return nil, profilestore.Concise(err)
	}
	q, err := segmentsql.Compile(d, traits.Rules, workspace, at, reading)
	if err != nil {
		return nil, err
	}
	rows, err := p.conn.Query(clickhousego.Context(ctx, clickhousego.WithParameters(clickhousego.Parameters(q.Parameters))), q.SQL)
	if err != nil {
		return nil, profilestore.Concise(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[identity.ProfileID]bool{}
	for rows.Next() {
		var id uint64
		if err := rows.Scan(&id); err != nil {
			return nil, profilestore.Concise(err)
		}
		all[identity.ProfileID(id)] = true
	}
	return all, profilestore.Concise(rows.Err())
}

// modelHandler is control.Handler of the decisions about models.
type modelHandler struct {
	definitions *forecast.Definitions
	changed     func()
}

var _ control.Handler = modelHandler{}

func (h modelHandler) Apply(ctx context.Context, c *control.Placed) (control.Result, error) {
	var change forecast.Change
	if err := json.Unmarshal(c.Body, &change); err != nil {
		return control.Refuse(control.Refused, "the body is no change of a model"), nil
	}
	at := forecast.Place{Workspace: c.Workspace, Model: c.Subject, Revision: c.Revision, Actor: c.Actor, Time: c.Time}
	err := h.definitions.Apply(ctx, at, change)
	var invalid *forecast.Invalid
	switch {
	case err == nil:
		h.changed()
		return control.Result{Verdict: control.OK, Body: map[string]uint64{"revision": c.Revision}}, nil
	case errors.Is(err, forecast.ErrConflict):
		return control.Refuse(control.Conflict, "%s", strings.TrimPrefix(err.Error(), "conflict: ")), nil
	case errors.Is(err, forecast.ErrRefused), errors.As(err, &invalid):
		return control.Refuse(control.Refused, "%s", strings.TrimPrefix(err.Error(), "refused: ")), nil
	}
	return control.Result{}, err
}

// forecastKeeper is api.Forecasts.
type forecastKeeper struct {
	*forecast.Store
	library segments.Library
	client  *control.Client
}

var _ api.Forecasts = forecastKeeper{}

// Change implements api.Forecasts. The owner checks again what is checked here, where
// faults can still be pointed at.
func (k forecastKeeper) Change(ctx context.Context, workspace, actor, name string, change forecast.Change) (uint64, error) {
	if err := k.check(ctx, workspace, name, change); err != nil {
		return 0, err
	}
	body, err := json.Marshal(change)
	if err != nil {
		return 0, fmt.Errorf("write a change of a model: %w", err)
	}
	o, err := k.client.Do(ctx, control.Command{Workspace: workspace, Kind: kindModel, Subject: name, Actor: actor, Body: body})
	if err != nil {
		return 0, refusal(err)
	}
	if o.Verdict != control.OK {
		return 0, &api.Refused{Conflict: o.Verdict == control.Conflict, Detail: o.Detail}
	}
	return o.Revision, nil
}

func (k forecastKeeper) check(ctx context.Context, workspace, name string, change forecast.Change) error {
	err := change.Check(name)
	var invalid *forecast.Invalid
	switch {
	case errors.As(err, &invalid):
		r := &api.Refused{Detail: "the definition of the model breaks rules"}
		for _, f := range invalid.Faults {
			r.Faults = append(r.Faults, api.PlacedFault{Pointer: "/definition" + f.Pointer, Detail: f.Detail})
		}
		return r
	case errors.Is(err, forecast.ErrRefused):
		return &api.Refused{Detail: strings.TrimPrefix(err.Error(), "refused: ")}
	case err != nil:
		return err
	}
	if change.Kind != forecast.Put {
		_, err := k.Get(ctx, workspace, name)
		return err
	}
	d, err := forecast.Parse(change.Definition)
	if err != nil || len(d.Eligible) == 0 {
		return err
	}
	eligible, err := segments.Parse(d.Eligible)
	if err == nil {
		_, err = segments.Resolve(ctx, k.library, workspace, "", eligible)
	}
	var wrong *segments.Invalid
	if errors.As(err, &wrong) {
		r := &api.Refused{Detail: "the segment of who is eligible breaks rules"}
		for _, f := range wrong.Faults {
			r.Faults = append(r.Faults, api.PlacedFault{Pointer: "/definition/eligible" + f.Pointer, Detail: f.Detail})
		}
		return r
	}
	return err
}
