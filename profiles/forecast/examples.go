package forecast

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// leastMoments is how many moments a model needs: to train, to calibrate, to judge.
const leastMoments = 3

// example is what was known of a profile at a moment, and the answer.
type example struct {
	profile identity.ProfileID
	numbers []float32
	answer  bool
}

// examples are those of several moments, the oldest first.
type examples struct {
	catalogue features.Catalogue
	knowledge features.Knowledge
	moments   []time.Time
	counts    []int // by moment
	rows      [][]float32
	y         []bool
	when      []int64
	last      uint64 // one in so many profiles, at the last moment
	sum       hash.Hash
}

// moments are the latest ones whose answers are all in at now, each a pace apart, in a
// history that begins at start; the features of the first have a horizon behind them.
func moments(d Definition, start, now time.Time, most int) []time.Time {
	var list []time.Time
	day := 24 * time.Hour
	at := now.Add(-d.pace()).Truncate(day)
	for !start.IsZero() && len(list) < most && !at.Before(start.Add(span(d.Horizon))) {
		list = append(list, at)
		at = at.Add(-d.pace())
	}
	slices.Reverse(list)
	return list
}

// tooShort is the refusal of a history without enough moments.
func tooShort(d Definition, k features.Knowledge, start, now time.Time) error {
	have := 0.0
	if !start.IsZero() {
		have = now.Sub(start).Hours() / 24
	}
	need := (time.Duration(leastMoments)*d.pace() + span(d.Horizon)).Hours() / 24
	return fmt.Errorf("%w: the history of %s goes back %.0f days; %.0f are needed to train, calibrate and judge over %s", propensity.ErrNotEnoughData, k, have, need, d.Horizon)
}

// examples reads those of a definition as they stand at now.
func (w *Worker) examples(ctx context.Context, workspace string, d Definition, k features.Knowledge, now time.Time) (*examples, error) {
	start, err := w.deps.Features.Start(ctx, workspace, k)
	if err != nil {
		return nil, err
	}
	e := &examples{knowledge: k, moments: moments(d, start, now, w.cfg.Moments), sum: sha256.New()}
	if len(e.moments) < leastMoments {
		return nil, tooShort(d, k, start, now)
	}
	// What is frequent is frozen before the moment that judges.
	if e.catalogue, err = w.deps.Features.Catalogue(ctx, workspace, e.moments[len(e.moments)-2], k, d.excludes); err != nil {
		return nil, err
	}
	for _, at := range e.moments {
		list, step, err := w.moment(ctx, workspace, d, e.catalogue, k, at)
		if err != nil {
			return nil, err
		}
		e.add(at, list)
		e.last = step
	}
	return e, nil
}

// moment reads the examples of one moment, in the order of their ids.
func (w *Worker) moment(ctx context.Context, workspace string, d Definition, c features.Catalogue, k features.Knowledge, at time.Time) (list []example, step uint64, err error) {
	q, eligible, err := w.request(ctx, workspace, d, c, k, at)
	if err != nil {
		return nil, 0, err
	}
	did, err := w.answers(ctx, workspace, d, at)
	if err != nil {
		return nil, 0, err
	}
	people := uint64(len(eligible))
	if eligible == nil {
		if people, err = w.deps.Features.Profiles(ctx, workspace); err != nil {
			return nil, 0, err
		}
	}
	q.Every = 1 + people/uint64(w.cfg.MaxRows)
	in := subject(d, c)
	err = w.deps.Features.Each(ctx, q, func(r features.Row) error {
		if (eligible == nil || eligible[r.Present]) && in(r.Numbers) && did.asked(r.Present) {
			list = append(list, example{r.Profile, slices.Clone(r.Numbers), d.answer(did.of[r.Present])})
		}
		return nil
	})
	slices.SortFunc(list, func(a, b example) int { return cmp.Compare(a.profile, b.profile) })
	return list, q.Every, err
}

// answers are what people did in the window of a moment. Where only some were asked,
// those who are not in the map are no examples.
type answers struct {
	of   map[identity.ProfileID]bool
	some bool
}

func (a answers) asked(id identity.ProfileID) bool {
	_, known := a.of[id]
	return known || !a.some
}

func (w *Worker) answers(ctx context.Context, workspace string, d Definition, at time.Time) (a answers, err error) {
	if a.some = d.Target.Ready == Response; a.some {
		a.of, err = w.deps.Features.Responded(ctx, workspace, d.Target.Channel, d.window(at))
	} else {
		a.of, err = w.deps.Features.Did(ctx, workspace, d.Target.Event, d.window(at))
	}
	return a, err
}

// request is that of the features of a moment, with who is eligible, nil for everybody.
func (w *Worker) request(ctx context.Context, workspace string, d Definition, c features.Catalogue, k features.Knowledge, at time.Time) (q features.Request, eligible map[identity.ProfileID]bool, err error) {
	q = features.Request{Workspace: workspace, AsOf: at, Knowledge: k, Catalogue: c}
	if len(d.Eligible) > 0 {
		if eligible, err = w.deps.Eligible(ctx, workspace, d.Eligible, at); err != nil {
			return q, nil, fmt.Errorf("who is eligible: %w", err)
		}
	}
	return q, eligible, nil
}

// subject reports for a row of the catalogue's numbers whether the target speaks of it.
func subject(d Definition, c features.Catalogue) func([]float32) bool {
	names := c.Names()
	return func(numbers []float32) bool {
		return d.of(func(name string) float64 { return float64(numbers[slices.Index(names, name)]) })
	}
}

// add appends the examples of a moment, and hashes them.
func (e *examples) add(at time.Time, list []example) {
	e.counts = append(e.counts, len(list))
	var word [8]byte
	put := func(n uint64) {
		binary.LittleEndian.PutUint64(word[:], n)
		e.sum.Write(word[:])
	}
	put(uint64(at.Unix()))
	for _, x := range list {
		e.rows, e.y, e.when = append(e.rows, x.numbers), append(e.y, x.answer), append(e.when, at.Unix())
		put(uint64(x.profile))
		for _, v := range x.numbers {
			put(uint64(math.Float32bits(v)))
		}
		if x.answer {
			put(1)
		}
	}
}

// hash is that of all examples.
func (e *examples) hash() string { return hex.EncodeToString(e.sum.Sum(nil)) }

// judged are the examples of the last moment.
func (e *examples) judged() (rows [][]float32, y []bool) {
	from := len(e.rows) - e.counts[len(e.counts)-1]
	return e.rows[from:], e.y[from:]
}

func positives(y []bool) (n int) {
	for _, v := range y {
		if v {
			n++
		}
	}
	return n
}
