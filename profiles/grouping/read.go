package grouping

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/valuation"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// until bounds what is known by the time of a refresh.
const until = `time <= parseDateTime64BestEffort({as_of:String}, 3, 'UTC')`

// ofProfiles makes facts facts of profiles whose processing is not restricted.
func ofProfiles(table, columns, condition string) string {
	return `SELECT ` + warehouse.EventProfile("anchor_id", "time") + ` AS profile_id, ` + columns + ` FROM ` + table + `
    WHERE workspace = {workspace:String} AND anchor_id != 0 AND ` + until + condition
}

var (
	// seenSQL is one row per profile, which has at least one event.
	seenSQL = `SELECT profile_id, toFloat64(countIf(kind = 'behaviour')), toFloat64(uniqExact(toDate32(time))), toFloat64(countIf(kind IN ('location', 'sensor'))),
    min(time), max(time)
FROM (` + ofProfiles("events", "kind, time", "") + `)
WHERE profile_id != 0 AND ` + warehouse.Unrestricted("profile_id") + `
GROUP BY profile_id
ORDER BY profile_id`

	// saidSQL is what people said: how often and where, how content, and about what.
	saidSQL = `SELECT profile_id, toFloat64(countIf(medium = 'social')), toFloat64(countIf(medium = 'support')), toFloat64(countIf(medium = 'feedback')),
    ifNull(avg(grade), nan), ifNull(avg(sentiment), nan), arrayMap(t -> toFloat64(countEqual(groupArray(topic) AS topics, t)), {topics:Array(String)})
FROM (
    ` + ofProfiles("social_facts", "'social' AS medium, toString('') AS topic, CAST(NULL, 'Nullable(Float64)') AS grade, toFloat64(sentiment) AS sentiment", " AND direction = 'inbound'") + `
    UNION ALL
    ` + ofProfiles("support_facts", "'support', toString(topic), CAST(NULL, 'Nullable(Float64)'), toFloat64(sentiment)", " AND direction = 'inbound'") + `
    UNION ALL
    ` + ofProfiles("feedback_facts", "'feedback', toString(''), if(scale_max > scale_min, (score - scale_min) / (scale_max - scale_min), NULL), toFloat64(sentiment)", "") + `
)
GROUP BY profile_id`

	// openedSQL counts messages that were sent, and those that somebody did something
	// with.
	openedSQL = `SELECT profile_id, uniqExactIf(sent_message_id, action = 'sent') AS sent, uniqExactIf(sent_message_id, action IN ('opened', 'clicked', 'replied'))
FROM (` + ofProfiles("contact_facts", "sent_message_id, action", " AND sent_message_id != ''") + `)
GROUP BY profile_id
HAVING sent > 0`

	// boughtSQL are the orders and refunds of each profile.
	boughtSQL = `SELECT profile_id, arrayMap(o -> o.1, arraySort(groupArray((toInt32(toDate32(placed)), toUInt8(type = 'refund'), toString(currency), toFloat64(worth))) AS orders) AS sorted),
    arrayMap(o -> o.2, sorted), arrayMap(o -> o.3, sorted), arrayMap(o -> o.4, sorted)
FROM (` + valuation.Orders() + `)
GROUP BY profile_id`

	// knownSQL are the profiles with an identifier that tells who it is.
	knownSQL = `SELECT DISTINCT ` + warehouse.AnchorProfile("identifier_id") + ` AS profile_id
FROM identifiers
WHERE workspace = {workspace:String} AND namespace NOT IN ('anonymous_id', 'device', 'push_token', 'rfid', 'landline', 'address')`

	aliveSQL = `SELECT profile_id, value FROM (` + valuation.CurrentScores() + `) WHERE score = '` + valuation.PAlive + `'`

	// topicsSQL are the most frequent topics, of people enough to be a group.
	topicsSQL = `SELECT topic FROM (` + ofProfiles("support_facts", "toString(topic) AS topic", " AND direction = 'inbound' AND topic != ''") + `)
GROUP BY topic
HAVING uniqExact(profile_id) >= {least:UInt64}
ORDER BY uniqExact(profile_id) DESC, topic
LIMIT {most:UInt64}`
)

// read gathers what is known of everybody.
func (w *Worker) read(ctx context.Context, asOf time.Time, topics []string) (*people, error) {
	p := newPeople(topics)
	args := []any{
		clickhouse.Named("workspace", w.cfg.Workspace), clickhouse.Named("as_of", asOf.UTC().Format("2006-01-02 15:04:05.000")),
		clickhouse.Named("topics", topics),
	}
	for _, part := range []struct {
		what, sql string
		scan      func(driver.Rows) error
	}{
		{"events", seenSQL, func(rows driver.Rows) error { return p.scanSeen(rows, asOf) }},
		{"what people said", saidSQL, p.scanSaid},
		{"messages", openedSQL, p.scanOpened},
		{"who is known", knownSQL, p.scanKnown},
		{"scores", aliveSQL, p.scanAlive},
	} {
		if err := w.query(ctx, part.sql, part.scan, args...); err != nil {
			return nil, fmt.Errorf("read %s: %w", part.what, err)
		}
	}
	if err := w.readBought(ctx, p, args); err != nil {
		return nil, fmt.Errorf("read purchases: %w", err)
	}
	return p, nil
}

