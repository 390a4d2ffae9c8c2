package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// scoring collects pairs of records of an explanation and then holds their
// scores by one model.
type scoring struct {
	model  string
	pairs  [][2]identity.Key
	wanted map[[2]identity.Key]bool
	found  map[[2]identity.Key]identity.LinkScore
}

func newScoring() *scoring { return &scoring{wanted: map[[2]identity.Key]bool{}} }

func (s *scoring) want(a, b identity.Key) {
	if p := keyPair(a, b); !s.wanted[p] {
		s.wanted[p] = true
		s.pairs = append(s.pairs, p)
	}
}

// wantAll asks for the scores of w.
func (s *scoring) wantAll(w graph.Explanation) {
	for _, h := range w.Path {
		if h.Kind == identity.HopLinked {
			s.want(h.From, h.To)
		}
	}
	if b := w.Barrier; b != nil && b.Scored {
		s.want(b.From, b.To)
	}
}

// wantLinked asks for the scores behind the record links among pairs.
func (s *scoring) wantLinked(pairs []graph.SubPair) {
	for _, p := range pairs {
		if p.State == string(identity.HopLinked) {
			s.want(p.A, p.B)
		}
	}
}

func (s *scoring) read(ctx context.Context, from *store, workspace string) (err error) {
	s.found, err = from.scores(ctx, workspace, s.model, s.pairs)
	return err
}

// score returns the score of a pair that was asked for, nil of others. Where the
// tables know a later one than the graph it is that of the graph, bare.
func (s *scoring) score(a, b identity.Key, weight int64) *identity.LinkScore {
	pair := keyPair(a, b)
	if !s.wanted[pair] {
		return nil
	}
	score, ok := s.found[pair]
	if !ok || score.Weight != weight {
		score = identity.LinkScore{Model: s.model, Weight: weight, Probability: identity.LinkProbability(weight)}
	}
	return &score
}

// scores looks up what model says of pairs of records, each in key order. It is
// what stands in the tables, which may be more than the graph has evaluated.
func (s *store) scores(ctx context.Context, workspace, model string, pairs [][2]identity.Key) (map[[2]identity.Key]identity.LinkScore, error) {
	found := map[[2]identity.Key]identity.LinkScore{}
	if len(pairs) == 0 || model == "" {
		return found, nil
	}
	ctx, among, args, err := amongPairs(ctx, pairs, named("workspace", workspace, "model", model))
	if err != nil {
		return nil, err
	}
	var low, high uint64
	var weight int32
	var at time.Time
	var fields, levels []string
	var weights []int32
	err = s.each(ctx, "SELECT record_a, record_b, weight, scored_at, `contributions.field`, `contributions.level`, `contributions.weight`"+`
		FROM record_links WHERE workspace = {workspace:String} AND model_version = {model:String} AND (record_a, record_b) IN `+among+`
		ORDER BY record_a, record_b, scored_at DESC, weight DESC LIMIT 1 BY record_a, record_b`,
		args, []any{&low, &high, &weight, &at, &fields, &levels, &weights}, func() error {
			score := identity.LinkScore{
				Model: model, Weight: int64(weight), Probability: identity.LinkProbability(int64(weight)), ScoredAt: at.UnixMilli(),
			}
			for i := range fields {
				score.Contributions = append(score.Contributions, identity.Contribution{
					Field: fields[i], Level: levels[i], Weight: int64(weights[i]),
				})
			}
			found[[2]identity.Key{identity.Key(low), identity.Key(high)}] = score
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("look up scored pairs: %w", err)
	}
	return found, nil
}
