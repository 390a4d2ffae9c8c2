package clickhousetest

import (
	"context"
	"time"

	"github.com/kindred-cdp/kindred/identity"
)

// Erase says that identifiers of a profile are erased, with what was received of
// them until a time, as the identity role writes it when it is told so.
func (w *World) Erase(ctx context.Context, profile identity.ProfileID, at time.Time, ids ...string) {
	w.T.Helper()
	w.insert(ctx, "identity_erasures (workspace, id, what, erased_at, erasure_id)", func(add func(...any)) {
		add(w.Workspace, uint64(profile), "profile", at, "e")
		for _, id := range ids {
			add(w.Workspace, uint64(w.Key(id)), "identifier", at, "e")
			w.change("gone", uint64(w.Key(id)), uint64(profile), 0)
		}
	})
}

func (w *World) change(kind string, subject, before, after uint64) {
	w.changes = append(w.changes, [4]any{kind, subject, before, after})
}

// insertChanges writes what the reading changed, of the sequence of the flush: a
// World counts flushes where the ledger counts rows.
func (w *World) insertChanges(ctx context.Context) {
	w.T.Helper()
	at := w.ChangedAt
	if at.IsZero() {
		at = time.UnixMilli(0)
	}
	w.insert(ctx, "identity_changes (workspace, epoch, sequence, subject_kind, subject_id, changed_at, old_id, new_id, cause)", func(add func(...any)) {
		for _, c := range w.changes {
			add(w.Workspace, uint64(Epoch), w.sequence, c[0], c[1], at, c[2], c[3], "evidence")
		}
	})
	w.changes = nil
}
