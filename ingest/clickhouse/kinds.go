package clickhouse

import (
	"context"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// insertKinds stores the typed parts of every kind beyond transaction, and what
// the events say of the catalogue, each table side by side. All events of a
// batch are of one kind, so that one of the tables and the catalogue get rows.
func (s *Store) insertKinds(ctx context.Context, b *ingest.Batch) error {
	g, ctx := errgroup.WithContext(ctx)
	if insert := s.inserterOf(b.Kind); insert != nil {
		g.Go(func() error { return insert(ctx, having(b.Events, b.Kind)) })
	}
	g.Go(func() error { return s.insertCatalogue(ctx, b.Catalogue) })
	return g.Wait()
}

// inserterOf returns what stores the typed part of a kind, or nothing.
func (s *Store) inserterOf(kind wire.Kind) func(context.Context, []event) error {
	switch kind {
	case wire.Social:
		return s.insertSocial
	case wire.Location:
		return s.insertLocations
	case wire.Support:
		return s.insertSupport
	case wire.Feedback:
		return s.insertFeedback
	case wire.Sensor:
		return s.insertSensors
	case wire.Contact:
		return s.insertContacts
	}
	return nil
}

// having returns the events that have the typed part of the kind.
func having(events []event, kind wire.Kind) []event {
	rows := make([]event, 0, len(events))
	for _, e := range events {
		p := &e.Parts
		switch kind {
		case wire.Social:
			if p.Social == nil {
				continue
			}
		case wire.Location:
			if p.Location == nil {
				continue
			}
		case wire.Support:
			if p.Support == nil {
				continue
			}
		case wire.Feedback:
			if p.Feedback == nil {
				continue
			}
		case wire.Sensor:
			if p.Sensor == nil {
				continue
			}
		case wire.Contact:
			if p.Contact == nil {
				continue
			}
		}
		rows = append(rows, e)
	}
	return rows
}

const factColumns = "workspace, anchor_id, time, message_hash, received_time, source, name, "

// insertFacts stores the columns that all *_facts tables begin with and, after
// them, those of the table.
func (s *Store) insertFacts(ctx context.Context, table string, rows []event, columns string, slices ...values) error {
	if len(rows) == 0 {
		return nil
	}
	common := []values{
		column(rows, func(e event) string { return e.Workspace }),
		column(rows, func(e event) uint64 { return uint64(e.Anchor) }),
		column(rows, func(e event) int64 { return e.Time }),
		hashes(rows, func(e event) ingest.Hash { return e.Hash }),
		column(rows, func(e event) int64 { return e.Received }),
		column(rows, func(e event) string { return e.Source }),
		column(rows, func(e event) string { return e.Name }),
	}
	return s.insert(ctx, table, factColumns+columns, append(common, slices...)...)
}

// said are the columns of what is known of a text.
const said = ", language, language_by, sentiment, sentiment_by"

func saidOf(rows []event) []values {
	return []values{
		column(rows, func(e event) string { return e.Parts.Text.Language }),
		column(rows, func(e event) string { return string(e.Parts.Text.LanguageBy) }),
		column(rows, func(e event) *float32 { return single(e.Parts.Text.Sentiment) }),
		column(rows, func(e event) string { return string(e.Parts.Text.SentimentBy) }),
	}
}

func single(v *float64) *float32 {
	if v == nil {
		return nil
	}
	s := float32(*v)
	return &s
}

func (s *Store) insertCatalogue(ctx context.Context, rows []ingest.CatalogueRow) error {
	if len(rows) == 0 {
		return nil
	}
	type row = ingest.CatalogueRow
	amounts := func(f func(row) *ingest.Amount) values {
		return column(rows, func(r row) *decimal.Decimal {
			a := f(r)
			if a == nil {
				return nil
			}
			d := money(*a)
			return &d
		})
	}
	words := func(f func(row) string) values { return column(rows, f) }
	return s.insert(ctx, "catalogue_entries", `workspace, type, item_id, stated, time, message_hash, received_time, source,
		name, category, brand, variant, currency, price, cost, active, url, image, lat, lon, radius`,
		words(func(r row) string { return r.Event.Workspace }),
		words(func(r row) string { return r.Type }),
		words(func(r row) string { return r.ItemID }),
		column(rows, func(r row) bool { return r.Stated }),
		column(rows, func(r row) int64 { return r.Event.Time }),
		hashes(rows, func(r row) ingest.Hash { return r.Event.Hash }),
		column(rows, func(r row) int64 { return r.Event.Received }),
		words(func(r row) string { return r.Event.Source }),
		words(func(r row) string { return r.Name }),
		column(rows, func(r row) []string { return r.Category }),
		words(func(r row) string { return r.Brand }),
		words(func(r row) string { return r.Variant }),
		words(func(r row) string { return r.Currency }),
		amounts(func(r row) *ingest.Amount { return r.Price }),
		amounts(func(r row) *ingest.Amount { return r.Cost }),
		column(rows, func(r row) bool { return r.Active }),
		words(func(r row) string { return r.URL }),
		words(func(r row) string { return r.Image }),
		column(rows, func(r row) *float64 { return r.Lat }),
		column(rows, func(r row) *float64 { return r.Lon }),
		column(rows, func(r row) float32 { return float32(r.Radius) }),
	)
}
