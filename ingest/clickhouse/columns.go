package clickhouse

import (
	"context"
	"encoding/json"
	"math/big"
	"math/bits"
	"unsafe"

	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/ingest"
)

// values is one column of a table: a slice, as the driver's columnar batches
// want it, made when its turn comes.
type values struct {
	rows int
	all  func() any
}

// column is the column of what value says of each row.
func column[R, V any](rows []R, value func(R) V) values {
	return values{len(rows), func() any { return mapped(rows, value) }}
}

// hashes is the UInt128 column of the rows' hashes.
func hashes[R any](rows []R, hash func(R) ingest.Hash) values {
	return values{len(rows), func() any { return bigs(rows, hash) }}
}

// mapped returns what value says of each row.
func mapped[R, V any](rows []R, value func(R) V) []V {
	out := make([]V, len(rows))
	for i, r := range rows {
		out[i] = value(r)
	}
	return out
}

// bigs maps rows to the numbers that their hashes are. All share one array of
// words, because one allocation each would dominate the insert.
func bigs[R any](rows []R, hash func(R) ingest.Hash) []big.Int {
	const words = 128 / bits.UintSize
	out := make([]big.Int, len(rows))
	room := make([]big.Word, words*len(rows))
	for i, r := range rows {
		h := hash(r)
		w := room[words*i : words*i+words : words*i+words]
		if bits.UintSize == 64 {
			w[0], w[1] = big.Word(h[0]), big.Word(h[1])
		} else {
			w[0], w[1], w[2], w[3] = big.Word(uint32(h[0])), big.Word(uint32(h[0]>>32)), big.Word(uint32(h[1])), big.Word(uint32(h[1]>>32))
		}
		out[i].SetBits(w)
	}
	return out
}

func money(a ingest.Amount) decimal.Decimal { return decimal.New(int64(a), -4) }

func text(raw json.RawMessage) string {
	if string(raw) == "null" {
		return ""
	}
	return unsafe.String(unsafe.SliceData(raw), len(raw)) // Events never change.
}

type event = *ingest.Event

func (s *Store) insertEvents(ctx context.Context, rows []event) error {
	if len(rows) == 0 {
		return nil
	}
	if err := s.turns.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.turns.Release(1)
	return s.insertOver(ctx, s.bulk, "events", `workspace, anchor_id, time, message_hash, message_id, kind, name, type, source,
		original_time, sent_time, received_time, identifiers, properties, traits, context, url, referrer, campaign, session_id`,
		column(rows, func(e event) string { return e.Workspace }),
		column(rows, func(e event) uint64 { return uint64(e.Anchor) }),
		column(rows, func(e event) int64 { return e.Time }),
		hashes(rows, func(e event) ingest.Hash { return e.Hash }),
		column(rows, func(e event) string { return e.ID }),
		column(rows, func(e event) string { return string(e.Kind) }),
		column(rows, func(e event) string { return e.Name }),
		column(rows, func(e event) string { return e.Type }),
		column(rows, func(e event) string { return e.Source }),
		column(rows, func(e event) int64 { return e.Original }),
		column(rows, func(e event) int64 { return e.Sent }),
		column(rows, func(e event) int64 { return e.Received }),
		column(rows, func(e event) []string {
			out := make([]string, len(e.Identifiers))
			for i, id := range e.Identifiers {
				out[i] = id.String()
			}
			return out
		}),
		column(rows, func(e event) string { return text(e.Properties) }),
		column(rows, func(e event) string { return text(e.Traits) }),
		column(rows, func(e event) string { return text(e.Context) }),
		column(rows, func(e event) string { return e.URL }),
		column(rows, func(e event) string { return e.Referrer }),
		column(rows, func(e event) string { return e.Campaign }),
		column(rows, func(e event) string { return e.Session }),
	)
}

