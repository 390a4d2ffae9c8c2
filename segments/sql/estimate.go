package sql

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// The sort keys begin with the workspace and the anchor, so that neither names nor
// windows keep a scan from reading all rows of the workspace, and what a scan reads is
// known beforehand: those rows, of the columns that its leaves compare. Asking the server
// by EXPLAIN ESTIMATE says the same, and costs the planning of the query, which for most
// is more than running it; counting a range of the sort key reads its ends alone.

var _ segments.Estimator = (*Previewer)(nil)

// reads are the tables and columns that something needs.
type reads map[string][]string

// add adds columns of a table.
func (r reads) add(table string, columns ...string) {
	r[table] = distinct(append(r[table], columns...))
}

// leafReads are what a leaf asks for.
func leafReads(leaf segments.Node, rules profiles.Rules) reads {
	r := reads{}
	events := func(properties bool, more ...string) {
		r.add("events", append(more, "anchor_id", "time", "name")...)
		if properties {
			r.add("events", "properties")
		}
	}
	switch leaf := leaf.(type) {
	case segments.Event:
		events(len(leaf.Where) > 0 || len(leaf.Measure.Of) > 0)
		if leaf.Pick != "" {
			r.add("events", "message_hash")
		}
	case segments.Sequence:
		events(slices.ContainsFunc(leaf.Steps, func(s segments.Step) bool { return len(s.Where) > 0 || s.Without != nil && len(s.Without.Where) > 0 }), "message_hash")
	case segments.Transactions:
		r.add("transaction_facts", "anchor_id", "time", "message_hash", "type", "source", "order_id", "status", "currency", "amount")
	case segments.Bought:
		r.add("transaction_facts", "anchor_id", "time", "message_hash", "type", "source", "order_id", "status", "items.product_id", "items.category")
	case segments.Trait:
		if slices.ContainsFunc(rules.Computed, func(t profiles.ComputedTrait) bool { return t.Name == leaf.Name }) {
			events(true, "message_hash", "kind")
		} else {
			r.add("trait_observations", "anchor_id", "trait", "time", "message_hash", "source", "value")
		}
	default:
		personReads(r, leaf)
	}
	return r
}

// personReads are those of leaves of what a profile is, beside its events and traits.
func personReads(r reads, leaf segments.Node) {
	voices := []string{"anchor_id", "time", "message_hash", "sentiment"}
	switch leaf := leaf.(type) {
	case segments.HasIdentifier:
		r.add("identifiers", "identifier_id", "namespace")
	case segments.Score:
		r.add("scores", "profile_id", "score", "value", "lower", "upper", "computed_at")
	case segments.Consent:
		r.add("consents", "anchor_id", "purpose", "channel", "address_id", "time", "message_hash", "granted")
	case segments.Household:
		r.add("household_profile", "profile_id", "household_id", "epoch", "sequence")
	case segments.Accounts:
		r.add("account_facts", "account_id", "anchor_id", "time", "message_hash", "traits")
	case segments.InPersona, segments.InStage:
		r.add("profile_groups", "profile_id", "time", "stage", "persona", "recency", "frequency", "money", "model_version")
	case segments.Location:
		r.add("location_facts", "anchor_id", "time", "message_hash", "lat", "lon")
	case segments.Recommendation:
		r.add("feedback_facts", "anchor_id", "time", "message_hash", "instrument", "score", "scale_min", "scale_max")
	case segments.Mood:
		for _, medium := range []segments.Medium{segments.Social, segments.Support, segments.Feedback} {
			if leaf.In == "" || leaf.In == medium {
				r.add(string(medium)+"_facts", voices...)
			}
		}
	}
}

// size is how many rows of a table a workspace has, and the bytes of one by column.
type size struct {
	rows   uint64
	widths map[string]float64
	at     time.Time
}

// sum adds up what is read of tables of these sizes.
func (r reads) sum(sizes map[string]size) (rows, bytes uint64) {
	for table, columns := range r {
		var row float64
		for _, column := range columns {
			row += sizes[table].widths[column]
		}
		rows += sizes[table].rows
		bytes += uint64(row * float64(sizes[table].rows))
	}
	return rows, bytes
}

// Estimate implements segments.Estimator.
func (p *Previewer) Estimate(ctx context.Context, workspace string, self segments.ID, d segments.Definition) (*segments.Estimate, error) {
	resolved, err := segments.Resolve(ctx, p.cfg.Library, workspace, string(self), d)
	if err != nil {
		return nil, err
	}
	return p.estimate(ctx, workspace, d, resolved)
}

