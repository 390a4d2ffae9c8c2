package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/graph"
)

// How old the order of a review queue, and what hangs on its profiles, may be:
// the one reads a graph, the other all events of those profiles. Whether a pair
// waits at all is asked anew whenever it is shown.
const (
	reviewAge = 10 * time.Second
	stakesAge = 5 * time.Minute
)

// Stakes returns what hangs on profiles beside their identifiers: events and
// value. Profiles without either may be left out.
type Stakes func(ctx context.Context, workspace string, profiles []identity.ProfileID) (map[identity.ProfileID]identity.Stake, error)

// reviews are the review queues that this process remembers.
type reviews struct {
	mu     sync.Mutex
	queues map[*space]*queue
}

// queue is the review queue of one workspace, in order, as of some moment.
type queue struct {
	mu       sync.Mutex // held while it is made
	waiting  []waiting
	length   int
	at       time.Time
	stakes   map[identity.ProfileID]identity.Stake
	stakesAt time.Time
}

// waiting is a pair with its place in the queue.
type waiting struct {
	graph.Question
	worth, uncertainty float64
	stakes             [2]identity.Stake
}

// byWorth is the order of the queue.
func byWorth(a, b waiting) int {
	return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
}

// weigh places w in the queue, with what is known of its profiles.
func (w *waiting) weigh(linkThreshold int64, known map[identity.ProfileID]identity.Stake) {
	stake := 0.
	for i, p := range w.Profiles {
		w.stakes[i] = known[p]
		w.stakes[i].Identifiers = w.Sizes[i]
		stake += w.stakes[i].Mass()
	}
	w.uncertainty = identity.Uncertainty(w.Weight, linkThreshold)
	w.worth = w.uncertainty * stake
}

// Review returns a part of the review queue of a workspace: see identity.Review.
// The order is made at most every ten seconds; that the pairs of an answer wait,
// and for whom, is as of now. It returns identity.ErrReviewCursor for a cursor
// that is none.
func (l *Ledger) Review(ctx context.Context, workspace string, ask identity.ReviewQuery) (identity.Review, error) {
	after, err := placeOf(ask.After)
	if err != nil {
		return identity.Review{}, err
	}
	sp, q := l.reviewOf(workspace)
	if q == nil {
		return identity.Review{}, identity.ErrNotOwner
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := l.deps.Now(); ask.Pair == nil && (q.at.IsZero() || now.Sub(q.at) >= reviewAge) {
		if err := l.order(ctx, sp, q, now); err != nil {
			return identity.Review{}, fmt.Errorf("put the review queue in order: %w", err)
		}
	}
	r := identity.Review{
		Waiting: q.length, Questions: []identity.Question{},
		Model: sp.rules.ModelVersion, ReviewThreshold: sp.rules.ReviewThreshold, LinkThreshold: sp.rules.LinkThreshold,
	}
	if ask.Pair != nil {
		return r, l.reviewPair(ctx, sp, q, *ask.Pair, &r)
	}
	from, _ := slices.BinarySearchFunc(q.waiting, after, byWorth)
	if from < len(q.waiting) && byWorth(q.waiting[from], after) == 0 {
		from++
	}
	shown, err := sp.stillWaiting(ctx, q.waiting[from:], min(max(ask.Limit, 1), identity.MaxReviewPage))
	if err != nil {
		return identity.Review{}, err
	}
	if shown.more {
		last := shown.list[len(shown.list)-1]
		r.Next = identity.NewReviewCursor(last.worth, last.A, last.B)
	}
	r.Questions, err = l.describeReview(ctx, sp, shown)
	return r, err
}

// placeOf reads a cursor.
func placeOf(c identity.ReviewCursor) (w waiting, err error) {
	w.worth, w.A, w.B, err = c.Place()
	return w, err
}

// reviewOf returns a workspace with its queue, nil where this process does not
// own it, and forgets those of workspaces that it owns no more.
func (l *Ledger) reviewOf(workspace string) (*space, *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reviews.mu.Lock()
	defer l.reviews.mu.Unlock()
	for sp := range l.reviews.queues {
		if l.spaces[sp.name] != sp {
			delete(l.reviews.queues, sp)
		}
	}
	sp, ok := l.spaces[workspace]
	if !ok {
		return nil, nil
	}
	if l.reviews.queues == nil {
		l.reviews.queues = map[*space]*queue{}
	}
	if l.reviews.queues[sp] == nil {
		l.reviews.queues[sp] = &queue{stakes: map[identity.ProfileID]identity.Stake{}}
	}
	return sp, l.reviews.queues[sp]
}

// order makes the queue anew.
func (l *Ledger) order(ctx context.Context, sp *space, q *queue, now time.Time) error {
	list, length, err := sp.questions(ctx, identity.MaxReview)
	if err != nil {
		return err
	}
	if now.Sub(q.stakesAt) >= stakesAge {
		q.stakes, q.stakesAt = map[identity.ProfileID]identity.Stake{}, now
	}
	if err := l.learnStakes(ctx, sp.name, q, list); err != nil {
		return err
	}
	for i := range list {
		list[i].weigh(sp.rules.LinkThreshold, q.stakes)
	}
	slices.SortFunc(list, byWorth)
	q.waiting, q.length, q.at = list, length, now
	return nil
}

// learnStakes asks for what hangs on the profiles of list that q does not know
// yet.
func (l *Ledger) learnStakes(ctx context.Context, workspace string, q *queue, list []waiting) error {
	if l.deps.Stakes == nil {
		return nil
	}
	var ask []identity.ProfileID
	for _, w := range list {
		for _, p := range w.Profiles {
			if _, known := q.stakes[p]; !known {
				q.stakes[p] = identity.Stake{}
				ask = append(ask, p)
			}
		}
	}
	if len(ask) == 0 {
		return nil
	}
	found, err := l.deps.Stakes(ctx, workspace, ask)
	if err != nil {
		for _, p := range ask {
			delete(q.stakes, p)
		}
		return fmt.Errorf("read what hangs on profiles: %w", err)
	}
	for p, s := range found {
		q.stakes[p] = s
	}
	return nil
}

// questions walks the graph, in slices between flushes. It returns the pairs that
// wait, of many the most that matter by identifiers alone, and how many there are.
func (sp *space) questions(ctx context.Context, most int) (list []waiting, length int, err error) {
	place := uint32(0)
	err = sp.inSlices(ctx, func(g Graph) bool {
		place = g.Questions(place, slice, func(q graph.Question) {
			length++
			if most == 0 {
				return
			}
			w := waiting{Question: q}
			w.weigh(sp.rules.LinkThreshold, nil)
			list = append(list, w)
			if len(list) >= 2*most {
				list = mostWorth(list, most)
			}
		})
		return place == 0
	})
	return mostWorth(list, most), length, err
}

// mostWorth returns the first of list in order.
func mostWorth(list []waiting, most int) []waiting {
	slices.SortFunc(list, byWorth)
	return list[:min(len(list), most)]
}
