package main

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/restrictions"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/traitfile"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/live"
)

// segmentsTopic has who entered and who left segments, keyed by profile.
const (
	segmentsTopic     = "kindred.segments"
	segmentsRetention = 7 * 24 * time.Hour
)

// kindSegment is the kind of commands that change a segment, whose name is their
// subject.
const kindSegment = "segment.put"

// newLive wires the worker that keeps the members of segments.
func newLive(p *platform, to live.Publisher, registry prometheus.Registerer) (*live.Worker, error) {
	traits, err := traitfile.Read(p.settings.traits)
	if err != nil {
		return nil, err
	}
	cfg := live.DefaultConfig()
	cfg.Rules = traits.Rules
	return live.New(cfg, live.Deps{
		Conn: p.conn, Clock: now, Publisher: to, Logger: p.log.With("role", "worker"), Registerer: registry,
	})
}

// segmentChanges is live.Publisher on Kafka.
type segmentChanges struct{ writer }

// segmentMessage is a change as others read it. Its id is the same whenever it is
// told: whoever acts on changes drops those that it has seen.
type segmentMessage struct {
	ID        string             `json:"id"`
	Workspace string             `json:"workspace"`
	Segment   segments.ID        `json:"segment"`
	Revision  uint64             `json:"revision"`
	Profile   identity.ProfileID `json:"profile"`
	Change    string             `json:"change"` // entered or exited
	Time      time.Time          `json:"time"`
	Cause     segments.Cause     `json:"cause"`
	Leaves    []string           `json:"leaves"`
}

// list is never null.
func list(texts []string) []string { return append([]string{}, texts...) }

// changeID names a change within its workspace.
func changeID(c segments.Change) string {
	return string(c.Segment) + "/" + strconv.FormatUint(c.Block, 10) + "/" + c.Profile.String()
}

func (s segmentChanges) Publish(ctx context.Context, workspace string, changes []segments.Change) error {
	msgs := make([]kafka.Message, len(changes))
	for i, c := range changes {
		value, err := json.Marshal(segmentMessage{
			ID: changeID(c), Workspace: workspace, Segment: c.Segment, Revision: c.Revision, Profile: c.Profile,
			Change: api.Direction(c.Entered), Time: c.Time, Cause: c.Cause, Leaves: list(c.Leaves),
		})
		if err != nil {
			return err
		}
		msgs[i] = kafka.Message{
			Topic: segmentsTopic, Key: []byte(c.Profile.String()), Value: value,
			Headers: []kafka.Header{{Key: wire.HeaderWorkspace, Value: []byte(workspace)}},
		}
	}
	return s.WriteMessages(ctx, msgs...)
}

// runLive keeps the members, woken by what is stored and by what identity changes.
// It runs in the process that owns the commands, so that of several workers one
// evaluates; two that did for a moment would store nothing twice. It begins with
// everybody, after it has settled from where it reads on, so that nothing falls
// between.
func (d *decisions) runLive(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for topic, take := range map[string]func(*kafka.Message) error{storedTopic: d.takeStored, identityTopic: d.takeNotice} {
		end, err := endOfTopic(ctx, d.p, topic)
		if err != nil {
			return err
		}
		g.Go(func() error { return followTopicFrom(ctx, d.p, topic, end, take) })
	}
	g.Go(func() error { return d.live.Run(ctx) })
	return g.Wait()
}

func (d *decisions) takeStored(m *kafka.Message) error {
	workspace, byName, err := readStored(m)
	if err == nil && len(byName) == 0 {
		d.live.ChangedUnknown()
	}
	for name, keys := range byName {
		d.live.Happened(workspace, name, keys...)
		d.forecast.Changed(workspace, keys...)
	}
	return err
}

func (d *decisions) takeNotice(m *kafka.Message) error {
	n, err := readNotice(m)
	d.live.Changed(n.Workspace, noticed(n)...)
	d.forecast.Changed(n.Workspace, noticed(n)...)
	return err
}

// segmentHandler is control.Handler of the definitions of segments.
type segmentHandler struct {
	definitions *live.Definitions
	changed     func()
}

var _ control.Handler = segmentHandler{}

func (h segmentHandler) Apply(ctx context.Context, c *control.Placed) (control.Result, error) {
	var change live.Change
	if err := json.Unmarshal(c.Body, &change); err != nil {
		return control.Refuse(control.Refused, "the body is no change of a segment"), nil
	}
	at := live.Place{Workspace: c.Workspace, Segment: segments.ID(c.Subject), Revision: c.Revision, Actor: c.Actor, Time: c.Time}
	err := h.definitions.Apply(ctx, at, change)
	var invalid *segments.Invalid
	switch {
	case err == nil:
		h.changed()
		return control.Result{Verdict: control.OK, Body: map[string]uint64{"revision": c.Revision}}, nil
	case errors.Is(err, live.ErrConflict):
		return control.Refuse(control.Conflict, "%s", strings.TrimPrefix(err.Error(), "conflict: ")), nil
	case errors.Is(err, live.ErrRefused), errors.As(err, &invalid):
		return control.Refuse(control.Refused, "%s", strings.TrimPrefix(err.Error(), "refused: ")), nil
	}
	return control.Result{}, err
}

// restrictionHandler has restricted people leave their segments at once.
type restrictionHandler struct {
	control.Handler
	live *live.Worker
}

func (h restrictionHandler) Apply(ctx context.Context, c *control.Placed) (control.Result, error) {
	result, err := h.Handler.Apply(ctx, c)
	var ask restrictions.Change
	if err == nil && json.Unmarshal(c.Body, &ask) == nil {
		h.live.Changed(c.Workspace, ask.Keys...)
	}
	return result, err
}

// segmentKeeper is api.Segments.
type segmentKeeper struct {
	*live.Store
	client *control.Client
}

var _ api.Segments = segmentKeeper{}

// Change implements api.Segments. The owner checks again what is checked here, where
// faults can still be pointed at.
func (k segmentKeeper) Change(ctx context.Context, workspace, actor string, id segments.ID, change api.SegmentChange) (uint64, error) {
	wanted := live.Change(change)
	err := wanted.Check(id)
	if errors.Is(err, live.ErrRefused) {
		return 0, &api.Refused{Detail: strings.TrimPrefix(err.Error(), "refused: ")}
	}
	if err != nil {
		return 0, err
	}
	if !wanted.Archive {
		d, err := segments.Parse(wanted.Definition)
		if err != nil {
			return 0, err
		}
		if _, err := segments.Resolve(ctx, k.Store, workspace, string(id), d); err != nil {
			return 0, err
		}
	}
	body, err := json.Marshal(wanted)
	if err != nil {
		return 0, err
	}
	o, err := k.client.Do(ctx, control.Command{Workspace: workspace, Kind: kindSegment, Subject: string(id), Actor: actor, Body: body})
	if err != nil {
		return 0, refusal(err)
	}
	if o.Verdict != control.OK {
		return 0, &api.Refused{Conflict: o.Verdict == control.Conflict, Detail: o.Detail}
	}
	return o.Revision, nil
}
