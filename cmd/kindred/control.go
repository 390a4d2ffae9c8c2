package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/ingest/keys"
	"github.com/kindred-cdp/kindred/ingest/letters"
	"github.com/kindred-cdp/kindred/ingest/plans"
	"github.com/kindred-cdp/kindred/ingest/restrictions"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/forecast"
	"github.com/kindred-cdp/kindred/segments/activation"
	"github.com/kindred-cdp/kindred/segments/live"
)

// decisions is what people decide, from the API to the tables: the owner of
// kindred.control, and the services that send to it.
type decisions struct {
	p        *platform
	consumer *kafka.Consumer
	owner    *control.Owner
	reader   *plans.Reader // for ingest and for the API
	plans    *plans.Service
	letters  *letters.Service
	ring     *keys.Ring // for the API
	keys     *keys.Service
	live     *live.Worker
	activate *activation.Worker
	forecast *forecast.Worker
	// rescored is told of profiles with new scores; nil where nobody keeps them at hand.
	rescored func(workspace string, keys ...identity.Key)
	segments segmentKeeper
	models   forecastKeeper
	// destinations are told of changes of segments.
	destinations destinationKeeper

	restricted   *restrictions.List // for the API
	restrictions *restrictions.Service
}

// newDecisions wires the owner with its handlers. Nothing runs yet.
func newDecisions(p *platform, consumer *kafka.Consumer, w writer, decoder *ingest.Decoder, then identityThen, registry prometheus.Registerer) (*decisions, error) {
	d := &decisions{p: p, consumer: consumer}
	onPlans, onLetters, onKeys := plans.NewHandler(p.conn), letters.NewHandler(p.conn, w, decoder.SealReplay), keys.NewHandler(p.conn)
	var err error
	if d.activate, err = newActivation(p, w, registry); err != nil {
		return nil, err
	}
	if d.live, err = newLive(p, tellingChanges{segmentChanges{w}, d.activate.Changed}, registry); err != nil {
		return nil, err
	}
	if d.forecast, err = newForecast(p, live.NewStore(p.conn), then, d.scored, registry); err != nil {
		return nil, err
	}
	onDestinations := destinationHandler{activation.NewDefinitions(p.conn), d.activate.Redefined}
	onRestrictions := restrictionHandler{restrictions.NewHandler(p.conn), d.live}
	d.owner, err = control.NewOwner(control.DefaultConfig(), control.Deps{
		Conn: p.conn, Logger: p.log.With("role", "control"), Registry: registry,
		Handlers: map[string]control.Handler{
			plans.KindPut: onPlans, plans.KindArchive: onPlans,
			letters.KindEdit: onLetters, letters.KindReplay: onLetters, letters.KindDiscard: onLetters, letters.KindNote: onLetters,
			keys.KindCreate: onKeys, keys.KindRotate: onKeys, keys.KindRevoke: onKeys,
			kindSegment:     segmentHandler{live.NewDefinitions(p.conn), d.live.Redefined},
			kindModel:       modelHandler{forecast.NewDefinitions(p.conn), d.forecast.Redefined},
			kindDestination: onDestinations, kindRedeliver: onDestinations, kindSync: onDestinations,
			restrictions.KindRestrict: onRestrictions, restrictions.KindRelease: onRestrictions,
		},
	})
	if err != nil {
		return nil, err
	}
	if d.reader, err = plans.NewReader(plans.DefaultConfig(), p.conn, p.log.With("role", "ingest")); err != nil {
		return nil, err
	}
	client := control.NewClient(w, p.conn, control.DefaultWait)
	d.plans = plans.NewService(p.conn, client, d.reader)
	d.letters = letters.NewService(letters.NewStore(p.conn), client)
	if d.ring, err = keys.NewRing(keys.DefaultConfig(), p.conn, p.log.With("role", "api")); err != nil {
		return nil, err
	}
	d.keys = keys.NewService(p.conn, client, d.ring)
	d.segments = segmentKeeper{live.NewStore(p.conn), client}
	d.models = forecastKeeper{forecast.NewStore(p.conn), d.segments, client}
	sealer, err := activation.NewSealer(p.secret)
	if err != nil {
		return nil, err
	}
	d.destinations = destinationKeeper{activation.NewStore(p.conn), client, sealer, p.settings.activationAllowPrivate, p.settings.mail != nil}
	if d.restricted, err = restrictions.NewList(restrictions.DefaultConfig(), p.conn, p.log.With("role", "api")); err != nil {
		return nil, err
	}
	d.restrictions = restrictions.NewService(client, d.restricted)
	return d, nil
}