// estimate is Estimate of a definition as it was written and with what it names in its
// place.
func (p *Previewer) estimate(ctx context.Context, workspace string, written, resolved segments.Definition) (*segments.Estimate, error) {
	everybody := reads{"identifiers": {"identifier_id"}}
	c := &compiler{rules: p.cfg.Rules, now: p.now(), parameters: map[string]string{}, outright: map[int]string{}}
	all := reads{}
	var leaves []reads
	for i, leaf := range resolved.Leaves() {
		leaves = append(leaves, leafReads(leaf, p.cfg.Rules))
		for table, columns := range leaves[i] {
			all.add(table, columns...)
		}
		c.leaf(i, leaf)
	}
	// Where the tree can hold for somebody of whom nothing is stored, everybody is read.
	holds, _ := c.withoutRows(resolved.Root, inOrder())
	tables := slices.Collect(maps.Keys(all))
	if holds {
		tables = distinct(append(tables, "identifiers"))
	}
	sizes, err := p.sizes(ctx, workspace, tables)
	if err != nil {
		return nil, fmt.Errorf("estimate segment: %w", err)
	}
	e := &segments.Estimate{}
	for i, pointer := range segments.Pointers(written, resolved) {
		rows, bytes := leaves[i].sum(sizes)
		e.Leaves = append(e.Leaves, segments.LeafEstimate{Pointer: pointer, Rows: rows, Bytes: bytes})
	}
	e.Rows, e.Bytes = all.sum(sizes)
	if holds {
		rows, bytes := everybody.sum(sizes)
		e.Rows, e.Bytes = e.Rows+rows, e.Bytes+bytes
	}
	if c.err != nil {
		return nil, c.err
	}
	if p.cfg.MaxRows > 0 && e.Rows > p.cfg.MaxRows {
		return nil, &segments.TooLarge{Estimate: *e, Limit: p.cfg.MaxRows}
	}
	return e, nil
}

// scanned are the tables that scans read, with all columns that leaves compare.
var scanned = func() reads {
	all := reads{}
	for _, leaf := range []segments.Node{
		segments.Event{Where: make([]segments.Property, 1), Pick: segments.First},
		segments.Transactions{},
		segments.Bought{},
		segments.Trait{},
		segments.Trait{Name: "computed"},
		segments.HasIdentifier{},
		segments.Score{},
		segments.Consent{},
		segments.Household{},
		segments.Accounts{},
		segments.InStage{},
		segments.Location{},
		segments.Recommendation{},
		segments.Mood{},
	} {
		for table, columns := range leafReads(leaf, profiles.Rules{Computed: []profiles.ComputedTrait{{Name: "computed"}}}) {
			all.add(table, columns...)
		}
	}
	return all
}()

// measuredRows is of how many rows of a table the width is taken.
const measuredRows = 1000

// sizesQuery counts the rows of tables, which reads the ends of a range of the sort key,
// and takes the width of each column from some rows: small parts of a table keep no sizes
// of columns. Names that repeat are numbers of a dictionary in a table.
func sizesQuery(workspace string, tables []string) Query {
	counts := make([]string, len(tables))
	for i, table := range tables {
		widths := make([]string, len(scanned[table]))
		for i, column := range scanned[table] {
			widths[i] = "avg(if(startsWith(toTypeName(" + column + "), 'LowCardinality'), 1, byteSize(" + column + ")))"
		}
		counts[i] = fmt.Sprintf(`SELECT '%[1]s', (SELECT count() FROM %[1]s WHERE workspace = {workspace:String}), [%[2]s]
FROM (SELECT %[3]s FROM %[1]s WHERE workspace = {workspace:String} LIMIT %[4]d)`, table, strings.Join(widths, ", "), strings.Join(scanned[table], ", "), measuredRows)
	}
	return Query{SQL: strings.Join(counts, "\nUNION ALL\n"), Parameters: map[string]string{"workspace": textEscaper.Replace(workspace)}}
}

// sizes measures tables, or remembers having done so.
func (p *Previewer) sizes(ctx context.Context, workspace string, tables []string) (map[string]size, error) {
	now := p.now()
	found, missing := map[string]size{}, []string{}
	p.mu.Lock()
	for _, table := range tables {
		known, ok := p.measured[[2]string{workspace, table}]
		if found[table] = known; !ok || now.Sub(known.at) >= p.cfg.TotalAge {
			missing = append(missing, table)
		}
	}
	p.mu.Unlock()
	if len(missing) == 0 {
		return found, nil
	}
	slices.Sort(missing)
	err := p.read(ctx, sizesQuery(workspace, missing), func(rows driver.Rows) error {
		var table string
		var n *uint64
		var widths []float64
		if err := rows.Scan(&table, &n, &widths); err != nil {
			return err
		}
		one := size{widths: map[string]float64{}, at: now}
		if n != nil && *n > 0 {
			one.rows = *n
			for i, width := range widths { // No numbers where there are no rows.
				one.widths[scanned[table][i]] = width
			}
		}
		found[table] = one
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, table := range missing {
		p.measured[[2]string{workspace, table}] = found[table]
	}
	return found, nil
}
