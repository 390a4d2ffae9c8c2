package clickhouse

import (
	"context"

	"github.com/kindred-cdp/kindred/ingest"
)

type stated struct {
	event
	ingest.Consent
}

// insertConsents stores what the events state of consent.
func (s *Store) insertConsents(ctx context.Context, events []event) error {
	var rows []stated
	for _, e := range events {
		for _, c := range e.Consents {
			rows = append(rows, stated{e, c})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return s.insert(ctx, "consents", "workspace, anchor_id, purpose, channel, address_id, time, message_hash, received_time, source, granted, origin, message_id, proof",
		column(rows, func(r stated) string { return r.Workspace }), column(rows, func(r stated) uint64 { return uint64(r.Anchor) }),
		column(rows, func(r stated) string { return r.Purpose }), column(rows, func(r stated) string { return r.Channel }),
		column(rows, func(r stated) uint64 { return uint64(r.Address) }), column(rows, func(r stated) int64 { return r.Time }),
		hashes(rows, func(r stated) ingest.Hash { return r.Hash }), column(rows, func(r stated) int64 { return r.Received }),
		column(rows, func(r stated) string { return r.Source }), column(rows, func(r stated) bool { return r.Granted }),
		column(rows, func(r stated) string { return r.Origin }), column(rows, func(r stated) string { return r.ID }),
		column(rows, func(r stated) string { return r.Proof }))
}
