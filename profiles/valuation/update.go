package valuation

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// standing is what a worker remembers of the scores that stand, so that an update scores
// nobody but who has changed. It is gone with a restart, after which all are scored.
type standing struct {
	published time.Time // computed_at of the population rows
	summary   Summary
	fitted    *lifetime.Fitted
	profiles  []identity.ProfileID // in order
	marks     []uint64             // of the inputs of each
}

// seed of the marks, which nobody outside of the process sees.
var seed = maphash.MakeSeed()

// remember keeps what a refresh has found to stand since a time. Where nothing could be
// fitted, there is nothing to keep.
func (w *Worker) remember(published time.Time, s Summary, fitted *lifetime.Fitted, h *history) {
	w.last = nil
	if fitted == nil {
		return
	}
	w.last = &standing{published: published, summary: s, fitted: fitted, profiles: h.profiles, marks: h.marks()}
}

func (h *history) marks() []uint64 {
	marks := make([]uint64, len(h.customers))
	var buffer [inputBytes]byte
	for i := range marks {
		h.inputs(i, &buffer)
		marks[i] = maphash.Bytes(seed, buffer[:])
	}
	return marks
}

// changes are the customers whose inputs are not those of their scores.
type changes struct {
	places []int                // in the history, those who had scores first
	had    int                  // how many of them had
	gone   []identity.ProfileID // had scores, and are no customers any more
}

// changed compares a history with what stands. It reports false where all are to be
// scored: on another day, which makes everybody older and chooses the models, after a
// refresh of another process, and when a tenth has changed.
func (l *standing) changed(before publication, h *history, day int) (c changes, ok bool) {
	if l == nil || !l.published.Equal(before.computedAt) || l.summary.asOfDay != day || l.summary.Currency != h.currency {
		return c, false
	}
	var fresh []int
	at := 0
	for i, mark := range h.marks() {
		for ; at < len(l.profiles) && l.profiles[at] < h.profiles[i]; at++ {
			c.gone = append(c.gone, l.profiles[at])
		}
		switch {
		case at == len(l.profiles) || l.profiles[at] > h.profiles[i]:
			fresh = append(fresh, i)
			continue
		case l.marks[at] != mark:
			c.places = append(c.places, i)
		}
		at++
	}
	c.gone = append(c.gone, l.profiles[at:]...)
	c.places, c.had = append(c.places, fresh...), len(c.places)
	return c, 10*(len(c.places)+len(c.gone)) <= len(h.customers)
}

const goneSQL = `SELECT uniqExact(profile) FROM (SELECT %s AS profile FROM (SELECT arrayJoin({gone:Array(UInt64)}) AS id)) WHERE profile NOT IN {scored:Array(UInt64)}`

// merged reports whether all who are gone belong to profiles that are scored now, whose
// rows are newer: else scores of theirs would have to be withdrawn, which is only done
// for all together.
func (w *Worker) merged(ctx context.Context, gone, scored []identity.ProfileID) (bool, error) {
	if len(gone) == 0 {
		return true, nil
	}
	var others uint64
	err := w.deps.Conn.QueryRow(ctx, fmt.Sprintf(goneSQL, warehouse.IdentifierProfile("id")), clickhouse.Named("workspace", w.cfg.Workspace),
		clickhouse.Named("gone", numbers(gone)), clickhouse.Named("scored", numbers(scored))).Scan(&others)
	if err != nil {
		return false, fmt.Errorf("look who was merged: %w", profilestore.Concise(err))
	}
	return others == 0, nil
}

func numbers(ids []identity.ProfileID) []uint64 {
	out := make([]uint64, len(ids))
	for i, id := range ids {
		out[i] = uint64(id)
	}
	return out
}

// Update is Refresh with the models of the day: it scores the customers whose history has
// changed since the last refresh or update of this worker, and writes their rows alone;
// the rows of the population stay what they are. Where that is not enough it is Refresh:
// see standing.changed.
func (w *Worker) Update(ctx context.Context) (Summary, error) { return w.run(ctx, true) }

// update scores who has changed by the standing models. It reports false, and has written
// nothing, where all are to be scored.
func (w *Worker) update(ctx context.Context, h *history, before publication, s *Summary) (done bool, err error) {
	l := w.last
	c, ok := l.changed(before, h, s.asOfDay)
	if !ok {
		return false, nil
	}
	some := &history{currency: h.currency}
	for _, i := range c.places {
		some.profiles = append(some.profiles, h.profiles[i])
		some.customers = append(some.customers, h.customers[i])
		some.earnings = append(some.earnings, h.earnings[i])
	}
	if ok, err := w.merged(ctx, c.gone, some.profiles); err != nil || !ok {
		return false, err
	}
	scorer, err := l.fitted.Scorer([]float64{quarterWeeks}, w.cfg.terms())
	if err != nil {
		return false, fmt.Errorf("score: %w", err)
	}
	for _, one := range some.customers[:c.had] {
		if score, err := scorer.Score(one); err != nil || !score.HasMoney && l.fitted.Spend != nil {
			return false, nil // What stands would have to be withdrawn.
		}
	}
	found := *s
	*s = l.summary
	s.AsOf, s.Customers, s.Updated, s.Unchanged = found.AsOf, found.Customers, len(c.places), len(c.places) == 0
	s.OtherCurrencyOrders, s.UnmatchedRefunds = found.OtherCurrencyOrders, found.UnmatchedRefunds
	if s.Unchanged {
		return true, nil
	}
	s.ComputedAt = w.later(before.newest)
	told := *s
	told.spread = map[string]spread{} // Of these few nobody asks for it.
	if err := w.score(ctx, some, l.fitted, &told); err != nil {
		return false, fmt.Errorf("update: %w", profilestore.Concise(err))
	}
	l.profiles, l.marks = h.profiles, h.marks()
	return true, nil
}

// later is now, or just after a time that is not before it: rows must be later than
// those that stand, whatever the clock does.
func (w *Worker) later(than time.Time) time.Time {
	computed := w.deps.Clock().UTC().Truncate(time.Millisecond)
	if earliest := than.Add(time.Millisecond); computed.Before(earliest) {
		return earliest
	}
	return computed
}
