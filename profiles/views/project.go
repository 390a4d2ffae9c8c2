package views

import (
	"context"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
)

// project reads profiles again and stores their rows, some at a time and in the order
// of their ids: what lies side by side is read together. Then it rests.
func (w *work) project(ctx context.Context, workspace string, ids []identity.ProfileID) error {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > 0 && ids[0] == 0 {
		ids = ids[1:]
	}
	for part := range slices.Chunk(ids, w.cfg.Batch) {
		start := w.deps.Now()
		made, err := w.deps.Store.Project(w.strain.watch(ctx), workspace, part)
		if err != nil {
			return err
		}
		all := make([]*row, len(made))
		for i := range made {
			all[i] = w.rowOf(&made[i], start)
			if made[i].Profile == nil {
				w.metrics.refused.Inc()
			} else {
				w.metrics.projected.Inc()
			}
		}
		// Whoever still holds the notes held them since before the reading.
		l, err := w.table.lease(ctx, w.source.Hold)
		if err == nil {
			err = w.table.write(ctx, workspace, all, l)
		}
		if err != nil {
			return err
		}
		took := w.deps.Now().Sub(start)
		w.metrics.seconds.Add(took.Seconds())
		if err := pause(ctx, rest(took, w.cfg.Share, w.strain.take())); err != nil {
			return err
		}
	}
	return nil
}

// rowOf is the row of what was read, which began at a time.
func (p *Projector) rowOf(made *clickhouse.Projection, start time.Time) *row {
	r := &row{id: made.ID, at: made.At, computed: start, freshUntil: never}
	if made.Profile == nil {
		return r
	}
	r.keys, r.anchors, r.tally, r.body = made.Keys, made.Anchors, made.Tally, encode(made.Profile)
	if h := made.Profile.Household; h != nil {
		r.household = uint64(h.ID)
	}
	// What is computed from events counts those until now, of its window: it changes
	// as the window moves, and as the time of an event that is to come arrives.
	for _, t := range p.deps.Form.Computed {
		if t.Within > 0 || t.Compute == profiles.ComputeTimeSince || made.Profile.Activity.LastSeen.After(start) {
			r.freshUntil = start.Add(p.cfg.Fresh)
		}
	}
	return r
}

func pause(ctx context.Context, length time.Duration) error {
	if length <= 0 {
		return nil
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
