package matching

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/linkage"
)

// matcher is what a Job and a Worker have in common.
type matcher struct {
	cfg    Config
	deps   Deps
	reader *reader
	models *Models
	// scored is the time of the last batch of links: batches have rising times.
	scored int64
	// barred are the records that say nothing, as read last.
	barred barred
}

func newMatcher(cfg Config, deps Deps) (*matcher, error) {
	if err := errors.Join(cfg.Validate(), deps.validate()); err != nil {
		return nil, err
	}
	return &matcher{
		cfg: cfg, deps: deps, models: NewModels(deps.Conn, deps.Seal),
		reader: &reader{conn: deps.Conn, workspace: cfg.Workspace, keyer: deps.Keyer(cfg.Workspace), fields: newFieldMap(cfg.Fields), limit: cfg.MaxRecords},
	}, nil
}

// now is the time of scores that are computed from what is read from now on. The
// latest one stands, so that it must not be that of their publication.
func (m *matcher) now() int64 {
	m.scored = max(m.deps.Clock().UnixMilli(), m.scored+1)
	return m.scored
}

// telling are the records of a batch that say something, by id.
func (b *batch) telling() []*record {
	var list []*record
	for _, h := range b.holders {
		if !h.record.empty() {
			list = append(list, h.record)
		}
	}
	slices.SortFunc(list, func(a, b *record) int { return cmp.Compare(a.id, b.id) })
	return list
}

// score puts all records of a batch into an index and returns their pairs.
func (m *matcher) score(ctx context.Context, model *linkage.Model, b *batch) (*scores, changes, error) {
	s, err := newScores(model, m.cfg.Fields)
	if err != nil {
		return nil, nil, err
	}
	found := changes{}
	for i, r := range b.telling() {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if _, err := s.put(r, found); err != nil {
			return nil, nil, fmt.Errorf("score records: %w", err)
		}
		s.records[r.key].tied = b.tied[r.key]
	}
	for p, weight := range found {
		if weight == identity.Unsupported {
			delete(found, p)
		}
	}
	return s, found, nil
}

const standingSQL = `SELECT record_a, record_b, argMax(weight, (scored_at, weight)) FROM record_links
WHERE workspace = {workspace:String} AND model_version = {model:String}
GROUP BY record_a, record_b`

// missing returns what of the pairs the ledger does not say yet, and what it says
// beside them.
func (m *matcher) missing(ctx context.Context, s *scores, b *batch, found changes) (changes, error) {
	c := changes{}
	for p, weight := range found {
		c[p] = weight
	}
	names := map[identity.Key]string{}
	for _, h := range b.holders {
		if h.record.empty() {
			names[h.record.key] = h.record.id
		}
	}
	err := m.reader.query(ctx, "read scores", standingSQL, func(rows driver.Rows) error {
		var a, z uint64
		var weight int32
		if err := rows.Scan(&a, &z, &weight); err != nil {
			return err
		}
		p := pair{identity.Key(a), identity.Key(z)}
		switch now, ok := found[p]; {
		case ok && now == int64(weight):
			delete(c, p)
		case !ok && int64(weight) != identity.Unsupported && !m.barred.within(p):
			c[p] = identity.Unsupported
			for _, key := range [2]identity.Key{p.low, p.high} {
				if name, silent := names[key]; silent {
					s.gone[key] = name
				}
			}
		}
		return nil
	}, clickhouse.Named("model", s.model.Version))
	return c, err
}

// published counts what was published.
type published struct {
	Scored   int // pairs with a weight
	Withdrew int // pairs taken back
	Tied     int // records of user ids that were tied to their users
}

// publish publishes evidence for the records of counted, and then the links of c. Who
// was restricted since the records were read is left out as well.
func (m *matcher) publish(ctx context.Context, s *scores, counted, c changes, at, review int64) (n published, err error) {
	read := m.barred
	if _, err := m.bar(ctx); err != nil {
		return n, err
	}
	m.barred.keepOut(counted)
	m.barred.keepOut(c)
	m.barred = read // The next look sees the change, and does all that follows from it.
	untied := s.untied(counted, review)
	evidence := make([]identity.Evidence, len(untied))
	for i, h := range untied {
		evidence[i] = h.record().evidence(m.cfg.Workspace, m.reader.keyer)
	}
	defer func() {
		if err != nil { // Whoever comes back to it does it again.
			for _, h := range untied {
				h.tied = false
			}
		}
	}()
	if len(evidence) > 0 {
		if err := m.deps.Publisher.PublishEvidence(ctx, evidence); err != nil {
			return n, fmt.Errorf("tie records to users: %w", err)
		}
	}
	n.Tied = len(evidence)
	links := s.links(c)
	if len(links) == 0 {
		return n, nil
	}
	err = m.deps.Publisher.PublishLinks(ctx, m.cfg.Workspace, identity.Links{Model: s.model.Version, ScoredAt: at, Pairs: links})
	if err != nil {
		return n, err
	}
	for i := range links {
		if links[i].Weight == identity.Unsupported {
			n.Withdrew++
		} else {
			n.Scored++
		}
	}
	return n, nil
}
