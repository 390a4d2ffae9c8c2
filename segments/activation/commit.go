package activation

import (
	"context"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// commit stores what has been dealt with: what the receiver was told, the record of
// it, the letters, and the place last. Whoever dies in between leaves some of it to be
// done again, by the same names.
func (r *runner) commit(ctx context.Context) error {
	jobs := r.window.fresh()
	now := r.deps.Clock()
	if len(jobs) > 0 {
		gone, err := r.gone(ctx, jobs)
		if err != nil {
			return err
		}
		if err := r.keepErasures(ctx, jobs, gone); err != nil {
			return err
		}
		plain := plainJobs(jobs)
		if err := r.keepTold(ctx, plain, gone); err != nil {
			return err
		}
		if err := r.keepContacts(ctx, plain, gone); err != nil {
			return err
		}
		if err := r.keepLetters(ctx, plain, gone); err != nil {
			return err
		}
	}
	if last := r.window.record(jobs); last != nil {
		r.place = behind(*last)
	}
	if len(r.window.order) == 0 {
		r.place = r.read
	}
	r.compared(now)
	r.metrics.waiting.WithLabelValues(r.Workspace, string(r.ID)).Set(float64(r.window.len()))
	r.kept = now
	return r.write(ctx)
}

// gone are the profiles that are nobody's any more: one that was erased while a message
// was on its way must not come back by the record of it.
func (r *runner) gone(ctx context.Context, jobs []*job) (map[identity.ProfileID]bool, error) {
	keys := make([]identity.Key, len(jobs))
	for i, j := range jobs {
		keys[i] = identity.Key(j.Profile)
	}
	now, err := r.deps.Store.ResolveMany(ctx, r.Workspace, keys)
	gone := map[identity.ProfileID]bool{}
	for i, j := range jobs {
		gone[j.Profile] = err == nil && now[i] == 0
	}
	return gone, err
}

func (r *runner) keepTold(ctx context.Context, jobs []*job, gone map[identity.ProfileID]bool) error {
	var rows [][]any
	for _, j := range jobs {
		if j.outcome == delivered && !gone[j.Profile] {
			rows = append(rows, []any{r.Workspace, string(r.ID), string(j.Segment), uint64(j.Profile), j.Block, j.Entered, j.at.UTC()})
		}
	}
	return insert(ctx, r.deps.Conn, "", "destination_told", "workspace, destination, segment, profile_id, block, entered, time", rows)
}

func (r *runner) keepContacts(ctx context.Context, jobs []*job, gone map[identity.ProfileID]bool) error {
	var sent []Contact
	for _, j := range jobs {
		if j.outcome == delivered && j.contact != nil && !gone[j.Profile] {
			sent = append(sent, *j.contact)
		}
	}
	if len(sent) == 0 {
		return nil
	}
	return r.deps.Recorder.Record(ctx, r.Workspace, sent)
}

func (r *runner) keepLetters(ctx context.Context, jobs []*job, gone map[identity.ProfileID]bool) error {
	var rows [][]any
	for _, j := range jobs {
		if gone[j.Profile] || j.letter == nil && j.outcome != dead {
			continue
		}
		l := Letter{Change: j.Change, Version: uint64(j.at.UnixMilli()), Time: j.at.UTC(), State: LetterDead, Reason: j.verdict.reason, Attempts: uint32(j.attempts)}
		if j.letter != nil {
			l = *j.letter
			l.Version, l.Time = max(l.Version+1, uint64(j.at.UnixMilli())), j.at.UTC()
		}
		switch j.outcome {
		case delivered:
			l.State = LetterDelivered
		case withheld, passed:
			l.State = LetterObsolete
		case dead:
			l.State, l.Reason, l.Status, l.Answer, l.Attempts = LetterDead, j.verdict.reason, uint16(j.verdict.status), j.verdict.answer, l.Attempts+uint32(j.attempts)
			if !j.verdict.lasting {
				l.Reason = reasonExhausted
			}
		}
		if j.letter == nil {
			l.Attempts = uint32(j.attempts)
		}
		rows = append(rows, letterRow(r.Workspace, r.ID, &l))
	}
	return insert(ctx, r.deps.Conn, "", "destination_letters", letterColumns, rows)
}

// write stores the place and how the destination fares, where anything of it has
// changed.
func (r *runner) write(ctx context.Context) error {
	t := State{
		Block: r.place.block, SyncedAt: r.State.SyncedAt, Failing: r.failing, Error: r.reason,
		Delivered: r.counts[delivered], Withheld: r.counts[withheld], Passed: r.counts[passed], Letters: r.counts[dead],
	}
	before := r.written
	before.At = time.Time{}
	if r.sequence > 0 && t == before && r.stood == r.place && r.known == r.synced {
		return nil
	}
	synced := r.State.SyncedAt
	if synced.IsZero() {
		synced = time.Unix(0, 0).UTC()
	}
	err := insert(ctx, r.deps.Conn, "", "destination_places",
		"workspace, destination, sequence, block, segment, behind, written_at, revision, synced, synced_at, delivered, withheld, passed, letters, failing, error",
		[][]any{{
			r.Workspace, string(r.ID), r.sequence + 1, r.place.block, r.place.segment, r.place.profile, r.deps.Clock().UTC(), r.Revision, r.synced, synced,
			t.Delivered, t.Withheld, t.Passed, t.Letters, t.Failing, t.Error,
		}})
	if err == nil {
		r.sequence++
		r.written, r.stood, r.known = t, r.place, r.synced
	}
	return err
}
