package ledger

import (
	"context"
	"fmt"
	"math"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// load reads the evidence of sp into its graph: identifiers first, then pairs, then
// scored pairs and decisions. Sets are not loaded. It returns the number of rows
// read. While one range of keys is taken by the graph the next one is read; the
// columns are of fixed width but for the value of an identifier, which the rules
// need to know what is blocked: namespaces and sources are read as places in a
// list.
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
	if err := l.erasures(ctx); err != nil {
		return err
	}
	if l.namespaces, err = l.names(ctx, `SELECT DISTINCT namespace FROM identifiers`+ofWorkspace+
		` UNION DISTINCT SELECT DISTINCT low_namespace FROM identity_evidence`+ofWorkspace+
		` UNION DISTINCT SELECT DISTINCT high_namespace FROM identity_evidence`+ofWorkspace); err != nil {
		return err
	}
	if l.sources, err = l.names(ctx, `SELECT DISTINCT source FROM identifiers`+ofWorkspace+
		` UNION DISTINCT SELECT DISTINCT source FROM identity_evidence`+ofWorkspace); err != nil {
		return err
	}
	namespaces := make([]identity.Namespace, len(l.namespaces))
	for i, n := range l.namespaces {
		namespaces[i] = identity.Namespace(n)
	}
	into := l.space.graph.Load(namespaces, l.sources)
	if err := rangeByRange(ctx, l, `SELECT count() FROM identifiers`+ofWorkspace, l.identifiers,
		func(r *graph.StoredIdentifier) (a, b identity.Key) { return r.Key, 0 }, into.Identifiers); err != nil {
		return fmt.Errorf("read identifiers: %w", err)
	}
	if err := rangeByRange(ctx, l, `SELECT count() FROM identity_evidence`+ofWorkspace, l.pairs,
		func(r *graph.StoredPair) (a, b identity.Key) { return r.Low, r.High }, into.Pairs); err != nil {
		return fmt.Errorf("read pairs: %w", err)
	}
	into.End()
	if err := l.links(ctx); err != nil {
		return err
	}
	if err := l.decisions(ctx); err != nil {
		return err
	}
	return l.renames(ctx)
}

const ofWorkspace = ` WHERE workspace = {workspace:String}`

// loader loads one ledger. Of namespaces and sources the first is none: a row that
// names one which is newer than the lists is left out. Whoever stored it has yet to
// commit its record, or goes on beside this ledger.
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
	names = []string{""}
	err = l.store.each(ctx, query, named("workspace", l.space.name), []any{&name}, func() error {
		names = append(names, name)
		return nil
	})
	return names, err
}

// identifiers reads the identifiers with keys in r.
func (l *loader) identifiers(ctx context.Context, r keyRange, rows []graph.StoredIdentifier) ([]graph.StoredIdentifier, error) {
	const query = `SELECT identifier_id, value, indexOf({namespaces:Array(String)}, namespace), ` + spanColumns + `
		FROM identifiers` + ofWorkspace + ` AND identifier_id BETWEEN {from:UInt64} AND {to:UInt64}`
	var id, namespace uint64
	var value string
	var s spanRow
	err := l.store.each(ctx, query, l.args(r), append([]any{&id, &value, &namespace}, s.dest()...), func() error {
		l.rows++
		if namespace == 0 || s.source == 0 {
			return nil // See loader.
		}
		row := graph.StoredIdentifier{Key: identity.Key(id), Namespace: uint16(namespace), Source: uint16(s.source), Period: identity.Period(s.period)}
		ok := false
		if row.Span, ok = l.seen(&s); ok {
			row.Blocked = l.space.blocked(identity.Identifier{Namespace: identity.Namespace(l.namespaces[namespace]), Value: value})
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

// pairs reads the pairs with lesser keys in r.
func (l *loader) pairs(ctx context.Context, r keyRange, rows []graph.StoredPair) ([]graph.StoredPair, error) {
	const query = `SELECT low_id, high_id, indexOf({namespaces:Array(String)}, low_namespace),
			indexOf({namespaces:Array(String)}, high_namespace), ` + spanColumns + `
		FROM identity_evidence` + ofWorkspace + ` AND low_id BETWEEN {from:UInt64} AND {to:UInt64}`
	var low, high, lowNamespace, highNamespace uint64
	var s spanRow
	err := l.store.each(ctx, query, l.args(r), append([]any{&low, &high, &lowNamespace, &highNamespace}, s.dest()...), func() error {
		l.rows++
		if lowNamespace == 0 || highNamespace == 0 || s.source == 0 {
			return nil
		}
		row := graph.StoredPair{
			Low: identity.Key(low), High: identity.Key(high), LowNamespace: uint16(lowNamespace), HighNamespace: uint16(highNamespace),
			Source: uint16(s.source), Period: identity.Period(s.period),
		}
		ok := false
		if row.Span, ok = l.seen(&s); ok {
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

func (l *loader) args(r keyRange) []any {
	return named("workspace", l.space.name, "namespaces", l.namespaces[1:], "sources", l.sources[1:], "from", r.from, "to", r.to)
}

// spanRow scans the columns of spanColumns.
type spanRow struct {
	source, days              uint64
	period                    int32
	firstEvent, firstReceived int64
}

const spanColumns = `indexOf({sources:Array(String)}, source), period,
	toUnixTimestamp64Milli(first_event), toUnixTimestamp64Milli(first_received),
	bitShiftLeft(toUInt64(toInt32(last_event)), 32) + toUInt32(toInt32(last_received))`

func (r *spanRow) dest() []any {
	return []any{&r.source, &r.period, &r.firstEvent, &r.firstReceived, &r.days}
}

// seen returns the span of a row; false where it is too late.
func (l *loader) seen(r *spanRow) (span identity.Span, ok bool) {
	span = identity.Span{
		FirstEvent: r.firstEvent, FirstReceived: r.firstReceived,
		LastEvent: identity.Day(r.days >> 32), LastReceived: identity.Day(uint32(r.days)),
	}
	if l.until == forever {
		return span, true
	}
	return upTo(l.until, l.space.rules.Trusted(l.sources[r.source]), span)
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
