package matching

import (
	"context"
	"errors"
	"fmt"

	"github.com/kindred-cdp/kindred/identity/linkage"
)

// Job learns a model from all records of a workspace and scores them by it.
type Job struct{ *matcher }

// NewJob returns a job that does nothing yet.
func NewJob(cfg Config, deps Deps) (*Job, error) {
	m, err := newMatcher(cfg, deps)
	if err != nil {
		return nil, err
	}
	return &Job{m}, nil
}

// Report says what a job found.
type Report struct {
	Model *linkage.Model
	// Records are those that say something, Users those of them of user ids, and
	// Sources the others by source.
	Records, Users int
	Sources        map[string]int
	// Pairs may be one person, Review of them reach the review threshold of the
	// rules, and Link the link threshold.
	Pairs, Review, Link int
	// Scored, Withdrew and Tied count what was published: what the ledger knew
	// already is not published again.
	Scored, Withdrew, Tied int
	Rules                  Rules
	Seconds                map[string]float64

	unstored func(context.Context) (int, error)
}

// ErrFewRecords reports a workspace without two records to compare.
var ErrFewRecords = errors.New("there are no two records that say something: send traits with identify, or import records")

// Run learns a model, or takes the stored one of version keep, scores all records
// and publishes what differs from what the ledger knows of the model. It is
// harmless to run again. progress, if set, is told what begins.
func (j *Job) Run(ctx context.Context, keep string, progress func(string)) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, j.cfg.Timeout)
	defer cancel()
	r := &Report{Sources: map[string]int{}, Seconds: map[string]float64{}}
	begun := j.deps.Clock()
	done := func(step string) {
		now := j.deps.Clock()
		r.Seconds[step], begun = now.Sub(begun).Seconds(), now
	}
	if progress == nil {
		progress = func(string) {}
	}
	var err error
	if r.Rules, err = j.deps.Rules(ctx, j.cfg.Workspace); err != nil {
		return nil, err
	}
	progress("read records")
	at := j.now()
	if _, err := j.bar(ctx); err != nil {
		return nil, err
	}
	traits, err := j.reader.traits(ctx)
	if err != nil {
		return nil, err
	}
	b, err := j.reader.all(ctx, traits)
	if err != nil {
		return nil, err
	}
	j.barred.silence(b)
	records := b.telling()
	r.count(records)
	done("read")
	if r.Model, err = j.model(ctx, keep, records, progress); err != nil {
		return nil, err
	}
	done("learn")
	progress("score records")
	s, found, err := j.score(ctx, r.Model, b)
	if err != nil {
		return nil, err
	}
	r.weigh(found)
	done("score")
	progress("publish")
	c, err := j.missing(ctx, s, b, found)
	if err != nil {
		return nil, err
	}
	r.unstored = func(ctx context.Context) (int, error) {
		left, err := j.missing(ctx, s, b, found)
		return len(left), err
	}
	n, err := j.publish(ctx, s, found, c, at, r.Rules.Review)
	r.Scored, r.Withdrew, r.Tied = n.Scored, n.Withdrew, n.Tied
	done("publish")
	return r, err
}

// model learns a model and stores it, or loads the one to keep.
func (j *Job) model(ctx context.Context, keep string, records []*record, progress func(string)) (*linkage.Model, error) {
	if keep != "" {
		return j.models.Load(ctx, j.cfg.Workspace, keep)
	}
	table, types := tableOf(j.cfg.Fields, records)
	result, err := linkage.Link(ctx, table, linkage.Options{
		Types: types, Seed: j.cfg.Seed, Workers: j.cfg.Workers, Budget: j.budget(len(records)), Progress: progress,
	})
	switch {
	case errors.Is(err, linkage.ErrFewRecords), errors.Is(err, linkage.ErrNothingToCompare):
		return nil, fmt.Errorf("%w (%w)", ErrFewRecords, err)
	case err != nil:
		return nil, fmt.Errorf("learn a model: %w", err)
	}
	return result.Model, j.models.Save(ctx, j.cfg.Workspace, result.Model, j.deps.Clock())
}

// budget is the number of pairs to compare. A model that compares all pairs makes
// every later record as dear as there are records, so it is only for few.
func (j *Job) budget(records int) int {
	const few, perRecord, most = 2000, 300, 4_000_000
	if j.cfg.Budget > 0 || records < few {
		return j.cfg.Budget
	}
	return max(min(perRecord*records, most), 8*records)
}

func (r *Report) count(records []*record) {
	r.Records = len(records)
	for _, rec := range records {
		if rec.user.Key != 0 {
			r.Users++
			continue
		}
		r.Sources[sourceOf(rec.id)]++
	}
}

// sourceOf is the source of a record, "" where it names none.
func sourceOf(id string) string {
	for i := range len(id) {
		if id[i] == '/' {
			return id[:i]
		}
	}
	return ""
}

func (r *Report) weigh(found changes) {
	r.Pairs = len(found)
	for _, weight := range found {
		if weight >= r.Rules.Review {
			r.Review++
		}
		if weight >= r.Rules.Link {
			r.Link++
		}
	}
}

// Unstored returns how many scores of the report the ledger has not stored yet.
func (r *Report) Unstored(ctx context.Context) (int, error) { return r.unstored(ctx) }
