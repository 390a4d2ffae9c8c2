package main

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/ingest/progress"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/traitfile"
	"github.com/kindred-cdp/kindred/profiles/views"
)

// storedOffsets says how far a topic and its readers are.
type storedOffsets = kafka.Offsets

// viewsGroup reads which events were stored, to project the views of their profiles.
const viewsGroup = "kindred-views"

// Bounds of what the projector waits for: it is never urgent, and works in the end.
const (
	settleLag   = 20_000           // records that ingest may be behind
	settleWait  = 10 * time.Minute // for ingest to be no further behind
	settleStill = 30 * time.Second // without getting nearer
	settleLook  = time.Second
	settleLast  = 30 * time.Second // for the identity role to have seen what was stored

	viewsMaxExecution = time.Minute // of a query, with what it waits for others
)

// profileConfig is what views of profiles are made by, in every role.
func profileConfig(p *platform) (profilestore.Config, error) {
	traits, err := traitfile.Read(p.settings.traits)
	cfg := profilestore.DefaultConfig()
	cfg.Rules, cfg.Computed = traits.Rules, traits.Computed
	return cfg, err
}

func newProjector(p *platform, settle func(context.Context) error, registry prometheus.Registerer) (*views.Projector, error) {
	form, err := profileConfig(p)
	if err != nil {
		return nil, err
	}
	patient := form
	patient.Patient, patient.MaxExecution = true, viewsMaxExecution
	store, err := profilestore.New(patient, p.conn, now)
	if err != nil {
		return nil, err
	}
	return views.NewProjector(views.DefaultConfig(), views.ProjectorDeps{
		Conn: p.conn, Form: form, Store: store, Settle: settle, Now: now, Log: p.log.With("role", "worker"), Registerer: registry,
	})
}

// runViews projects for as long as the topic of stored events belongs to this process.
// An error ends nothing: rows are checked by whoever reads them.
func (r *roles) runViews(ctx context.Context) error {
	return r.noted.Run(ctx, func(ctx context.Context, p *kafka.Partition) error {
		for {
			offset, _ := p.Committed()
			err := r.projector.Own(ctx, &storedNotes{p: p, offsets: r.offsets, offset: offset, committed: offset, session: r.p.settings.sessionTimeout})
			if err == nil || ctx.Err() != nil || errors.Is(err, kafka.ErrLost) {
				return nil
			}
			r.p.log.Error("views are not projected", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	})
}

// storedNotes is views.Source on the topic of stored events.
type storedNotes struct {
	p         *kafka.Partition
	offsets   *kafka.Offsets
	offset    int64 // of the next message
	committed int64
	session   time.Duration // of the group
}

// Fetch implements views.Source. Where the topic begins later than this reader was, or
// has what cannot be read, all workspaces have lost notes.
func (s *storedNotes) Fetch(ctx context.Context) ([]views.Note, error) {
	messages, err := s.p.Fetch(ctx, s.offset)
	if err != nil {
		return nil, err
	}
	var notes []views.Note
	for i := range messages {
		m := &messages[i]
		workspace, _, keys, err := readNews(m)
		if m.Offset > s.offset || err != nil {
			notes = append(notes, views.Note{Place: m.Offset})
		}
		if err == nil {
			notes = append(notes, views.Note{Workspace: workspace, Keys: keys, Place: m.Offset})
		}
		s.offset = m.Offset + 1
	}
	return notes, nil
}

// End implements views.Source.
func (s *storedNotes) End(ctx context.Context) (int64, error) {
	ends, err := s.offsets.Ends(ctx, []string{storedTopic})
	return ends[intake.Place{Topic: storedTopic}], err
}

// Commit implements views.Source.
func (s *storedNotes) Commit(ctx context.Context) error {
	err := s.p.Commit(ctx, s.offset, "")
	if err == nil {
		s.committed = s.offset
	}
	return err
}

// Hold implements views.Source: a commit of what is committed is accepted from the member
// whose the partition is, and the coordinator gives it to no other within a session, nor
// ends a rebalancing sooner without this member.
func (s *storedNotes) Hold(ctx context.Context) (time.Duration, error) {
	return s.session / 2, s.p.Commit(ctx, s.committed, "")
}

// settle waits until ingest is not far behind, or is no nearer than it was for a while,
// and the identity role has seen the evidence that is there: until then, what is read
// changes again at once.
func (r *roles) settle(ctx context.Context) error {
	least, since := int64(math.MaxInt64), now()
	for begun := now(); now().Sub(begun) < settleWait; {
		behind, _, err := r.lag(ctx)
		if behind < least {
			least, since = behind, now()
		}
		if err != nil || behind < settleLag || now().Sub(since) > settleStill {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settleLook):
		}
	}
	waiting, stop := context.WithTimeout(ctx, settleLast)
	defer stop()
	ends, err := r.offsets.Ends(waiting, []string{ingest.EvidenceTopic})
	if err == nil {
		stages := []progress.Stage{{Group: identityGroup, Reads: []string{ingest.EvidenceTopic}}}
		err = progress.Await(waiting, r.offsets, stages, ends)
	}
	if err != nil && ctx.Err() == nil {
		r.p.log.Warn("views are projected before the identity role has seen all evidence", "error", err)
	}
	return ctx.Err()
}
