package forecast

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// block is the number of profiles that are scored, and stored, at once.
const block = 20_000

// run scores profiles by one version, under one time.
type run struct {
	w        *Worker
	m        *Model
	l        *learnt
	asOf, at time.Time
	ids      []identity.ProfileID
	rows     [][]float32
	counts   [][]float64 // by reference
	n        uint64
	sum      float64
	least    float64
	most     float64
	whole    bool
	scored   []identity.ProfileID // of a run over some
}

func (w *Worker) newRun(m *Model, l *learnt, now time.Time, whole bool) *run {
	r := &run{w: w, m: m, l: l, asOf: now, at: w.tick(), whole: whole, least: 1}
	for _, ref := range l.References {
		r.counts = append(r.counts, ref.Empty())
	}
	return r
}

// read scores the profiles of a request.
func (r *run) read(ctx context.Context, profiles []identity.ProfileID) error {
	q, eligible, err := r.w.request(ctx, r.m.Workspace, r.m.Definition, r.l.Catalogue, features.Received, r.asOf)
	if err != nil {
		return err
	}
	q.Profiles = profiles
	in := subject(r.m.Definition, r.l.Catalogue)
	err = r.w.deps.Features.Each(ctx, q, func(row features.Row) error {
		if row.Present != row.Profile || eligible != nil && !eligible[row.Present] || !in(row.Numbers) {
			return nil
		}
		r.ids, r.rows = append(r.ids, row.Profile), append(r.rows, slices.Clone(row.Numbers))
		if len(r.ids) == block {
			return r.flush(ctx)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.flush(ctx)
}

// flush scores and stores what was read.
func (r *run) flush(ctx context.Context) error {
	if len(r.ids) == 0 {
		return nil
	}
	t := table(r.l.Names, r.l.Places, r.rows)
	p := r.l.predict(t)
	typical := map[string]float64{}
	for i, name := range r.l.Names {
		typical[name] = r.l.Typical[i]
	}
	why := r.l.Model.Reasons(t, every(t.Rows), typical, r.w.cfg.Reasons)
	rows := &scoreRows{}
	for i, id := range r.ids {
		low, high := r.l.interval(p[i])
		detail, err := json.Marshal(scoreDetail{"probability", "what came of such probabilities when the model was judged", .95, r.m.Definition.Horizon, why[i]})
		if err != nil {
			return fmt.Errorf("write the detail of a score: %w", err)
		}
		rows.add(uint64(id), p[i], low, high, string(detail))
		r.observe(t, i, p[i])
	}
	if !r.whole {
		r.scored = append(r.scored, r.ids...)
	}
	r.ids, r.rows = r.ids[:0], r.rows[:0]
	return rows.insert(ctx, r)
}

func (r *run) observe(t *propensity.Table, row int, p float64) {
	r.n++
	r.sum += p
	r.least, r.most = min(r.least, p), max(r.most, p)
	if !r.whole {
		return
	}
	for c := range t.Columns {
		r.l.References[c].Count(r.counts[c], t.Columns[c].Numbers[row])
	}
	last := len(r.counts) - 1
	r.l.References[last].Count(r.counts[last], p)
}

// scoreDetail is the detail of a score.
type scoreDetail struct {
	Unit       string              `json:"unit"`
	Interval   string              `json:"interval"`
	Confidence float64             `json:"confidence"`
	Horizon    string              `json:"horizon"`
	Reasons    []propensity.Reason `json:"reasons"`
}

// scoreRows are rows of the table scores, by column.
type scoreRows struct {
	profile             []uint64
	value, lower, upper []float64
	detail              []string
}

func (s *scoreRows) add(profile uint64, value, lower, upper float64, detail string) {
	s.profile, s.detail = append(s.profile, profile), append(s.detail, detail)
	s.value, s.lower, s.upper = append(s.value, value), append(s.lower, lower), append(s.upper, upper)
}

// insert stores the rows as one native block.
func (s *scoreRows) insert(ctx context.Context, r *run) error {
	batch, err := r.w.deps.Conn.PrepareBatch(ctx, "INSERT INTO scores (workspace, profile_id, score, model_version, as_of, computed_at, value, lower, upper, detail)")
	if err != nil {
		return fmt.Errorf("insert scores: %w", profilestore.Concise(err))
	}
	defer func() { _ = batch.Abort() }() // An error after Send, which says nothing.
	n := len(s.profile)
	for i, values := range []any{
		slices.Repeat([]string{r.m.Workspace}, n), s.profile, slices.Repeat([]string{r.m.Name}, n), slices.Repeat([]string{r.m.Champion}, n),
		slices.Repeat([]time.Time{r.asOf}, n), slices.Repeat([]time.Time{r.at}, n), s.value, s.lower, s.upper, s.detail,
	} {
		if err := batch.Column(i).Append(values); err != nil {
			return fmt.Errorf("insert scores: %w", profilestore.Concise(err))
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert scores: %w", profilestore.Concise(err))
	}
	return nil
}

// end stores the row of profile 0, which withdraws all that the run did not write.
func (r *run) end(ctx context.Context) error {
	mean := 0.0
	if r.n > 0 {
		mean = r.sum / float64(r.n)
	} else {
		r.least = 0
	}
	rows := &scoreRows{}
	rows.add(0, mean, r.least, r.most, fmt.Sprintf(`{"profiles":%d,"interval":"least and greatest"}`, r.n))
	return rows.insert(ctx, r)
}

// scoredDetail is the detail of the event of a whole run.
type scoredDetail struct {
	Profiles uint64    `json:"profiles"`
	AsOf     time.Time `json:"as_of"`
	Mean     float64   `json:"mean"`
}

// scoreAll scores everybody by the champion, and looks how it fares.
func (w *Worker) scoreAll(ctx context.Context, m *Model, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	l, err := w.store.load(ctx, m.Workspace, m.Name, m.Champion)
	if err != nil {
		return err
	}
	r := w.newRun(m, l, now, true)
	if err := r.read(ctx, nil); err != nil {
		return fmt.Errorf("score model %s: %w", m.Name, err)
	}
	if err := r.end(ctx); err != nil {
		return err
	}
	mean := finite(r.sum / float64(r.n))
	if err := w.tell(ctx, m, eventScored, m.Champion, scoredDetail{r.n, now, mean}); err != nil {
		return err
	}
	w.metrics.scored.WithLabelValues("all").Add(float64(r.n))
	w.deps.Logger.Info("model scored", "workspace", m.Workspace, "model", m.Name, "version", m.Champion, "profiles", r.n, "seconds", w.deps.Clock().Sub(now).Seconds())
	return w.check(ctx, m, r)
}

// scoreSome scores changed profiles by the champion.
func (w *Worker) scoreSome(ctx context.Context, m *Model, profiles []identity.ProfileID, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	l, err := w.store.load(ctx, m.Workspace, m.Name, m.Champion)
	if err != nil {
		return err
	}
	r := w.newRun(m, l, now, false)
	if err := r.read(ctx, profiles); err != nil {
		return fmt.Errorf("score changed profiles by model %s: %w", m.Name, err)
	}
	w.metrics.scored.WithLabelValues("changed").Add(float64(r.n))
	if w.deps.Scored != nil && len(r.scored) > 0 {
		w.deps.Scored(m.Workspace, r.scored)
	}
	return nil
}

// withdraw ends the scores of a model.
func (w *Worker) withdraw(ctx context.Context, m *Model) error {
	r := &run{w: w, m: m, asOf: w.deps.Clock().UTC().Truncate(time.Millisecond), at: w.tick(), least: 1}
	if err := r.end(ctx); err != nil {
		return err
	}
	return w.tell(ctx, m, eventWithdrawn, "", struct{}{})
}

// psi compares what a whole run saw with the training: of the probabilities, and of the
// features, the greatest first.
func (r *run) psi() (score float64, all []propensity.Drift) {
	last := len(r.counts) - 1
	for i, ref := range r.l.References[:last] {
		all = append(all, propensity.Drift{Feature: ref.Name, PSI: finite(ref.PSI(r.counts[i]))})
	}
	slices.SortStableFunc(all, func(a, b propensity.Drift) int { return int(math.Copysign(1, b.PSI-a.PSI)) })
	return finite(r.l.References[last].PSI(r.counts[last])), all
}
