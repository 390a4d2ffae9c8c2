package ledger

import (
	"context"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// maxLinkBytes bounds the batches of links in one flush, but for its first one:
// they say more to the byte than evidence, some 300 000 pairs in as much.
const maxLinkBytes = 8 << 20

func isLinks(m *kafka.Message) bool { return hasHeader(m, identity.HeaderLinks) }

// fitting returns how many of messages one flush takes.
func fitting(messages []kafka.Message) int {
	size := 0
	for i := range messages {
		if !isLinks(&messages[i]) {
			continue
		}
		if size += len(messages[i].Value); size > maxLinkBytes && i > 0 {
			return i
		}
	}
	return len(messages)
}

// scored is a usable batch of links with its workspace. The keys of its pairs are
// made once.
type scored struct {
	*identity.Links
	space *space
	pairs []scoredPair
}

type scoredPair struct{ low, high identity.Key }

// readLinks adds a batch of links to b, or returns why it cannot be used.
func (o *owner) readLinks(ctx context.Context, b *batch, m *kafka.Message) (*Rejection, error) {
	l, err := identity.DecodeLinks(m.Value)
	if err != nil {
		return &Rejection{Reason: ReasonLinks, Detail: err.Error()}, nil
	}
	sp, foreign, err := o.spaceNamed(ctx, l.Workspace)
	if sp == nil {
		return foreign, err
	}
	// A score of a time to come would stand against all that are made before it.
	l.ScoredAt = min(l.ScoredAt, received(m.Time).UnixMilli())
	s := scored{Links: &l, space: sp, pairs: make([]scoredPair, 0, len(l.Pairs))}
	kept := l.Pairs[:0]
	for _, p := range l.Pairs {
		x, y := sp.record(p.A), sp.record(p.B)
		if sp.spent(x, l.ScoredAt) || sp.spent(y, l.ScoredAt) {
			continue
		}
		kept = append(kept, p)
		s.pairs = append(s.pairs, scoredPair{low: min(x, y), high: max(x, y)})
	}
	l.Pairs = kept
	b.links = append(b.links, s)
	return nil, nil
}

// spaceNamed returns the workspace of a record, opening it when it is new; nil
// and a rejection where it belongs to another partition.
func (o *owner) spaceNamed(ctx context.Context, name string) (*space, *Rejection, error) {
	if sp, ok := o.spaces[name]; ok {
		return sp, nil, nil
	}
	if !o.deps.Owns(name, o.p.ID()) {
		return nil, &Rejection{
			Workspace: name, Reason: ReasonForeign,
			Detail: fmt.Sprintf("the workspace does not belong to partition %d", o.p.ID()),
		}, nil
	}
	sp, err := o.openLate(ctx, strings.Clone(name))
	return sp, nil, err
}

// record returns the key of a record.
func (sp *space) record(value string) identity.Key {
	return sp.keyer.Key(identity.Identifier{Namespace: identity.Record, Value: value})
}

// score gives a batch of links to the graph, which takes those of the model in
// force. Whether a record is blocked it knows from the record's sightings.
func (sp *space) score(s scored) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	for i, p := range s.pairs {
		sp.graph.Score(recordNode(p.low), recordNode(p.high), s.Model, s.Pairs[i].Weight, s.ScoredAt)
	}
}

func recordNode(k identity.Key) identity.Node {
	return identity.Node{Key: k, Namespace: identity.Record}
}

// keepLinks stores the scored pairs of b, of whatever model: rules that name it
// may come later. Like evidence they need no fence, because rows of one pair merge
// to the standing one in any order, and every owner would write the same.
func (o *owner) keepLinks(ctx context.Context, b *batch) error {
	if len(b.links) == 0 {
		return nil
	}
	if err := o.at("links"); err != nil {
		return err
	}
	rows := &linkBlock{}
	for _, s := range b.links {
		rows.add(s)
	}
	if err := o.store.insert(ctx, o.token("links"), rows); err != nil {
		return err
	}
	o.metrics.links.Add(float64(rows.rows()))
	return nil
}

// linkBlock is rows of record_links.
type linkBlock struct {
	workspace, model []string
	a, b             []uint64
	weight           []int32
	scoredAt         []int64
	fields, levels   [][]string
	weights          [][]int32
}

func (*linkBlock) table() string { return "record_links" }
func (*linkBlock) statement() string {
	return "INSERT INTO record_links (workspace, model_version, record_a, record_b, weight, scored_at, " +
		"`contributions.field`, `contributions.level`, `contributions.weight`)"
}
func (b *linkBlock) rows() int { return len(b.a) }
func (b *linkBlock) columns(i, j int) []any {
	return []any{
		names(b.workspace[i:j]), names(b.model[i:j]), b.a[i:j], b.b[i:j], b.weight[i:j], b.scoredAt[i:j],
		b.fields[i:j], b.levels[i:j], b.weights[i:j],
	}
}

func (b *linkBlock) add(s scored) {
	for i, pair := range s.pairs {
		p := &s.Pairs[i]
		b.workspace = append(b.workspace, s.space.name)
		b.model = append(b.model, s.Model)
		b.a = append(b.a, uint64(pair.low))
		b.b = append(b.b, uint64(pair.high))
		b.weight = append(b.weight, int32(p.Weight))
		b.scoredAt = append(b.scoredAt, s.ScoredAt)
		n := len(p.Contributions)
		fields, levels, weights := make([]string, n), make([]string, n), make([]int32, n)
		for j, c := range p.Contributions {
			fields[j], levels[j], weights[j] = c.Field, c.Level, int32(c.Weight)
		}
		b.fields, b.levels, b.weights = append(b.fields, fields), append(b.levels, levels), append(b.weights, weights)
	}
}

// links loads the scored pairs of the model in force. AsOf reads all of them,
// whenever they were made: like decisions, and unlike evidence, they correct what
// was held to be true at all times, and an earlier score of a pair is not kept.
// They count where both records had been seen.
func (l *loader) links(ctx context.Context) error {
	model := l.space.rules.ModelVersion
	if model == "" {
		return nil
	}
	const query = `SELECT record_a, record_b, weight, toUnixTimestamp64Milli(scored_at) FROM record_links
		WHERE workspace = {workspace:String} AND model_version = {model:String} ORDER BY record_a, record_b`
	var a, b uint64
	var weight int32
	var at int64
	return l.store.each(ctx, query, named("workspace", l.space.name, "model", model), []any{&a, &b, &weight, &at}, func() error {
		l.rows.Add(1)
		l.space.graph.Score(recordNode(identity.Key(a)), recordNode(identity.Key(b)), model, int64(weight), at)
		return nil
	})
}
