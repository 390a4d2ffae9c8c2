package forecast

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// Check is what was seen of a version at the last whole run.
type Check struct {
	At time.Time `json:"at"`
	// Profiles that were scored, with the mean of their probabilities.
	Profiles uint64  `json:"profiles"`
	Mean     float64 `json:"mean"`
	// PSI is the stability index of the probabilities, Drift that of the features that
	// moved most, against the training: below 0.1 they stand, above 0.25 they have moved.
	PSI   float64            `json:"psi"`
	Drift []propensity.Drift `json:"drift"`
	// Realised is what became of an earlier run; nil until its answers are in.
	Realised *Realised `json:"realised,omitempty"`
}

// Realised compares what a run foretold with what happened.
type Realised struct {
	AsOf      time.Time `json:"as_of"`
	Version   string    `json:"version"`
	Profiles  int       `json:"profiles"`
	Positives int       `json:"positives"`
	// Expected is the mean of the probabilities, Observed the share that came.
	Expected    float64          `json:"expected"`
	Observed    float64          `json:"observed"`
	ECE         float64          `json:"ece"`
	AUC         float64          `json:"auc"`
	LogLoss     float64          `json:"log_loss"`
	Reliability []propensity.Bin `json:"reliability"`
}

// mostDrifts is how many features a check tells of.
const mostDrifts = 10

// check looks how the champion fares after a whole run.
func (w *Worker) check(ctx context.Context, m *Model, r *run) error {
	c := Check{At: r.at, Profiles: r.n, Mean: finite(r.sum / float64(r.n))}
	if r.n > 0 {
		c.PSI, c.Drift = r.psi()
		c.Drift = c.Drift[:min(mostDrifts, len(c.Drift))]
	}
	var err error
	if c.Realised, err = w.realised(ctx, m, r.asOf); err != nil {
		return err
	}
	if c.Realised == nil { // What was seen before stands.
		var before Check
		if h, ok := m.events[eventChecked]; ok && h.version == m.Champion && json.Unmarshal([]byte(h.detail), &before) == nil {
			c.Realised = before.Realised
		}
	}
	w.metrics.checked(m, c)
	return w.tell(ctx, m, eventChecked, m.Champion, c)
}

const ripeSQL = `SELECT as_of, computed_at, model_version FROM scores
WHERE workspace = {workspace:String} AND profile_id = 0 AND score = {score:String} AND as_of <= fromUnixTimestamp64Milli({until:Int64}, 'UTC') AND model_version = {version:String}
ORDER BY as_of DESC LIMIT 1`

const foretoldSQL = `SELECT profile_id, value FROM scores
WHERE workspace = {workspace:String} AND profile_id != 0 AND score = {score:String} AND computed_at = fromUnixTimestamp64Milli({at:Int64}, 'UTC')`

// realised looks at the latest run of the champion of which all answers are in, if it
// was not looked at before.
func (w *Worker) realised(ctx context.Context, m *Model, now time.Time) (*Realised, error) {
	var asOf, computed time.Time
	var version string
	args := []any{clickhouse.Named("workspace", m.Workspace), clickhouse.Named("score", m.Name)}
	err := w.store.each(ctx, "runs of a model", ripeSQL, func(rows driver.Rows) error { return rows.Scan(&asOf, &computed, &version) },
		append(args, clickhouse.Named("until", now.Add(-m.Definition.pace()).UnixMilli()), clickhouse.Named("version", m.Champion))...)
	if err != nil || asOf.IsZero() || m.checked[asOf.UTC()] {
		return nil, err
	}
	did, err := w.answers(ctx, m.Workspace, m.Definition, asOf)
	if err != nil {
		return nil, err
	}
	var ids []identity.ProfileID
	var p []float64
	err = w.store.each(ctx, "what was foretold", foretoldSQL, func(rows driver.Rows) error {
		var id uint64
		var value float64
		err := rows.Scan(&id, &value)
		ids, p = append(ids, identity.ProfileID(id)), append(p, value)
		return err
	}, append(args, clickhouse.Named("at", computed.UnixMilli()))...)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	present, err := w.deps.Features.PresentOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("present ids of what was foretold: %w", err)
	}
	var asked []float64
	var y []bool
	for i, id := range ids {
		if did.asked(present[id]) {
			asked, y = append(asked, p[i]), append(y, m.Definition.answer(did.of[present[id]]))
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	return measured(asOf, version, asked, y), nil
}

func measured(asOf time.Time, version string, p []float64, y []bool) *Realised {
	got := propensity.Measure(p, y)
	r := &Realised{
		AsOf: asOf.UTC(), Version: version, Profiles: len(p), Positives: got.Positives, Observed: float64(got.Positives) / float64(len(p)),
		ECE: got.ECE, AUC: got.AUC, LogLoss: got.LogLoss, Reliability: slices.DeleteFunc(propensity.Reliability(p, y, 10), func(b propensity.Bin) bool { return b.Rows == 0 }),
	}
	for _, v := range p {
		r.Expected += v / float64(len(p))
	}
	return r
}
