package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
)

// populationSize is what a population came to.
type populationSize struct {
	People      int `json:"people"`
	Identifiers int `json:"identifiers"`
	Pairs       int `json:"pairs"`
	Sets        int `json:"sets"`
	Rows        int `json:"rows"` // of identifiers and pairs, by source and quarter
}

// populationWriter turns sightings into rows of the ledger's tables.
type populationWriter struct {
	pop  population
	conn driver.Conn
	made populationSize

	// Of the person being made.
	ids   map[sightedKey]*sightedSpan
	pairs map[sightedPair]*sightedSpan
	sets  map[identity.AnchorID][]identity.Member

	identifiers, evidence, anchors, members columns
}

type sightedKey struct {
	member identity.Member
	source string
	period identity.Period
}

type sightedPair struct {
	low, high identity.Member
	source    string
	period    identity.Period
}

type sightedSpan struct{ first, last time.Time }

func (s *sightedSpan) widen(at time.Time) *sightedSpan {
	if s == nil {
		return &sightedSpan{at, at}
	}
	if at.Before(s.first) {
		s.first = at
	}
	if at.After(s.last) {
		s.last = at
	}
	return s
}

func (w *populationWriter) see(s sightingOf) {
	if w.ids == nil {
		w.ids, w.pairs, w.sets = map[sightedKey]*sightedSpan{}, map[sightedPair]*sightedSpan{}, map[identity.AnchorID][]identity.Member{}
	}
	members, _ := w.pop.keyer.Members(s.members)
	period := identity.PeriodOf(s.at)
	for i, a := range members {
		k := sightedKey{a, s.source, period}
		w.ids[k] = w.ids[k].widen(s.at)
		for _, b := range members[i+1:] {
			p := sightedPair{a, b, s.source, period}
			if b.Key < a.Key {
				p.low, p.high = b, a
			}
			w.pairs[p] = w.pairs[p].widen(s.at)
		}
	}
	if len(members) > 1 {
		w.sets[w.pop.keyer.Anchor(members)] = members
	}
}

// person ends a person, and stores what has come together or, at the end, all.
func (w *populationWriter) person(ctx context.Context, end bool) error {
	const enough = 200_000
	ids, pairs := map[identity.Key]bool{}, map[[2]identity.Key]bool{}
	for k, s := range w.ids {
		ids[k.member.Key] = true
		w.identifiers.add(w.pop.workspace, uint64(k.member.Key), k.source, int32(k.period), string(k.member.Namespace), k.member.Value, s.first, s.first, s.last, s.last)
	}
	for k, s := range w.pairs {
		pairs[[2]identity.Key{k.low.Key, k.high.Key}] = true
		w.evidence.add(w.pop.workspace, uint64(k.low.Key), uint64(k.high.Key), string(k.low.Namespace), string(k.high.Namespace),
			k.source, int32(k.period), "event", s.first, s.first, s.last, s.last, s.first, "m")
	}
	for a, members := range w.sets {
		keys := make([]uint64, len(members))
		for i, m := range members {
			keys[i] = uint64(m.Key)
			w.members.add(w.pop.workspace, keys[i], uint64(a))
		}
		w.anchors.add(w.pop.workspace, uint64(a), keys)
	}
	w.made.Identifiers += len(ids)
	w.made.Pairs += len(pairs)
	w.made.Sets += len(w.sets)
	w.made.Rows += len(w.ids) + len(w.pairs)
	clear(w.ids)
	clear(w.pairs)
	clear(w.sets)
	for _, t := range []struct {
		insert string
		rows   *columns
	}{
		{`INSERT INTO identifiers (workspace, identifier_id, source, period, namespace, value, first_event, first_received, last_event, last_received)`, &w.identifiers},
		{`INSERT INTO identity_evidence (workspace, low_id, high_id, low_namespace, high_namespace, source, period, rule,
			first_event, first_received, last_event, last_received, witness_time, witness_message_id)`, &w.evidence},
		{`INSERT INTO anchor_members (workspace, identifier_id, anchor_id)`, &w.members},
		{`INSERT INTO anchors (workspace, anchor_id, members)`, &w.anchors},
	} {
		if t.rows.rows() < enough && !end {
			continue
		}
		if err := t.rows.insert(ctx, w.conn, t.insert); err != nil {
			return err
		}
	}
	return nil
}

// columns are rows to insert, held by column.
type columns struct{ of []any }

func (c *columns) rows() int {
	if len(c.of) == 0 {
		return 0
	}
	return len(*c.of[0].(*[]string))
}

// add appends a row of which every value keeps its type, the first one a string.
func (c *columns) add(values ...any) {
	if c.of == nil {
		c.of = make([]any, len(values))
	}
	for i, v := range values {
		switch v := v.(type) {
		case string:
			c.of[i] = appended(c.of[i], v)
		case uint64:
			c.of[i] = appended(c.of[i], v)
		case int32:
			c.of[i] = appended(c.of[i], v)
		case time.Time:
			c.of[i] = appended(c.of[i], v)
		case []uint64:
			c.of[i] = appended(c.of[i], v)
		}
	}
}

// appended adds v to a column, which is a list behind a pointer.
func appended[T any](column any, v T) any {
	list, ok := column.(*[]T)
	if !ok {
		list = new([]T)
	}
	*list = append(*list, v)
	return list
}

// insert stores the rows and forgets them.
func (c *columns) insert(ctx context.Context, conn driver.Conn, statement string) error {
	if c.rows() == 0 {
		return nil
	}
	batch, err := conn.PrepareBatch(ctx, statement)
	if err != nil {
		return fmt.Errorf("store a population: %w", err)
	}
	defer func() { _ = batch.Close() }()
	for i, column := range c.of {
		if err := appendColumn(batch.Column(i), column); err != nil {
			return fmt.Errorf("store a population: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("store a population: %w", err)
	}
	return nil
}

func appendColumn(to driver.BatchColumn, column any) error {
	switch list := column.(type) {
	case *[]string:
		defer func() { *list = (*list)[:0] }()
		return to.Append(*list)
	case *[]uint64:
		defer func() { *list = (*list)[:0] }()
		return to.Append(*list)
	case *[]int32:
		defer func() { *list = (*list)[:0] }()
		return to.Append(*list)
	case *[]time.Time:
		defer func() { *list = (*list)[:0] }()
		return to.Append(*list)
	case *[][]uint64:
		defer func() { *list = (*list)[:0] }()
		return to.Append(*list)
	default:
		return fmt.Errorf("no column of %T", column)
	}
}
