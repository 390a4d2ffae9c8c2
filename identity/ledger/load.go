package ledger

import (
	"context"
	"math"

	"github.com/kindred-cdp/kindred/identity"
)

// load reads the evidence of sp into its graph: identifiers first, then pairs,
// each in key order, then scored pairs and decisions. Sets are not loaded. It returns the number
// of rows read. The columns are of fixed width but for the value of an
// identifier, which the rules need to know what is blocked: namespaces and
// sources are read as positions in a list.
func (s *store) load(ctx context.Context, sp *space) (rows int, err error) {
	return s.loadUntil(ctx, sp, forever)
}

const forever = math.MaxInt64

// loadUntil is load, but for evidence later than until; see AsOf.
func (s *store) loadUntil(ctx context.Context, sp *space, until int64) (rows int, err error) {
	l := loader{store: s, space: sp, until: until}
	err = l.load(ctx)
	return l.rows, err
}

func (l *loader) load(ctx context.Context) (err error) {
	const where = ` WHERE workspace = {workspace:String}`
	if l.namespaces, err = l.names(ctx, `SELECT namespace FROM identifiers`+where+
		` UNION DISTINCT SELECT arrayJoin([low_namespace, high_namespace]) FROM identity_evidence`+where); err != nil {
		return err
	}
	if l.sources, err = l.names(ctx, `SELECT source FROM identifiers`+where+
		` UNION DISTINCT SELECT source FROM identity_evidence`+where); err != nil {
		return err
	}
	if err := l.identifiers(ctx); err != nil {
		return err
	}
	if err := l.pairs(ctx); err != nil {
		return err
	}
	if err := l.links(ctx); err != nil {
		return err
	}
	if err := l.decisions(ctx); err != nil {
		return err
	}
	return l.renames(ctx)
}

type loader struct {
	store      *store
	space      *space
	namespaces []string
	sources    []string
	rows       int
	until      int64  // leaves out later evidence
	without    string // leaves out the decisions of this command, if not empty
}

func (l *loader) names(ctx context.Context, query string) (names []string, err error) {
	var name string
	err = l.store.each(ctx, query, named("workspace", l.space.name), []any{&name}, func() error {
		names = append(names, name)
		return nil
	})
	return names, err
}

func (l *loader) args() []any {
	return named("workspace", l.space.name, "namespaces", append([]string{""}, l.namespaces...), "sources", append([]string{""}, l.sources...))
}

// spanRow scans the columns of spanColumns.
type spanRow struct {
	source              uint64
	period              int32
	firstEvent          int64
	firstReceived       int64
	lastEvent, lastRecv int32
}

const spanColumns = `indexOf({sources:Array(String)}, source), period,
	toUnixTimestamp64Milli(first_event), toUnixTimestamp64Milli(first_received), toInt32(last_event), toInt32(last_received)`

func (r *spanRow) dest() []any {
	return []any{&r.source, &r.period, &r.firstEvent, &r.firstReceived, &r.lastEvent, &r.lastRecv}
}

func (r *spanRow) span() identity.Span {
	return identity.Span{
		FirstEvent: r.firstEvent, FirstReceived: r.firstReceived,
		LastEvent: identity.Day(r.lastEvent), LastReceived: identity.Day(r.lastRecv),
	}
}

// name returns the entry that indexOf found: positions start at 1, and the list
// as bound starts with an empty text.
func name(list []string, position uint64) string {
	if position < 2 {
		return ""
	}
	return list[position-2]
}

// seen returns the source and the span of a row; false where it is too late.
func (l *loader) seen(r *spanRow) (source string, span identity.Span, ok bool) {
	source, span = name(l.sources, r.source), r.span()
	if l.until == forever {
		return source, span, true
	}
	span, ok = upTo(l.until, l.space.rules.Trusted(source), span)
	return source, span, ok
}

func (l *loader) identifiers(ctx context.Context) error {
	const query = `SELECT identifier_id, indexOf({namespaces:Array(String)}, namespace), value, ` + spanColumns + `
		FROM identifiers WHERE workspace = {workspace:String} ORDER BY identifier_id`
	var id, namespace uint64
	var value string
	var r spanRow
	var last identity.Node
	return l.store.each(ctx, query, l.args(), append([]any{&id, &namespace, &value}, r.dest()...), func() error {
		l.rows++
		if uint64(last.Key) != id {
			last = l.space.node(identity.Member{
				Key:        identity.Key(id),
				Identifier: identity.Identifier{Namespace: identity.Namespace(name(l.namespaces, namespace)), Value: value},
			})
		}
		if source, span, ok := l.seen(&r); ok {
			l.space.graph.SeeIdentifier(last, source, identity.Period(r.period), span)
		}
		return nil
	})
}

func (l *loader) pairs(ctx context.Context) error {
	const query = `SELECT low_id, high_id, indexOf({namespaces:Array(String)}, low_namespace),
			indexOf({namespaces:Array(String)}, high_namespace), ` + spanColumns + `
		FROM identity_evidence WHERE workspace = {workspace:String} ORDER BY low_id, high_id`
	var low, high, lowNamespace, highNamespace uint64
	var r spanRow
	return l.store.each(ctx, query, l.args(), append([]any{&low, &high, &lowNamespace, &highNamespace}, r.dest()...), func() error {
		l.rows++
		if source, span, ok := l.seen(&r); ok {
			l.space.graph.SeePair(
				identity.Node{Key: identity.Key(low), Namespace: identity.Namespace(name(l.namespaces, lowNamespace))},
				identity.Node{Key: identity.Key(high), Namespace: identity.Namespace(name(l.namespaces, highNamespace))},
				source, identity.Period(r.period), span)
		}
		return nil
	})
}

func (l *loader) decisions(ctx context.Context) error {
	const query = `SELECT kind, a, b, is_on, toUnixTimestamp64Milli(decided_at), decision_id FROM identity_decisions
		WHERE workspace = {workspace:String} AND kind IN ('block', 'reject', 'cannot_link', 'must_link')
		ORDER BY decided_at, decision_id`
	var kind string
	var a, b uint64
	var d identity.Decision
	return l.store.each(ctx, query, named("workspace", l.space.name), []any{&kind, &a, &b, &d.On, &d.At, &d.ID}, func() error {
		l.rows++
		if l.without != "" && commandOf(d.ID) == l.without {
			return nil
		}
		d.Kind, d.A, d.B = identity.DecisionKind(kind), identity.Key(a), identity.Key(b)
		l.space.decide(d)
		return nil
	})
}
