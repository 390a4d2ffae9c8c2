package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// verdict compares what was acknowledged with what is stored.
type verdict struct {
	acked, stored   int // messages
	rows            int
	lost, doubled   int // messages
	strange         int // stored, but never sent
	deadLetters     int
	identifiers     int
	profiles        int
	anchors         int
	wrong           int // identifiers and anchors whose profile differs from the rebuild's
	firstDifference string
}

func (v verdict) String() string {
	return fmt.Sprintf("%d acknowledged, %d stored in %d rows: %d lost, %d doubled, %d never sent, %d dead letters; "+
		"%d identifiers and %d anchors in %d profiles: %d differ from a rebuild",
		v.acked, v.stored, v.rows, v.lost, v.doubled, v.strange, v.deadLetters, v.identifiers, v.anchors, v.profiles, v.wrong)
}

func (v verdict) err() error {
	if v.lost+v.doubled+v.strange+v.deadLetters+v.wrong > 0 || v.acked == 0 {
		return fmt.Errorf("%w: %s %s", errBroken, v, v.firstDifference)
	}
	return nil
}

// count reads the tables and judges.
func (f *fleet) count(ctx context.Context, l *load) (v verdict, err error) {
	p := &platform{settings: f.settings, warehouse: warehouse.DefaultConfig()}
	if p.warehouse.URL, err = p.localClickHouse(); err != nil {
		return v, err
	}
	if p.secret, err = identitySecret(f.settings); err != nil {
		return v, err
	}
	if p.conn, err = warehouse.Open(ctx, p.warehouse); err != nil {
		return v, err
	}
	defer func() { _ = p.conn.Close() }()
	if err := v.countEvents(ctx, p, l); err != nil {
		return v, err
	}
	var letters uint64
	if err := p.conn.QueryRow(ctx, "SELECT count() FROM dead_letters WHERE workspace = $1", f.workspace).Scan(&letters); err != nil {
		return v, fmt.Errorf("count dead letters: %w", err)
	}
	v.deadLetters = int(letters)
	return v, v.compareProfiles(ctx, p)
}

// countEvents compares the messages.
func (v *verdict) countEvents(ctx context.Context, p *platform, l *load) error {
	rows, err := p.conn.Query(ctx, "SELECT message_id, count() FROM events WHERE workspace = $1 GROUP BY message_id", p.settings.workspace)
	if err != nil {
		return fmt.Errorf("count events: %w", err)
	}
	defer func() { _ = rows.Close() }()
	l.mu.Lock()
	defer l.mu.Unlock()
	stored := map[string]bool{}
	for rows.Next() {
		var id string
		var n uint64
		if err := rows.Scan(&id, &n); err != nil {
			return fmt.Errorf("count events: %w", err)
		}
		stored[id] = true
		v.rows += int(n)
		if n > 1 {
			v.doubled++
			v.note("message %s has %d rows", id, n)
		}
		if _, sent := l.sent[id]; !sent {
			v.strange++
		}
	}
	v.acked, v.stored = l.acked, len(stored)
	for id, acked := range l.sent {
		if acked && !stored[id] {
			v.lost++
			v.note("message %s is not stored", id)
		}
	}
	return rows.Err()
}

// note keeps the first difference for the report.
func (v *verdict) note(format string, args ...any) {
	if v.firstDifference == "" {
		v.firstDifference = "(first: " + fmt.Sprintf(format, args...) + ")"
	}
}

// compareProfiles computes profiles from the stored events, by nothing but the
// function that defines them, and compares them with what readers see.
func (v *verdict) compareProfiles(ctx context.Context, p *platform) error {
	g := graph.New(identity.DefaultRules())
	members, err := p.seeEvents(ctx, g)
	if err != nil {
		return err
	}
	g.Flush()
	_, published, err := p.readProfiles(ctx)
	if err != nil {
		return err
	}
	want := map[identity.Key]identity.ProfileID{}
	for _, nodes := range members {
		for _, n := range nodes {
			want[n.Key] = g.Profile(n.Key)
		}
	}
	profiles := map[identity.ProfileID]bool{}
	for k, w := range want {
		profiles[w] = true
		if got, ok := published[k]; !ok || got != w {
			v.wrong++
			v.note("identifier %x is in profile %s, the rebuild says %s", k, got, w)
		}
	}
	for k := range published {
		if _, ok := want[k]; !ok {
			v.wrong++
			v.note("identifier %x is published and in no event", k)
		}
	}
	v.identifiers, v.profiles = len(want), len(profiles)
	return v.compareAnchors(ctx, p, g, members)
}

// compareAnchors follows both hops of every event, by the view of SQL users.
func (v *verdict) compareAnchors(ctx context.Context, p *platform, g *graph.Graph, members map[identity.AnchorID][]identity.Node) error {
	rows, err := p.conn.Query(ctx, "SELECT anchor_id, profile_id FROM anchor_profile WHERE workspace = $1", p.settings.workspace)
	if err != nil {
		return fmt.Errorf("read anchors: %w", err)
	}
	defer func() { _ = rows.Close() }()
	published := map[identity.AnchorID]identity.ProfileID{}
	for rows.Next() {
		var anchor, profile uint64
		if err := rows.Scan(&anchor, &profile); err != nil {
			return fmt.Errorf("read anchors: %w", err)
		}
		published[identity.AnchorID(anchor)] = identity.ProfileID(profile)
	}
	for a, nodes := range members {
		k, ok := g.Deciding(nodes)
		if !ok {
			continue
		}
		v.anchors++
		if got, want := published[a], g.Profile(k); got != want {
			v.wrong++
			v.note("anchor %x is in profile %s, the rebuild says %s", a, got, want)
		}
	}
	return rows.Err()
}

// seeEvents gives every stored event to the graph.
func (p *platform) seeEvents(ctx context.Context, g *graph.Graph) (map[identity.AnchorID][]identity.Node, error) {
	keyer := identity.NewKeyer(p.secret, p.settings.workspace)
	rows, err := p.conn.Query(ctx, `SELECT anchor_id, source, identifiers, toUnixTimestamp64Milli(time), toUnixTimestamp64Milli(received_time)
		FROM events WHERE workspace = $1`, p.settings.workspace)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	defer func() { _ = rows.Close() }()
	members := map[identity.AnchorID][]identity.Node{}
	for rows.Next() {
		var anchor uint64
		var source string
		var texts []string
		var at, received int64
		if err := rows.Scan(&anchor, &source, &texts, &at, &received); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		ids := make([]identity.Identifier, len(texts))
		for i, text := range texts {
			namespace, value, _ := strings.Cut(text, ":")
			ids[i] = identity.Identifier{Namespace: identity.Namespace(namespace), Value: value}
		}
		list, _ := keyer.Members(ids)
		e := identity.Evidence{
			Anchor: identity.AnchorID(anchor), Members: list, Source: source, Period: identity.PeriodOfMillis(at),
			Span: identity.Span{
				FirstEvent: at, FirstReceived: received,
				LastEvent: identity.DayOfMillis(at), LastReceived: identity.DayOfMillis(received),
			},
		}
		s := e.Sighting()
		if got := keyer.Anchor(list); got != e.Anchor {
			return nil, fmt.Errorf("%w: an event has anchor %x, its identifiers make %x", errBroken, e.Anchor, got)
		}
		g.See(s)
		members[e.Anchor] = s.Members
	}
	return members, rows.Err()
}