// run owns the topic of commands, again after an error, because nothing is lost
// by it and the cause may pass.
func (d *decisions) run(ctx context.Context) error {
	return d.consumer.Run(ctx, func(ctx context.Context, part *kafka.Partition) error {
		if err := d.own(ctx, part); err != nil && ctx.Err() == nil {
			d.p.log.Error("owner of commands stopped", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
		return nil
	})
}

// own applies commands, keeps the members of segments and the models for as long as the
// partition belongs to this process.
func (d *decisions) own(ctx context.Context, part *kafka.Partition) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.runLive(ctx) })
	g.Go(func() error { return d.activate.Run(ctx) })
	g.Go(func() error { return d.forecast.Run(ctx) })
	g.Go(func() error {
		defer stop()
		return d.owner.Own(ctx, part)
	})
	return g.Wait()
}

// scored tells segments, and whoever keeps profiles at hand, of new scores.
func (d *decisions) scored(workspace string, keys ...identity.Key) {
	d.live.Changed(workspace, keys...)
	if d.rescored != nil {
		d.rescored(workspace, keys...)
	}
}

// refusal turns the errors of changes into those of the API.
func refusal(err error) error {
	var invalid *plans.Invalid
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid):
		r := &api.Refused{Detail: "the tracking plan breaks rules"}
		for _, f := range invalid.Faults {
			r.Faults = append(r.Faults, api.PlacedFault{Pointer: "/definition" + f.Pointer, Detail: f.Detail})
		}
		return r
	case errors.Is(err, plans.ErrNotFound):
		return api.ErrNoPlan
	case errors.Is(err, letters.ErrNotFound):
		return api.ErrNoLetter
	case errors.Is(err, keys.ErrNotFound):
		return api.ErrNoKey
	case errors.Is(err, plans.ErrConflict), errors.Is(err, letters.ErrConflict), errors.Is(err, keys.ErrConflict):
		return &api.Refused{Conflict: true, Detail: strings.TrimPrefix(err.Error(), "conflict: ")}
	case errors.Is(err, plans.ErrRefused), errors.Is(err, letters.ErrRefused), errors.Is(err, keys.ErrRefused), errors.Is(err, restrictions.ErrRefused), errors.Is(err, control.ErrTooLarge):
		return &api.Refused{Detail: strings.TrimPrefix(err.Error(), "refused: ")}
	case errors.Is(err, control.ErrPending):
		return api.ErrPending
	}
	return err
}

// planKeeper is api.Plans.
type planKeeper struct{ s *plans.Service }

var _ api.Plans = planKeeper{}

func (k planKeeper) List(ctx context.Context, workspace string) ([]api.Plan, error) {
	list, err := k.s.List(ctx, workspace)
	return mapped(list, func(p plans.Plan) api.Plan { return api.Plan(p) }), refusal(err)
}

func (k planKeeper) Get(ctx context.Context, workspace, name string) (*api.Plan, error) {
	p, err := k.s.Get(ctx, workspace, name)
	return (*api.Plan)(p), refusal(err)
}

func (k planKeeper) Put(ctx context.Context, workspace, actor, name string, expected uint64, definition json.RawMessage) (uint64, error) {
	revision, err := k.s.Put(ctx, workspace, actor, name, expected, definition)
	return revision, refusal(err)
}

