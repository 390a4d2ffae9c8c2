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
	query := `SELECT identifier_id, value, ` + placesOf("namespace", "namespace") + `, ` + spanColumns + `
		FROM identifiers` + ofWorkspace + ` AND identifier_id BETWEEN {from:UInt64} AND {to:UInt64}`
	var id, at uint64
	var value string
	var s spanRow
	err := l.store.each(ctx, query, l.args(r), append([]any{&id, &value, &at}, s.dest()...), func() error {
		l.rows++
		namespace, _ := s.take(at)
		if namespace == 0 || s.source == 0 {
			return nil // See loader.
		}
		row := graph.StoredIdentifier{Key: identity.Key(id), Namespace: namespace, Source: s.source, Period: identity.Period(s.period)}
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
	query := `SELECT low_id, high_id, ` + placesOf("low_namespace", "high_namespace") + `, ` + spanColumns + `
		FROM identity_evidence` + ofWorkspace + ` AND low_id BETWEEN {from:UInt64} AND {to:UInt64}`
	var low, high, at uint64
	var s spanRow
	err := l.store.each(ctx, query, l.args(r), append([]any{&low, &high, &at}, s.dest()...), func() error {
		l.rows++
		lowNamespace, highNamespace := s.take(at)
		if lowNamespace == 0 || highNamespace == 0 || s.source == 0 {
			return nil
		}
		row := graph.StoredPair{
			Low: identity.Key(low), High: identity.Key(high), LowNamespace: lowNamespace, HighNamespace: highNamespace,
			Source: s.source, Period: identity.Period(s.period),
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
	return named("workspace", l.space.name, "namespaces", l.namespaces, "namespaces_at", places(l.namespaces),
		"sources", l.sources, "sources_at", places(l.sources), "from", r.from, "to", r.to)
}

// namePlace is the expression of the place of a column's value in a bound list of
// names, 0 for one that is not in it. The engine computes it for the distinct values
// only, where indexOf would for each row (more than half of what a reload cost it).
func namePlace(column, list string) string {
	return `transform(` + column + `, {` + list + `:Array(String)}, {` + list + `_at:Array(UInt16)}, toUInt16(0))`
}

// placesOf is the expression of the places of two namespaces and of the source, 16
// bits each: of few columns a row is read in less time, and one of LowCardinality,
// which the engine would send, takes the driver an allocation a value.
func placesOf(first, second string) string {
	place := func(column, list string) string { return `CAST(` + namePlace(column, list) + `, 'UInt64')` }
	return `bitOr(bitOr(bitShiftLeft(` + place(first, "namespaces") + `, 32), bitShiftLeft(` + place(second, "namespaces") + `, 16)), ` +
		place("source", "sources") + `)`
}

// take takes the source from the places of placesOf and returns those of the namespaces.
func (r *spanRow) take(at uint64) (first, second uint16) {
	r.source = uint16(at)
	return uint16(at >> 32), uint16(at >> 16)
}

// places are those of names in their list.
func places(names []string) []uint16 {
	at := make([]uint16, len(names))
	for i := range at {
		at[i] = uint16(i)
	}
	return at
}

// spanRow scans the columns of spanColumns, and has the place of the source.
type spanRow struct {
	source                    uint16
	days                      uint64
	period                    int32
	firstEvent, firstReceived int64
}

const spanColumns = `period,
	toUnixTimestamp64Milli(first_event), toUnixTimestamp64Milli(first_received),
	bitShiftLeft(toUInt64(toInt32(last_event)), 32) + toUInt32(toInt32(last_received))`

func (r *spanRow) dest() []any {
	return []any{&r.period, &r.firstEvent, &r.firstReceived, &r.days}
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
