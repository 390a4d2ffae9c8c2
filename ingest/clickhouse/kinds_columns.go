package clickhouse

import (
	"context"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

func (s *Store) insertSocial(ctx context.Context, rows []event) error {
	words := func(f func(*wire.Post) string) values {
		return column(rows, func(e event) string { return f(e.Parts.Social) })
	}
	return s.insertFacts(ctx, "social_facts", rows,
		"network, post_id, thread_id, direction, visibility, intent, author_type, author, text, url, reactions"+said,
		append([]values{
			words(func(p *wire.Post) string { return p.Network }),
			words(func(p *wire.Post) string { return p.PostID }),
			words(func(p *wire.Post) string { return p.ThreadID }),
			words(func(p *wire.Post) string { return p.Direction }),
			words(func(p *wire.Post) string { return p.Visibility }),
			words(func(p *wire.Post) string { return p.Intent }),
			words(func(p *wire.Post) string { return p.AuthorType }),
			words(func(p *wire.Post) string { return p.Author }),
			words(func(p *wire.Post) string { return p.Text }),
			words(func(p *wire.Post) string { return p.URL }),
			column(rows, func(e event) int64 { return e.Parts.Social.Reactions }),
		}, saidOf(rows)...)...)
}

func (s *Store) insertLocations(ctx context.Context, rows []event) error {
	return s.insertFacts(ctx, "location_facts", rows, "lat, lon, accuracy, venue",
		column(rows, func(e event) float64 { return *e.Parts.Location.Lat }),
		column(rows, func(e event) float64 { return *e.Parts.Location.Lon }),
		column(rows, func(e event) float32 { return float32(e.Parts.Location.Accuracy) }),
		column(rows, func(e event) string { return e.Parts.Location.Venue }),
	)
}

func (s *Store) insertSupport(ctx context.Context, rows []event) error {
	type contact = *wire.SupportContact
	words := func(f func(contact) string) values {
		return column(rows, func(e event) string { return f(e.Parts.Support) })
	}
	return s.insertFacts(ctx, "support_facts", rows,
		"case_id, channel, direction, author_type, status, self_service, topic, subject, text, agent, response_seconds"+said,
		append([]values{
			words(func(c contact) string { return c.CaseID }),
			words(func(c contact) string { return c.Channel }),
			words(func(c contact) string { return c.Direction }),
			words(func(c contact) string { return c.AuthorType }),
			words(func(c contact) string { return c.Status }),
			words(func(c contact) string { return c.SelfService }),
			words(func(c contact) string { return c.Topic }),
			words(func(c contact) string { return c.Subject }),
			words(func(c contact) string { return c.Text }),
			words(func(c contact) string { return c.Agent }),
			column(rows, func(e event) *float64 { return e.Parts.Support.ResponseSeconds }),
		}, saidOf(rows)...)...)
}

func (s *Store) insertFeedback(ctx context.Context, rows []event) error {
	type answer = *wire.Answer
	words := func(f func(answer) string) values {
		return column(rows, func(e event) string { return f(e.Parts.Feedback) })
	}
	numbers := func(f func(answer) *float64) values {
		return column(rows, func(e event) *float64 { return f(e.Parts.Feedback) })
	}
	return s.insertFacts(ctx, "feedback_facts", rows,
		"instrument, score, scale_min, scale_max, comment, survey, question, wave, subject"+said,
		append([]values{
			words(func(a answer) string { return a.Instrument }),
			numbers(func(a answer) *float64 { return a.Score }),
			numbers(func(a answer) *float64 { return a.ScaleMin }),
			numbers(func(a answer) *float64 { return a.ScaleMax }),
			words(func(a answer) string { return a.Comment }),
			words(func(a answer) string { return a.Survey }),
			words(func(a answer) string { return a.Question }),
			words(func(a answer) string { return a.Wave }),
			words(func(a answer) string { return a.Subject }),
		}, saidOf(rows)...)...)
}

func (s *Store) insertSensors(ctx context.Context, rows []event) error {
	type reading = *wire.Reading
	words := func(f func(reading) string) values {
		return column(rows, func(e event) string { return f(e.Parts.Sensor) })
	}
	return s.insertFacts(ctx, "sensor_facts", rows, "technology, device, zone, phase, reading, unit, dwell_seconds",
		words(func(r reading) string { return r.Technology }),
		words(func(r reading) string { return r.Device }),
		words(func(r reading) string { return r.Zone }),
		words(func(r reading) string { return r.Phase }),
		column(rows, func(e event) *float64 { return e.Parts.Sensor.Value }),
		words(func(r reading) string { return r.Unit }),
		column(rows, func(e event) *float64 { return e.Parts.Sensor.DwellSeconds }),
	)
}

func (s *Store) insertContacts(ctx context.Context, rows []event) error {
	type outreach = *wire.Outreach
	words := func(f func(outreach) string) values {
		return column(rows, func(e event) string { return f(e.Parts.Contact) })
	}
	return s.insertFacts(ctx, "contact_facts", rows, "action, channel, campaign, template, sent_message_id, subject, link, detail",
		words(func(o outreach) string { return o.Action }),
		words(func(o outreach) string { return o.Channel }),
		words(func(o outreach) string { return o.Campaign }),
		words(func(o outreach) string { return o.Template }),
		words(func(o outreach) string { return o.MessageID }),
		words(func(o outreach) string { return o.Subject }),
		words(func(o outreach) string { return o.Link }),
		words(func(o outreach) string { return o.Detail }),
	)
}
