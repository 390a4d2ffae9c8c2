package clickhouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// timelineSQL begins a page of a timeline; conditions and order follow. The
// engine reads the columns of the sort key for all events of the profile, and the
// texts of the page alone.
const timelineSQL = `SELECT toString(message_hash), message_id, kind, name, type, source, time, properties, context, identifiers
FROM events` + ofProfile

// Timeline implements profiles.History.
func (s *Store) Timeline(ctx context.Context, workspace string, id identity.ProfileID, q profiles.TimelineQuery) ([]profiles.Event, error) {
	r, err := s.openEvents(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	conditions, args := timelineConditions(q)
	order := "DESC"
	if q.Ascending {
		order = "ASC"
	}
	query := timelineSQL + conditions + "\nORDER BY time " + order + ", message_hash " + order + "\nLIMIT {limit:UInt32}"
	events := []profiles.Event{}
	err = r.readEvents(ctx, "timeline", query, func(rows driver.Rows) error {
		e, err := scanEvent(rows)
		events = append(events, e)
		return err
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("load profile %s: %w", id, err)
	}
	if err := r.details(ctx, events); err != nil {
		return nil, fmt.Errorf("load profile %s: %w", id, err)
	}
	return events, nil
}

func scanEvent(rows driver.Rows) (profiles.Event, error) {
	var e profiles.Event
	var properties, said string
	err := rows.Scan(&e.Position.Key, &e.MessageID, &e.Kind, &e.Name, &e.Type, &e.Source, &e.Time, &properties, &said, &e.Identifiers)
	e.Time, e.Properties, e.Context = e.Time.UTC(), Object(properties), Object(said)
	e.Position.Time = e.Time
	return e, err
}

// timelineConditions are the restrictions of q. The bound on the time alone says
// nothing that the one on the pair does not, but the index understands it.
func timelineConditions(q profiles.TimelineQuery) (string, []any) {
	var b strings.Builder
	args := []any{clickhouse.Named("limit", uint32(q.Limit))}
	any := func(column, name string, values []string, not string) {
		if len(values) > 0 {
			b.WriteString("\n    AND " + column + not + " IN {" + name + ":Array(String)}")
			args = append(args, clickhouse.Named(name, values))
		}
	}
	any("kind", "kinds", q.Kinds, "")
	any("name", "names", q.Names, "")
	any("source", "sources", q.Sources, "")
	any("name", "except", q.Except, " NOT")
	at := func(operator, name string, t time.Time) {
		if !t.IsZero() {
			b.WriteString("\n    AND time " + operator + " fromUnixTimestamp64Milli({" + name + ":Int64}, 'UTC')")
			args = append(args, clickhouse.Named(name, t.UnixMilli()))
		}
	}
	at(">=", "from", q.From)
	at("<", "to", q.To)
	if after := q.After; after.Key != "" {
		operator := "<"
		if q.Ascending {
			operator = ">"
		}
		at(operator+"=", "after", after.Time)
		b.WriteString("\n    AND (time, message_hash) " + operator + " (fromUnixTimestamp64Milli({after:Int64}, 'UTC'), toUInt128({hash:String}))")
		args = append(args, clickhouse.Named("hash", after.Key))
	}
	return b.String(), args
}

// details are what a kind has beyond the properties of its events, by the table
// that holds it: a JSON object of named columns.
var details = map[string]struct{ table, columns string }{
	"transaction": {"transaction_facts", "type, order_id, status, currency, amount, tax, shipping, discount, items.product_id AS product_ids, items.name AS product_names, items.quantity AS quantities, items.price AS prices"},
	"social":      {"social_facts", "network, post_id, thread_id, direction, visibility, intent, author_type, author, text, url, reactions, language, sentiment"},
	"location":    {"location_facts", "lat, lon, accuracy, venue"},
	"support":     {"support_facts", "case_id, channel, direction, author_type, status, self_service, topic, subject, text, agent, response_seconds, language, sentiment"},
	"feedback":    {"feedback_facts", "instrument, score, scale_min, scale_max, comment, survey, question, wave, subject, language, sentiment"},
	"sensor":      {"sensor_facts", "technology, device, zone, phase, reading, unit, dwell_seconds"},
	"contact":     {"contact_facts", "action, channel, campaign, template, sent_message_id, subject, link, detail"},
}

// detailSQL reads the facts of a page's events: the range of times and the
// anchors make it a few granules.
func detailSQL(kind string) string {
	d := details[kind]
	return "SELECT toString(message_hash) AS hash, formatRowNoNewline('JSONEachRow', " + d.columns + ")\nFROM " + d.table + ofProfile + `
    AND time >= fromUnixTimestamp64Milli({least:Int64}, 'UTC') AND time <= fromUnixTimestamp64Milli({greatest:Int64}, 'UTC')
    AND message_hash IN (SELECT toUInt128(arrayJoin({hashes:Array(String)})))`
}

// details reads what the kinds of events have beyond their properties.
func (r *reader) details(ctx context.Context, events []profiles.Event) error {
	byKind := map[string][]string{}
	at := map[string]int{}
	for i, e := range events {
		if _, ok := details[e.Kind]; ok {
			byKind[e.Kind] = append(byKind[e.Kind], e.Position.Key)
			at[e.Position.Key] = i
		}
	}
	if len(byKind) == 0 {
		return nil
	}
	least, greatest := events[0].Time, events[len(events)-1].Time
	if least.After(greatest) {
		least, greatest = greatest, least
	}
	var parts []func(context.Context, *profiles.Profile) error
	for kind, hashes := range byKind {
		found := map[string]string{}
		parts = append(parts, func(ctx context.Context, _ *profiles.Profile) error {
			err := r.readEvents(ctx, "details of "+kind, detailSQL(kind), func(rows driver.Rows) error {
				var hash, text string
				err := rows.Scan(&hash, &text)
				found[hash] = text
				return err
			}, clickhouse.Named("hashes", hashes), clickhouse.Named("least", least.UnixMilli()), clickhouse.Named("greatest", greatest.UnixMilli()))
			for hash, text := range found {
				events[at[hash]].Detail = Object(text) // Each goroutine has events of its own kind.
			}
			return err
		})
	}
	return r.all(ctx, nil, parts...)
}
