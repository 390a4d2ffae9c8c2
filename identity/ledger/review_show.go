package ledger

import (
	"context"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// shownPairs are pairs that wait, with what keeps them apart.
type shownPairs struct {
	list     []waiting
	barriers []graph.Barrier
	more     bool // there are further ones
}

// stillWaiting returns the first of list that wait as of now: who was decided
// about, or became one profile, since the queue was put in order is not asked.
func (sp *space) stillWaiting(ctx context.Context, list []waiting, limit int) (s shownPairs, err error) {
	i := 0
	err = sp.inSlices(ctx, func(g Graph) bool {
		for n := 0; i < len(list) && n < slice; i++ {
			q, barrier, standing := g.Question(list[i].A, list[i].B)
			n += 1 + q.Sizes[0] + q.Sizes[1]
			if standing != identity.ReviewWaiting {
				continue
			}
			if len(s.list) == limit {
				s.more = true
				return true
			}
			w := list[i]
			w.Question = q
			for end, size := range q.Sizes {
				w.stakes[end].Identifiers = size
			}
			s.list, s.barriers = append(s.list, w), append(s.barriers, barrier)
		}
		return i == len(list)
	})
	return s, err
}

// reviewPair fills r with what there is to say of one pair.
func (l *Ledger) reviewPair(ctx context.Context, sp *space, q *queue, pair [2]identity.Key, r *identity.Review) error {
	var s shownPairs
	err := l.viewSpace(ctx, sp.name, func(sp *space) {
		found, barrier, standing := sp.graph.Question(pair[0], pair[1])
		if r.Standing = standing; standing != identity.ReviewWaiting {
			return
		}
		w := waiting{Question: found}
		w.weigh(sp.rules.LinkThreshold, q.stakes)
		s = shownPairs{list: []waiting{w}, barriers: []graph.Barrier{barrier}}
	})
	if err != nil {
		return err
	}
	if err := l.learnStakes(ctx, sp.name, q, s.list); err != nil {
		return err
	}
	for i := range s.list {
		s.list[i].weigh(sp.rules.LinkThreshold, q.stakes)
	}
	r.Questions, err = l.describeReview(ctx, sp, s)
	return err
}

// describeReview names the records of pairs and reads their scores, a query each.
func (l *Ledger) describeReview(ctx context.Context, sp *space, s shownPairs) ([]identity.Question, error) {
	names, links := newNaming(), newScoring()
	links.model = sp.rules.ModelVersion
	for i, w := range s.list {
		names.want(w.A, w.B, s.barriers[i].From, s.barriers[i].To)
		links.want(w.A, w.B)
	}
	if err := l.store.name(ctx, sp.name, names); err != nil {
		return nil, err
	}
	if err := links.read(ctx, l.store, sp.name); err != nil {
		return nil, err
	}
	list := make([]identity.Question, len(s.list))
	for i, w := range s.list {
		link, barrier := links.score(w.A, w.B, w.Weight), s.barriers[i]
		list[i] = identity.Question{
			Link: *link, Worth: w.worth, Uncertainty: w.uncertainty, Stake: w.stakes[0].Mass() + w.stakes[1].Mass(),
			Barrier: identity.Barrier{
				Kind: barrier.Kind, From: names.of[barrier.From], To: names.of[barrier.To], Detail: barrier.Detail,
			},
			A: identity.ReviewRecord{Record: names.of[w.A], Key: w.A, Profile: w.Profiles[0], Stake: w.stakes[0]},
			B: identity.ReviewRecord{Record: names.of[w.B], Key: w.B, Profile: w.Profiles[1], Stake: w.stakes[1]},
		}
	}
	return list, nil
}
