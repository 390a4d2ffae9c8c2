package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/activation"
)

// Kinds of commands about destinations, whose name is their subject.
const (
	kindDestination = "destination.put"
	kindRedeliver   = "destination.redeliver"
	kindSync        = "destination.sync"
)

// newActivation wires the worker that tells destinations of changes of segments.
func newActivation(p *platform, w writer, registry prometheus.Registerer) (*activation.Worker, error) {
	form, err := profileConfig(p)
	if err != nil {
		return nil, err
	}
	store, err := profilestore.New(form, p.conn, now)
	if err != nil {
		return nil, err
	}
	sealer, err := activation.NewSealer(p.secret)
	if err != nil {
		return nil, err
	}
	var mailer *activation.Mailer
	if p.settings.mail != nil {
		if mailer, err = activation.NewMailer(*p.settings.mail); err != nil {
			return nil, err
		}
	}
	cfg := activation.DefaultConfig()
	cfg.AllowPrivate = p.settings.activationAllowPrivate
	return activation.New(cfg, activation.Deps{
		Conn: p.conn, Store: store, Clock: now, Sealer: sealer, Recorder: contactRecorder{w}, Mailer: mailer, Logger: p.log.With("role", "worker"), Registerer: registry,
	})
}

// contactSource is the source of the events about what was sent.
const contactSource = "activation"

// contactRecorder is activation.Recorder on the topic of contacts.
type contactRecorder struct{ writer }

// Record implements activation.Recorder. The time is that of the arrival to ingest,
// which takes a repeated message for the same one though it comes later.
func (r contactRecorder) Record(ctx context.Context, workspace string, sent []activation.Contact) error {
	msgs := make([]kafka.Message, len(sent))
	for i, c := range sent {
		m := wire.Message{
			ID: c.ID, Name: "Message Sent", Source: contactSource, Time: c.Time, Undated: true,
			Identifiers: []wire.Identifier{{Namespace: string(c.Identifier.Namespace), Value: c.Identifier.Value}},
			Contact:     &wire.Outreach{Action: "sent", Channel: c.Channel, Campaign: string(c.Destination), MessageID: c.ID, Subject: c.Subject, Detail: c.Detail},
		}
		value, err := m.Encode()
		if err != nil {
			return errors.New("encode contact") // Its own error may repeat values.
		}
		msgs[i] = kafka.Message{
			Topic: wire.Contact.Topic(), Key: wire.PartitionKey(m.Source, m.ID), Value: value,
			Headers: []kafka.Header{{Key: wire.HeaderWorkspace, Value: []byte(workspace)}},
		}
	}
	return r.WriteMessages(ctx, msgs...)
}

// tellingChanges tells the worker of destinations that there are changes of segments,
// when others can read of them.
type tellingChanges struct {
	segmentChanges
	changed func(workspace string)
}

func (t tellingChanges) Publish(ctx context.Context, workspace string, changes []segments.Change) error {
	t.changed(workspace) // Also where the broker cannot be reached: the table has them.
	return t.segmentChanges.Publish(ctx, workspace, changes)
}

// destinationHandler is control.Handler of destinations.
type destinationHandler struct {
	definitions *activation.Definitions
	changed     func()
}

var _ control.Handler = destinationHandler{}

