package clickhouse

import (
	"context"

	"github.com/kindred-cdp/kindred/ingest"
)

// insertViolations stores what the batch's events broke of tracking plans.
func (s *Store) insertViolations(ctx context.Context, b *ingest.Batch) error {
	rows := b.Violations
	if len(rows) == 0 {
		return nil
	}
	type row = ingest.Violated
	return s.insert(ctx, "plan_violations", `workspace, plan, name, rule, received_time, revision, version, source, kind, mode,
		pointer, detail, message_id, message_hash`,
		column(rows, func(v row) string { return v.Event.Workspace }),
		column(rows, func(v row) string { return v.Plan }),
		column(rows, func(v row) string { return v.Event.Name }),
		column(rows, func(v row) string { return v.Rule }),
		column(rows, func(v row) int64 { return v.Event.Received }),
		column(rows, func(row) uint64 { return b.Revision }),
		column(rows, func(v row) string { return v.Version }),
		column(rows, func(v row) string { return v.Event.Source }),
		column(rows, func(v row) string { return string(v.Event.Kind) }),
		column(rows, func(v row) string {
			if v.Block {
				return "block"
			}
			return "warn"
		}),
		column(rows, func(v row) string { return v.Pointer }),
		column(rows, func(v row) string { return v.Detail }),
		column(rows, func(v row) string { return v.Event.ID }),
		hashes(rows, func(v row) ingest.Hash { return v.Event.Hash }),
	)
}

// insertOutcomes stores what became of the batch's replays.
func (s *Store) insertOutcomes(ctx context.Context, rows []ingest.Outcome) error {
	if len(rows) == 0 {
		return nil
	}
	type row = ingest.Outcome
	return s.insert(ctx, "dead_letter_outcomes", `workspace, letter_id, attempt, received_time, outcome, reason, detail,
		topic, partition, offset`,
		column(rows, func(o row) string { return o.Workspace }),
		hashes(rows, func(o row) ingest.Hash { return o.Letter }),
		column(rows, func(o row) uint64 { return o.Attempt }),
		column(rows, func(o row) int64 { return o.Received }),
		column(rows, func(o row) string { return o.Result }),
		column(rows, func(o row) string { return string(o.Reason) }),
		column(rows, func(o row) string { return o.Detail }),
		column(rows, func(o row) string { return o.Position.Topic }),
		column(rows, func(o row) uint32 { return uint32(o.Position.Partition) }),
		column(rows, func(o row) uint64 { return uint64(o.Position.Offset) }),
	)
}
