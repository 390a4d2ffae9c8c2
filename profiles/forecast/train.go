package forecast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// train learns a version of a model, stores it, and lets it become the champion where it
// deserves to. What the data does not allow is no error: an event tells it.
func (w *Worker) train(ctx context.Context, m *Model, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	e, l, r, err := w.learn(ctx, m, now)
	var leak *propensity.LeakError
	switch {
	case errors.As(err, &leak):
		w.metrics.trained.WithLabelValues(eventStopped).Inc()
		return w.tell(ctx, m, eventStopped, "", reason{err.Error()})
	case errors.Is(err, propensity.ErrNotEnoughData):
		w.metrics.trained.WithLabelValues(eventRefused).Inc()
		return w.tell(ctx, m, eventRefused, "", reason{err.Error()})
	case err != nil:
		w.metrics.trained.WithLabelValues(eventFailed).Inc()
		return errors.Join(err, w.tell(context.WithoutCancel(ctx), m, eventFailed, "", reason{"the training failed; the log of the worker says why"}))
	}
	card := newCard(m.Name, m.Definition, e, l, r, w.deps.Features.IdentityThen(), now)
	frozen, version, err := l.freeze()
	if err != nil {
		return err
	}
	card.Version = version
	verdict, why, err := w.verdict(ctx, m, e, l, card)
	if err != nil {
		return err
	}
	text, err := json.Marshal(card)
	if err != nil {
		return fmt.Errorf("write the card of a model: %w", err)
	}
	if err := insert(ctx, w.deps.Conn, "", "model_versions (workspace, model, version, created_at, question, card, frozen)",
		m.Workspace, m.Name, version, now, m.Definition.question(), string(text), string(frozen)); err != nil {
		return err
	}
	if err := w.tell(ctx, m, eventTrained, version, reason{}); err != nil {
		return err
	}
	w.metrics.trained.WithLabelValues(eventTrained).Inc()
	w.deps.Logger.Info("model trained", "workspace", m.Workspace, "model", m.Name, "version", version, "family", string(l.Model.Family),
		"rows", len(e.rows), "positives", positives(e.y), "auc", r.Metrics.AUC, "log_loss", r.Metrics.LogLoss, "verdict", verdict,
		"seconds", w.deps.Clock().Sub(now).Seconds())
	return w.tell(ctx, m, verdict, version, reason{why})
}

// learn reads examples and trains: under the knowledge that the definition names, or
// under what was received, and where that is too little under what had happened.
func (w *Worker) learn(ctx context.Context, m *Model, now time.Time) (e *examples, l *learnt, r *propensity.Result, err error) {
	tries := []features.Knowledge{m.Definition.Knowledge}
	if tries[0] == "" {
		tries = []features.Knowledge{features.Received, features.EventTime}
	}
	var refusals []error
	for _, k := range tries {
		if e, err = w.examples(ctx, m.Workspace, m.Definition, k, now); err == nil {
			if l, r, err = w.fit(e, m.Definition); err == nil {
				return e, l, r, nil
			}
		}
		if !errors.Is(err, propensity.ErrNotEnoughData) {
			return nil, nil, nil, err
		}
		refusals = append(refusals, err)
	}
	return nil, nil, nil, refusals[len(refusals)-1]
}

// fit trains on examples and judges.
func (w *Worker) fit(e *examples, d Definition) (*learnt, *propensity.Result, error) {
	rows, y := e.judged()
	if len(rows) == 0 || len(rows) == len(e.rows) {
		return nil, nil, fmt.Errorf("%w: %d profiles are eligible at the last moment, and %d before", propensity.ErrNotEnoughData, len(rows), len(e.rows)-len(rows))
	}
	l := &learnt{Catalogue: e.catalogue, Knowledge: e.knowledge}
	l.Names, l.Places = columnsOf(e.catalogue)
	all := table(l.Names, l.Places, e.rows)
	cfg := w.cfg.Propensity
	cfg.MinPositives, cfg.Allow = d.minPositives(), d.Allow
	cfg.Holdout = min(.89, max(.01, float64(len(rows))/float64(len(e.rows))))
	r, err := propensity.Evaluate(&propensity.Examples{Table: all, Y: e.y, Labelled: every(all.Rows), When: e.when}, cfg)
	if err != nil {
		return nil, nil, err
	}
	l.Model = r.Models[0]
	before := len(e.rows) - len(rows)
	trained := every(before)
	typical := propensity.Typical(all, trained)
	for i, name := range l.Names {
		l.Typical = append(l.Typical, typical[name])
		l.References = append(l.References, propensity.NewReference(name, all.Columns[i].Numbers[:before]))
	}
	p := l.Model.Predict(all, every(all.Rows))
	l.Prior = correction(p[before:], y, l.Model.BaseRate)
	if err := l.recency(all, e, trained, r, d); err != nil {
		return nil, nil, err
	}
	corrected := l.predict(all)
	l.References = append(l.References, propensity.NewReference("score", corrected[:before]))
	l.Bands = bandsOf(corrected[before:], y)
	return l, r, nil
}