func (h destinationHandler) Apply(ctx context.Context, c *control.Placed) (control.Result, error) {
	at := activation.Place{Workspace: c.Workspace, Destination: activation.ID(c.Subject), Revision: c.Revision, Actor: c.Actor, Time: c.Time}
	done := map[string]uint64{"revision": c.Revision}
	var err error
	switch c.Kind {
	case kindRedeliver:
		var ask activation.Redelivery
		if json.Unmarshal(c.Body, &ask) != nil {
			return control.Refuse(control.Refused, "the body is no list of letters"), nil
		}
		var n int
		n, err = h.definitions.Redeliver(ctx, at, ask)
		done["letters"] = uint64(n)
	case kindSync:
		var ask activation.Sync
		if json.Unmarshal(c.Body, &ask) != nil {
			return control.Refuse(control.Refused, "the body is no order to compare"), nil
		}
		err = h.definitions.Sync(ctx, at, ask)
	default:
		var change activation.Change
		if json.Unmarshal(c.Body, &change) != nil {
			return control.Refuse(control.Refused, "the body is no change of a destination"), nil
		}
		err = h.definitions.Apply(ctx, at, change)
	}
	var invalid *activation.Invalid
	switch {
	case err == nil:
		h.changed()
		return control.Result{Verdict: control.OK, Body: done}, nil
	case errors.Is(err, activation.ErrConflict):
		return control.Refuse(control.Conflict, "%s", strings.TrimPrefix(err.Error(), "conflict: ")), nil
	case errors.Is(err, activation.ErrRefused), errors.As(err, &invalid):
		return control.Refuse(control.Refused, "%s", strings.TrimPrefix(err.Error(), "refused: ")), nil
	}
	return control.Result{}, err
}

// destinationKeeper is api.Destinations.
type destinationKeeper struct {
	*activation.Store
	client       *control.Client
	sealer       *activation.Sealer
	allowPrivate bool
	mails        bool // there is a mail server
}

var _ api.Destinations = destinationKeeper{}

// Put implements api.Destinations. The secrets are sealed before they leave.
func (k destinationKeeper) Put(ctx context.Context, workspace, actor string, id activation.ID, w activation.Wish) (uint64, string, error) {
	d, err := k.Get(ctx, workspace, id)
	if err != nil && !errors.Is(err, activation.ErrNoDestination) {
		return 0, "", err
	}
	change, secret, err := k.sealer.Change(workspace, id, w, d)
	if err == nil {
		err = activation.CheckTransport(change.Definition, k.allowPrivate, k.mails)
	}
	if err != nil {
		return 0, "", err
	}
	o, err := k.do(ctx, workspace, actor, kindDestination, id, change)
	if err != nil {
		return 0, "", err
	}
	return o.Revision, secret, nil
}

// Archive implements api.Destinations.
func (k destinationKeeper) Archive(ctx context.Context, workspace, actor string, id activation.ID, expected uint64) (uint64, error) {
	o, err := k.do(ctx, workspace, actor, kindDestination, id, activation.Change{Expected: expected, Archive: true})
	if err != nil {
		return 0, err
	}
	return o.Revision, nil
}

// Preview implements api.Destinations.
func (k destinationKeeper) Preview(ctx context.Context, workspace string, id activation.ID, definition json.RawMessage, p *profiles.Profile, segment segments.ID, entered bool) (*activation.Preview, error) {
	if len(definition) > 0 {
		return k.Try(ctx, workspace, id, definition, p, segment, entered, now())
	}
	d, err := k.Get(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	return k.Store.Preview(ctx, d, p, segment, entered, now())
}

// Redeliver implements api.Destinations.
func (k destinationKeeper) Redeliver(ctx context.Context, workspace, actor string, id activation.ID, letters []string) (int, error) {
	o, err := k.do(ctx, workspace, actor, kindRedeliver, id, activation.Redelivery{Letters: letters})
	if err != nil {
		return 0, err
	}
	var done struct{ Letters int }
	return done.Letters, json.Unmarshal(o.Body, &done)
}

// Sync implements api.Destinations.
func (k destinationKeeper) Sync(ctx context.Context, workspace, actor string, id activation.ID, ask activation.Sync) (uint64, error) {
	o, err := k.do(ctx, workspace, actor, kindSync, id, ask)
	if err != nil {
		return 0, err
	}
	return o.Revision, nil
}

func (k destinationKeeper) do(ctx context.Context, workspace, actor, kind string, id activation.ID, body any) (*control.Outcome, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	o, err := k.client.Do(ctx, control.Command{Workspace: workspace, Kind: kind, Subject: string(id), Actor: actor, Body: text})
	if err != nil {
		return nil, refusal(err)
	}
	if o.Verdict != control.OK {
		return nil, &api.Refused{Conflict: o.Verdict == control.Conflict, Detail: o.Detail}
	}
	return o, nil
}
