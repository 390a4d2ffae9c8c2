package ledger

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// load reads the evidence of sp into its graph: identifiers first, then pairs, then
// scored pairs and decisions. Sets are not loaded. It returns the number of rows
// read. While one range of keys is taken by the graph the next ones are read; the
// columns are of fixed width but for the value of an identifier, which the rules
// need to know what is blocked: namespaces and sources are read as places in a
// list.
func (s *store) load(ctx context.Context, sp *space) (rows int, err error) {
	return s.loadUntil(ctx, sp, forever)
}

const forever = math.MaxInt64

// loadUntil is load, but for evidence later than until; see AsOf.
func (s *store) loadUntil(ctx context.Context, sp *space, until int64) (rows int, err error) {
	l := &loader{store: s, space: sp, until: until}
	err = l.load(ctx)
	return int(l.rows.Load()), err
}

func (l *loader) load(ctx context.Context) error {
	if err := l.erasures(ctx); err != nil {
		return err
	}
	ids, pairs, err := l.counts(ctx)
	if err != nil {
		return err
	}
	first := l.lists()
	into := l.space.graph.Load(first.namespaces, first.sources)
	named := func() {
		known := l.lists()
		into.Lists(known.namespaces, known.sources)
	}
	steps := append(
		rangesOf(ids, ranges(ids, l.store.rangeRows), l.identifiers, func(r *graph.StoredIdentifier) (a, b identity.Key) { return r.Key, 0 }, func([]graph.StoredIdentifier) {},
			func(rows []graph.StoredIdentifier) { named(); into.Identifiers(rows) }),
		rangesOf(pairs, lowRanges(pairs, l.store.rangeRows), l.pairs, func(r *graph.StoredPair) (a, b identity.Key) { return r.Low, r.High }, into.Ahead,
			func(rows []graph.StoredPair) { named(); into.Pairs(rows) })...)
	if err := steps.run(ctx); err != nil {
		return fmt.Errorf("read identifiers and pairs: %w", err)
	}
	into.End()
	if err := l.late(ctx, into); err != nil {
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

// counts counts the rows that are read by ranges, and learns what those of the first
// ranges name.
func (l *loader) counts(ctx context.Context) (ids, pairs uint64, err error) {
	l.names = nameLists{namespaces: []identity.Namespace{""}, sources: []string{""}}
	group, ctx := errgroup.WithContext(ctx)
	count := func(table, names string, n *uint64) {
		group.Go(func() error {
			err := l.store.each(ctx, `SELECT count() FROM `+table+ofWorkspace, named("workspace", l.space.name), []any{n}, func() error { return nil })
			if err != nil {
				return fmt.Errorf("count rows of %s: %w", table, err)
			}
			return l.learn(ctx, names, ranges(*n, l.store.rangeRows)[0])
		})
	}
	count("identifiers", namesOfRange, &ids)
	count("identity_evidence", namesOfPairs, &pairs)
	return ids, pairs, group.Wait()
}

const ofWorkspace = ` WHERE workspace = {workspace:String}`

// loader loads one ledger.
type loader struct {
	store   *store
	space   *space
	rows    atomic.Int64
	until   int64  // leaves out later evidence
	without string // leaves out the decisions of this command, if not empty

	// names are what rows were found to name. They are not all there are, as to read
	// those of all rows would take the engine a tenth of what it has to do.
	mu    sync.Mutex
	names nameLists // protected by mu
}

// nameLists are namespaces and sources, the first of each none. They only grow, so that
// a place in them stays one.
type nameLists struct {
	namespaces []identity.Namespace
	sources    []string
}

func (l *loader) lists() nameLists {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.names
}

// learn adds what the query for names of a range finds, namespaces with source false.
func (l *loader) learn(ctx context.Context, query string, r keyRange) error {
	var name string
	var source bool
	args := named("workspace", l.space.name, "from", r.from, "to", r.to)
	err := l.store.each(rangeRead(ctx), query, args, []any{&name, &source}, func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if source && !slices.Contains(l.names.sources, name) {
			l.names.sources = append(l.names.sources, name)
		}
		if n := identity.Namespace(name); !source && !slices.Contains(l.names.namespaces, n) {
			l.names.namespaces = append(l.names.namespaces, n)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	return nil
}

// naming reads a range by read, which counts the rows with a name that is in no list:
// then the names of the range are learnt, and it is read again. A row with a name that
// is newer than that is left out: whoever stored it has yet to commit its record, or
// goes on beside this ledger.
func (l *loader) naming(ctx context.Context, query string, r keyRange, read func(nameLists) (found, unnamed int, err error)) error {
	found, unnamed, err := read(l.lists())
	if err == nil && unnamed > 0 {
		if err := l.learn(ctx, query, r); err != nil {
			return err
		}
		found, _, err = read(l.lists())
	}
	l.rows.Add(int64(found))
	return err
}

const (
	inRange      = ` AND identifier_id BETWEEN {from:UInt64} AND {to:UInt64}`
	lowInRange   = ` AND low_id BETWEEN {from:UInt64} AND {to:UInt64}`
	namesOfRange = `SELECT DISTINCT namespace, false FROM identifiers` + ofWorkspace + inRange +
		` UNION ALL SELECT DISTINCT source, true FROM identifiers` + ofWorkspace + inRange
	namesOfPairs = `SELECT DISTINCT source, true FROM identity_evidence` + ofWorkspace + lowInRange
)

// identifiers reads the identifiers with keys in r.
func (l *loader) identifiers(ctx context.Context, r keyRange, rows []graph.StoredIdentifier) ([]graph.StoredIdentifier, error) {
	query := `SELECT identifier_id, value, ` + namePlace("namespace", "namespaces") + `, ` + namePlace("source", "sources") + `, ` + spanColumns + `
		FROM identifiers` + ofWorkspace + inRange
	err := l.naming(ctx, namesOfRange, r, func(known nameLists) (found, unnamed int, err error) {
		var id uint64
		var value string
		var namespace uint16
		var s spanRow
		rows = rows[:0]
		err = l.store.each(rangeRead(ctx), query, l.args(r, known), append([]any{&id, &value, &namespace, &s.source}, s.dest()...), func() error {
			found++
			if namespace == 0 || s.source == 0 {
				unnamed++
				return nil
			}
			row := graph.StoredIdentifier{Key: identity.Key(id), Namespace: namespace, Source: s.source, Period: identity.Period(s.period)}
			ok := false
			if row.Span, ok = l.seen(&s, known.sources); ok {
				row.Blocked = l.space.blocked(identity.Identifier{Namespace: known.namespaces[namespace], Value: value})
				rows = append(rows, row)
			}
			return nil
		})
		return found, unnamed, err
	})
	return rows, err
}

// pairs reads the pairs with lesser keys in r.
func (l *loader) pairs(ctx context.Context, r keyRange, rows []graph.StoredPair) ([]graph.StoredPair, error) {
	query := `SELECT low_id, high_id, ` + namePlace("source", "sources") + `, ` + spanColumns + ` FROM identity_evidence` + ofWorkspace + lowInRange
	err := l.naming(ctx, namesOfPairs, r, func(known nameLists) (found, unnamed int, err error) {
		var low, high uint64
		var s spanRow
		rows = rows[:0]
		err = l.store.each(rangeRead(ctx), query, l.args(r, known), append([]any{&low, &high, &s.source}, s.dest()...), func() error {
			found++
			if s.source == 0 {
				unnamed++
				return nil
			}
			row := graph.StoredPair{Low: identity.Key(low), High: identity.Key(high), Source: s.source, Period: identity.Period(s.period)}
			ok := false
			if row.Span, ok = l.seen(&s, known.sources); ok {
				rows = append(rows, row)
			}
			return nil
		})
		return found, unnamed, err
	})
	return rows, err
}

// late takes the pairs of identifiers that are not stored, with the namespaces of their
// own rows: to read these of all pairs would take the engine a third more.
func (l *loader) late(ctx context.Context, into Loader) error {
	missing := into.Missing()
	if len(missing) == 0 {
		return nil
	}
	var pairs [][2]identity.Key
	for _, p := range missing {
		pairs = append(pairs, [2]identity.Key{p.Low, p.High})
	}
	pairs = slices.Compact(pairs) // They ascend.
	ctx, among, args, err := amongPairs(ctx, pairs, named("workspace", l.space.name))
	if err != nil {
		return err
	}
	type namespaces struct{ low, high string }
	of := map[[2]identity.Key]namespaces{}
	var pair [2]identity.Key
	var n namespaces
	err = l.store.each(ctx, `SELECT low_id, high_id, low_namespace, high_namespace FROM identity_evidence
		WHERE workspace = {workspace:String} AND (low_id, high_id) IN `+among+` LIMIT 1 BY low_id, high_id`,
		args, []any{(*uint64)(&pair[0]), (*uint64)(&pair[1]), &n.low, &n.high}, func() error {
			of[pair] = n
			return nil
		})
	if err != nil {
		return fmt.Errorf("read namespaces of pairs: %w", err)
	}
	for _, p := range missing {
		if n, ok := of[[2]identity.Key{p.Low, p.High}]; ok {
			into.Late(p, identity.Namespace(n.low), identity.Namespace(n.high))
		}
	}
	return nil
}

func (l *loader) args(r keyRange, known nameLists) []any {
	namespaces := make([]string, len(known.namespaces))
	for i, n := range known.namespaces {
		namespaces[i] = string(n)
	}
	return named("workspace", l.space.name, "namespaces", namespaces, "namespaces_at", places(namespaces),
		"sources", known.sources, "sources_at", places(known.sources), "from", r.from, "to", r.to)
}

// namePlace is the expression of the place of a column's value in a bound list of
// names, 0 for one that is not in it. The engine computes it for the distinct values
// only, where indexOf would for each row (more than half of what a reload cost it), and
// sends numbers: a value of LowCardinality takes the driver an allocation.
func namePlace(column, list string) string {
	return `CAST(transform(` + column + `, {` + list + `:Array(String)}, {` + list + `_at:Array(UInt16)}, toUInt16(0)), 'UInt16')`
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

// seen returns the span of a row, of one of sources; false where it is too late.
func (l *loader) seen(r *spanRow, sources []string) (span identity.Span, ok bool) {
	span = identity.Span{
		FirstEvent: r.firstEvent, FirstReceived: r.firstReceived,
		LastEvent: identity.Day(r.days >> 32), LastReceived: identity.Day(uint32(r.days)),
	}
	if l.until == forever {
		return span, true
	}
	return upTo(l.until, l.space.rules.Trusted(sources[r.source]), span)
}

func (l *loader) decisions(ctx context.Context) error {
	const query = `SELECT kind, a, b, is_on, toUnixTimestamp64Milli(decided_at), decision_id FROM identity_decisions
		WHERE workspace = {workspace:String} AND kind IN ('block', 'reject', 'cannot_link', 'must_link')
		ORDER BY decided_at, decision_id`
	var kind string
	var a, b uint64
	var d identity.Decision
	return l.store.each(ctx, query, named("workspace", l.space.name), []any{&kind, &a, &b, &d.On, &d.At, &d.ID}, func() error {
		l.rows.Add(1)
		if l.without != "" && commandOf(d.ID) == l.without {
			return nil
		}
		d.Kind, d.A, d.B = identity.DecisionKind(kind), identity.Key(a), identity.Key(b)
		l.space.decide(d)
		return nil
	})
}