// baselineRecency is the name of the baseline that knows how long ago somebody came, or
// bought, alone; of a response, how often they clicked before. The past rate of the
// channel is the base rate there.
const baselineRecency = "recency"

// recency adds that baseline to a result.
func (l *learnt) recency(all *propensity.Table, e *examples, trained []int32, r *propensity.Result, d Definition) error {
	name := "since_last_event"
	switch d.Target.Ready {
	case "":
	case Response:
		name = "contact_click_rate_90d" // their own past rate
	default:
		name = "since_last_order"
	}
	one := &propensity.Table{Rows: all.Rows, Columns: all.Columns[slices.Index(l.Names, name):][:1]}
	cfg := propensity.DefaultConfig()
	cfg.Model, cfg.Ordered, cfg.MinPositives = propensity.Logistic, true, d.minPositives()
	m, err := propensity.Train(one, trained, e.y, e.when, cfg)
	if err != nil {
		return fmt.Errorf("train by recency alone: %w", err)
	}
	judged := every(all.Rows)[len(trained):]
	y := e.y[len(trained):]
	p := m.Predict(one, judged)
	r.Baselines[baselineRecency] = propensity.Baseline{Feature: name, Metrics: propensity.Measure(p, y), Beaten: propensity.Compare(p, l.Model.Predict(all, judged), y)}
	return nil
}

// verdict holds a version against the champion, or the base rate where there is none.
func (w *Worker) verdict(ctx context.Context, m *Model, e *examples, l *learnt, c *Card) (event, why string, err error) {
	if m.Champion == "" {
		base := c.Baselines["base_rate"].Beaten
		if base.Better {
			return eventPromoted, "the first version, better than the base rate", nil
		}
		return eventRefused, fmt.Sprintf("the version trained tells no more than the base rate (log loss lower by %.5f, standard error %.5f)", base.Gain, base.StandardError), nil
	}
	champion, err := w.store.load(ctx, m.Workspace, m.Name, m.Champion)
	if err != nil {
		return "", "", err
	}
	old, y, err := w.again(ctx, m, e, champion)
	if err != nil {
		return "", "", err
	}
	rows, _ := e.judged()
	if len(old) != len(rows) {
		return eventKept, "people changed while it was compared with the champion", nil
	}
	c.Against = &Against{m.Champion, propensity.Compare(old, l.predict(table(l.Names, l.Places, rows)), y)}
	if c.Against.Better {
		return eventPromoted, fmt.Sprintf("better than %s on the latest answers", m.Champion), nil
	}
	return eventKept, fmt.Sprintf("the champion %s stays: the log loss of %s is lower by %.5f, with a standard error of %.5f", m.Champion, c.Version, c.Against.Gain, c.Against.StandardError), nil
}

// again predicts the examples that judge by the champion, which may have other event
// names among its features.
func (w *Worker) again(ctx context.Context, m *Model, e *examples, champion *learnt) (p []float64, y []bool, err error) {
	at := e.moments[len(e.moments)-1]
	list, _, err := w.moment(ctx, m.Workspace, m.Definition, champion.Catalogue, e.knowledge, at)
	if err != nil {
		return nil, nil, err
	}
	var rows [][]float32
	for _, x := range list {
		rows, y = append(rows, x.numbers), append(y, x.answer)
	}
	return champion.predict(table(champion.Names, champion.Places, rows)), y, nil
}

// tell stores what became of a model, and takes it over.
func (w *Worker) tell(ctx context.Context, m *Model, event, version string, detail any) error {
	text, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("write an event of a model: %w", err)
	}
	h := happened{time: w.tick(), version: version, question: m.Definition.question(), revision: max(m.trainOrder, m.promoted), detail: string(text)}
	if err := insert(ctx, w.deps.Conn, "", "model_events (workspace, model, time, event, version, revision, question, detail)",
		m.Workspace, m.Name, h.time, event, version, h.revision, h.question, h.detail); err != nil {
		return err
	}
	m.happened(event, h)
	m.settle()
	return nil
}

// tick is now, and later than the tick before, so that events have an order.
func (w *Worker) tick() time.Time {
	at := w.deps.Clock().UTC().Truncate(time.Millisecond)
	if !at.After(w.ticked) {
		at = w.ticked.Add(time.Millisecond)
	}
	w.ticked = at
	return at
}

// finite is a number that JSON can say.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}