// query calls scan for each row.
func (w *Worker) query(ctx context.Context, sql string, scan func(driver.Rows) error, args ...any) error {
	rows, err := w.deps.Conn.Query(ctx, sql, args...)
	if err != nil {
		return profilestore.Concise(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return profilestore.Concise(rows.Err())
}

// readTopics returns the topics that are features of a new model.
func (w *Worker) readTopics(ctx context.Context, asOf time.Time) ([]string, error) {
	topics := []string{}
	err := w.query(ctx, topicsSQL, func(rows driver.Rows) error {
		var topic string
		err := rows.Scan(&topic)
		topics = append(topics, topic)
		return err
	}, clickhouse.Named("workspace", w.cfg.Workspace), clickhouse.Named("as_of", asOf.UTC().Format("2006-01-02 15:04:05.000")),
		clickhouse.Named("most", uint64(w.cfg.Topics)), clickhouse.Named("least", uint64(max(1, w.cfg.Personas.MinShare*float64(w.cfg.Personas.MinRows)))))
	if err != nil {
		return nil, fmt.Errorf("read topics: %w", err)
	}
	return topics, nil
}

func (p *people) scanSeen(rows driver.Rows, asOf time.Time) error {
	var id uint64
	var site, days, stores float64
	var first, last time.Time
	if err := rows.Scan(&id, &site, &days, &stores, &first, &last); err != nil {
		return err
	}
	row := p.add(id)
	row[pages], row[activeDays], row[inStores] = site, days, stores
	row[quietDays], row[knownDays] = asOf.Sub(last).Hours()/24, asOf.Sub(first).Hours()/24
	return nil
}

func (p *people) scanSaid(rows driver.Rows) error {
	var id uint64
	var said [5]float64
	var topics []float64
	if err := rows.Scan(&id, &said[0], &said[1], &said[2], &said[3], &said[4], &topics); err != nil {
		return err
	}
	if i, ok := p.place[id]; ok {
		row := p.row(i)
		row[social], row[support], row[answers], row[grade], row[mood] = said[0], said[1], said[2], said[3], said[4]
		copy(row[fixedFeatures:], topics)
	}
	return nil
}

func (p *people) scanOpened(rows driver.Rows) error {
	var id, sent, did uint64
	if err := rows.Scan(&id, &sent, &did); err != nil {
		return err
	}
	if i, ok := p.place[id]; ok {
		p.row(i)[opened] = min(1, float64(did)/float64(sent))
	}
	return nil
}

func (p *people) scanKnown(rows driver.Rows) error {
	var id uint64
	err := rows.Scan(&id)
	if i, ok := p.place[id]; ok {
		p.known[i] = true
	}
	return err
}

func (p *people) scanAlive(rows driver.Rows) error {
	var id uint64
	var value float64
	err := rows.Scan(&id, &value)
	if i, ok := p.place[id]; ok {
		p.alive[i] = value
	}
	return err
}

// order is one that stands, or a refund, of a worth below zero.
type order struct {
	place    int
	currency string
	worth    float64
}

// readBought sums up purchases, their worth in the currency with the most orders.
func (w *Worker) readBought(ctx context.Context, p *people, args []any) error {
	var all []order
	orders := map[string]int{}
	err := w.query(ctx, boughtSQL, func(rows driver.Rows) error {
		var id uint64
		var days []int32
		var refunded []uint8
		var currencies []string
		var worths []float64
		if err := rows.Scan(&id, &days, &refunded, &currencies, &worths); err != nil {
			return err
		}
		i, ok := p.place[id]
		if !ok {
			return nil
		}
		for n, day := range days {
			if refunded[n] != 0 {
				p.row(i)[refunds]++
				all = append(all, order{i, currencies[n], -worths[n]})
				continue
			}
			orders[currencies[n]]++
			all = append(all, order{i, currencies[n], worths[n]})
			p.bought[i].days = append(p.bought[i].days, day)
		}
		p.bought[i].days = slices.Compact(p.bought[i].days)
		return nil
	}, args...)
	for currency, n := range orders {
		if best := orders[p.currency]; n > best || n == best && currency < p.currency {
			p.currency = currency
		}
	}
	p.spend(all)
	return err
}

// spend adds up the orders in the currency that counts, less what was sent back.
func (p *people) spend(all []order) {
	for _, o := range all {
		if o.currency == p.currency {
			p.bought[o.place].spend += o.worth
		}
	}
	for i, b := range p.bought {
		if n := float64(len(b.days)); n > 0 {
			p.row(i)[purchases], p.row(i)[basket] = n, math.Max(0, b.spend)/n
		}
	}
}