func (k planKeeper) Archive(ctx context.Context, workspace, actor, name string, expected uint64) (uint64, error) {
	revision, err := k.s.Archive(ctx, workspace, actor, name, expected)
	return revision, refusal(err)
}

func (k planKeeper) Try(ctx context.Context, workspace, kind string, message, definition json.RawMessage) ([]api.PlanViolation, error) {
	if !slices.Contains(wire.Kinds(), wire.Kind(kind)) {
		return nil, &api.Refused{Detail: "the body breaks a rule", Faults: []api.PlacedFault{{Pointer: "/kind", Detail: "is none of the kinds of events"}}}
	}
	broken, err := k.s.Try(ctx, workspace, wire.Kind(kind), message, definition)
	return mapped(broken, func(v ingest.Violation) api.PlanViolation { return api.PlanViolation(v) }), refusal(err)
}

func (k planKeeper) Violations(ctx context.Context, workspace, plan string, since time.Time, limit int) ([]api.PlanBroken, error) {
	list, err := k.s.Violations(ctx, workspace, plan, since, limit)
	return mapped(list, func(b plans.Broken) api.PlanBroken { return api.PlanBroken(b) }), refusal(err)
}

// letterKeeper is api.Letters.
type letterKeeper struct{ s *letters.Service }

var _ api.Letters = letterKeeper{}

func (k letterKeeper) List(ctx context.Context, workspace string, f api.LetterFilter, cursor string, limit int) ([]api.Letter, string, error) {
	list, next, err := k.s.List(ctx, workspace, letters.Filter(f), cursor, limit)
	return mapped(list, func(l letters.Letter) api.Letter { return api.Letter(l) }), next, refusal(err)
}

func (k letterKeeper) Summary(ctx context.Context, workspace string, f api.LetterFilter) ([]api.LetterCount, error) {
	list, err := k.s.Summary(ctx, workspace, letters.Filter(f))
	return mapped(list, func(c letters.Count) api.LetterCount { return api.LetterCount(c) }), refusal(err)
}

func (k letterKeeper) Get(ctx context.Context, workspace, id string) (*api.WholeLetter, error) {
	l, err := k.s.Get(ctx, workspace, id)
	if err != nil {
		return nil, refusal(err)
	}
	return &api.WholeLetter{
		Letter: api.Letter(l.Letter), MessageID: l.MessageID, Value: l.Value, Edited: l.Edited, Headers: l.Headers,
		History: mapped(l.History, func(e letters.Event) api.LetterEvent { return api.LetterEvent(e) }),
	}, nil
}

func (k letterKeeper) Act(ctx context.Context, workspace, actor, action, id string, r api.LetterAction) (uint64, error) {
	done, err := k.s.Act(ctx, workspace, actor, "letters."+action, letters.Request{
		Letters: []string{id}, Expected: r.Expected, Reason: r.Reason, Value: r.Value, NewID: r.NewID,
	})
	if err != nil {
		return 0, refusal(err)
	}
	return done.Revision, nil
}

func (k letterKeeper) ActAll(ctx context.Context, workspace, actor, action string, b api.LetterBulk) (*api.LetterBulkDone, error) {
	done, err := k.s.ActAll(ctx, workspace, actor, "letters."+action, letters.Bulk{
		Filter: letters.Filter(b.Filter), Limit: b.Limit, DryRun: b.DryRun, Reason: b.Reason, NewID: b.NewID,
	})
	if err != nil {
		return nil, refusal(err)
	}
	return &api.LetterBulkDone{
		Matched: done.Matched, Letters: done.Letters, Revision: done.Revision, Applied: done.Applied,
		Refused: mapped(done.Refused, func(r letters.Refusal) api.LetterRefusal { return api.LetterRefusal(r) }),
	}, nil
}

func mapped[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, x := range list {
		out[i] = f(x)
	}
	return out
}