func (s *Store) insertTransactions(ctx context.Context, events []event) error {
	rows := make([]event, 0, len(events))
	for _, e := range events {
		if e.Order != nil {
			rows = append(rows, e)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	type item = ingest.Item
	words := func(f func(item) string) values {
		return column(rows, func(e event) []string { return mapped(e.Order.Items, f) })
	}
	amounts := func(f func(item) ingest.Amount) values {
		return column(rows, func(e event) []decimal.Decimal {
			return mapped(e.Order.Items, func(i item) decimal.Decimal { return money(f(i)) })
		})
	}
	return s.insert(ctx, "transaction_facts", `workspace, anchor_id, time, message_hash, received_time, source, name, type,
		order_id, status, currency, amount, tax, shipping, discount,
		items.product_id, items.name, items.category, items.quantity, items.price, items.cost`,
		column(rows, func(e event) string { return e.Workspace }),
		column(rows, func(e event) uint64 { return uint64(e.Anchor) }),
		column(rows, func(e event) int64 { return e.Time }),
		hashes(rows, func(e event) ingest.Hash { return e.Hash }),
		column(rows, func(e event) int64 { return e.Received }),
		column(rows, func(e event) string { return e.Source }),
		column(rows, func(e event) string { return e.Name }),
		column(rows, func(e event) string { return e.Order.Type }),
		column(rows, func(e event) string { return e.Order.ID }),
		column(rows, func(e event) string { return e.Order.Status }),
		column(rows, func(e event) string { return e.Order.Currency }),
		column(rows, func(e event) decimal.Decimal { return money(e.Order.Amount) }),
		column(rows, func(e event) decimal.Decimal { return money(e.Order.Tax) }),
		column(rows, func(e event) decimal.Decimal { return money(e.Order.Shipping) }),
		column(rows, func(e event) decimal.Decimal { return money(e.Order.Discount) }),
		words(func(i item) string { return i.ProductID }),
		words(func(i item) string { return i.Name }),
		words(func(i item) string { return i.Category }),
		amounts(func(i item) ingest.Amount { return i.Quantity }),
		amounts(func(i item) ingest.Amount { return i.Price }),
		amounts(func(i item) ingest.Amount { return i.Cost }),
	)
}

func (s *Store) insertTraits(ctx context.Context, events []event) error {
	type observation struct {
		event event
		trait ingest.Trait
	}
	var rows []observation
	for _, e := range events {
		for _, t := range e.Observations() {
			rows = append(rows, observation{e, t})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return s.insert(ctx, "trait_observations", "workspace, anchor_id, trait, time, message_hash, received_time, source, value",
		column(rows, func(o observation) string { return o.event.Workspace }),
		column(rows, func(o observation) uint64 { return uint64(o.event.Anchor) }),
		column(rows, func(o observation) string { return o.trait.Name }),
		column(rows, func(o observation) int64 { return o.event.Time }),
		hashes(rows, func(o observation) ingest.Hash { return o.event.Hash }),
		column(rows, func(o observation) int64 { return o.event.Received }),
		column(rows, func(o observation) string { return o.event.Source }),
		column(rows, func(o observation) string { return o.trait.Value }),
	)
}

func (s *Store) insertDeadLetters(ctx context.Context, rows []*ingest.DeadLetter) error {
	if len(rows) == 0 {
		return nil
	}
	type letter = *ingest.DeadLetter
	return s.insert(ctx, "dead_letters", `workspace, received_time, source, topic, partition, offset, reason, detail,
		position, message_id, value, headers, letter_id`,
		column(rows, func(d letter) string { return d.Workspace }),
		column(rows, func(d letter) int64 { return d.Received }),
		column(rows, func(d letter) string { return d.Source }),
		column(rows, func(d letter) string { return d.Position.Topic }),
		column(rows, func(d letter) uint32 { return uint32(d.Position.Partition) }),
		column(rows, func(d letter) uint64 { return uint64(d.Position.Offset) }),
		column(rows, func(d letter) string { return string(d.Reason) }),
		column(rows, func(d letter) string { return d.Detail }),
		column(rows, func(d letter) string { return d.Place }),
		column(rows, func(d letter) string { return d.MessageID }),
		column(rows, func(d letter) string { return string(d.Value) }),
		column(rows, func(d letter) map[string]string { return d.Headers }),
		hashes(rows, func(d letter) ingest.Hash { return d.Hash }),
	)
}

func (s *Store) insertSeen(ctx context.Context, rows []ingest.Seen) error {
	if len(rows) == 0 {
		return nil
	}
	return s.insert(ctx, "seen_messages", "workspace, message_hash, body_hash, topic, partition, offset, range_hash",
		column(rows, func(r ingest.Seen) string { return r.Workspace }),
		hashes(rows, func(r ingest.Seen) ingest.Hash { return r.Hash }),
		column(rows, func(r ingest.Seen) uint64 { return r.BodyHash }),
		column(rows, func(r ingest.Seen) string { return r.Position.Topic }),
		column(rows, func(r ingest.Seen) uint32 { return uint32(r.Position.Partition) }),
		column(rows, func(r ingest.Seen) uint64 { return uint64(r.Position.Offset) }),
		column(rows, func(r ingest.Seen) uint32 { return r.Range }),
	)
}
