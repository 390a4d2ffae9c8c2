package clickhouse

import (
	"context"

	"github.com/kindred-cdp/kindred/ingest"
)

// insertGroups stores what group events say of accounts.
func (s *Store) insertGroups(ctx context.Context, events []event) error {
	type group struct {
		event   event
		account string
		traits  string
	}
	var rows []group
	for _, e := range events {
		if id, traits, ok := e.Group(); ok {
			rows = append(rows, group{e, id, text(traits)})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return s.insert(ctx, "account_facts", "workspace, account_id, anchor_id, time, message_hash, received_time, source, traits",
		column(rows, func(g group) string { return g.event.Workspace }),
		column(rows, func(g group) string { return g.account }),
		column(rows, func(g group) uint64 { return uint64(g.event.Anchor) }),
		column(rows, func(g group) int64 { return g.event.Time }),
		hashes(rows, func(g group) ingest.Hash { return g.event.Hash }),
		column(rows, func(g group) int64 { return g.event.Received }),
		column(rows, func(g group) string { return g.event.Source }),
		column(rows, func(g group) string { return g.traits }),
	)
}
