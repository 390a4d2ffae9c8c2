package valuation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

// chunk is the number of rows from which on they are inserted.
const chunk = 100_000

// columns are rows of the table scores, by column.
type columns struct {
	profile             []uint64
	score               []string
	value, lower, upper []float64
	detail              []string
}

func (c *columns) add(profile uint64, score string, e lifetime.Estimate, detail string) {
	c.profile, c.score = append(c.profile, profile), append(c.score, score)
	c.value, c.lower, c.upper = append(c.value, e.Value), append(c.lower, e.Lower), append(c.upper, e.Upper)
	c.detail = append(c.detail, detail)
}

func (c *columns) reset() {
	*c = columns{c.profile[:0], c.score[:0], c.value[:0], c.lower[:0], c.upper[:0], c.detail[:0]}
}

const insertSQL = "INSERT INTO scores (workspace, profile_id, score, model_version, as_of, computed_at, value, lower, upper, detail)"

// insert writes the rows as one native block.
func (w *Worker) insert(ctx context.Context, c *columns, s *Summary) error {
	n := len(c.profile)
	if n == 0 {
		return nil
	}
	batch, err := w.deps.Conn.PrepareBatch(ctx, insertSQL)
	if err != nil {
		return err
	}
	defer func() { _ = batch.Abort() }() // An error after Send, which says nothing.
	for i, values := range []any{
		repeat(w.cfg.Workspace, n), c.profile, c.score, repeat(s.ModelVersion, n), repeat(s.AsOf, n),
		repeat(s.ComputedAt, n), c.value, c.lower, c.upper, c.detail,
	} {
		if err := batch.Column(i).Append(values); err != nil {
			return err
		}
	}
	return batch.Send()
}

func repeat[T any](v T, n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// score scores every profile on all processors and inserts the rows, in order of the
// profiles, in chunks.
func (w *Worker) score(ctx context.Context, h *history, fitted *lifetime.Fitted, s *Summary) error {
	detail := newDetail(w.cfg, s)
	var rows columns
	err := fitted.ScoreInOrder(ctx, h.customers, []float64{quarterWeeks}, w.cfg.terms(), func(i int, score lifetime.Score, err error) error {
		var invalid *lifetime.InvalidError
		switch {
		case errors.As(err, &invalid), errors.Is(err, lifetime.ErrOutOfRange):
			s.Unscored++
			return nil
		case err != nil:
			return fmt.Errorf("score: %w", err)
		}
		detail.add(&rows, uint64(h.profiles[i]), h.customers[i], score)
		if score.HasMoney && s.Margins != nil {
			w.addMargins(&rows, h, i, score, detail, s)
		}
		s.scored(score)
		if len(rows.profile) < chunk {
			return nil
		}
		return w.flush(ctx, &rows, s)
	})
	if err != nil {
		return err
	}
	return w.flush(ctx, &rows, s)
}

// scored counts a score.
func (s *Summary) scored(score lifetime.Score) {
	s.observe(PAlive, score.Alive.Value)
	s.observe(ExpectedPurchases90d, score.Purchases[0].Value)
	if score.HasMoney {
		s.observe(ExpectedSpend, score.Spend.Value)
		s.observe(LifetimeValue1y, score.Value.Value)
		s.CustomersWithValue++
		s.TotalValue += score.Value.Value
	}
}

// addMargins appends the rows of what the customer has left and will leave.
func (w *Worker) addMargins(rows *columns, h *history, i int, score lifetime.Score, d *detail, s *Summary) {
	e, revenue := h.earnings[i], score.Value
	rate, known := s.Margins.Rate(e), 0.0
	if e.Revenue > 0 {
		known = e.Covered / e.Revenue
	}
	if w.cfg.Margin > 0 {
		rate /= w.cfg.Margin // The value is a share of the revenue already.
	}
	told := appendNumber(appendNumber(appendNumber(nil, `,"margin":`, s.Margins.Rate(e)), `,"known_share":`, known), `,"revenue":`, e.Revenue)
	inputs := string(append(told, '}'))
	past, future := s.Margins.Contributed(e), revenue.Earned(rate)
	profile := uint64(h.profiles[i])
	rows.add(profile, ContributionMargin, past, d.heads[ContributionMargin]+inputs)
	rows.add(profile, LifetimeMargin1y, future, d.heads[LifetimeMargin1y]+inputs)
	s.observe(ContributionMargin, past.Value)
	s.observe(LifetimeMargin1y, future.Value)
	s.TotalMargin += future.Value
}

func (w *Worker) flush(ctx context.Context, rows *columns, s *Summary) error {
	if err := w.insert(ctx, rows, s); err != nil {
		return fmt.Errorf("insert scores: %w", profilestore.Concise(err))
	}
	rows.reset()
	return nil
}

// detail writes the JSON object of each row: the unit, what the interval
// covers, and the history behind the number.
type detail struct {
	heads map[string]string
	text  []byte
}

func newDetail(cfg Config, s *Summary) *detail {
	head := func(unit, interval string, more map[string]any) string {
		object := map[string]any{
			"unit": unit, "interval": interval, "confidence": cfg.Lifetime.Confidence,
			"model": s.Model, "time_unit": cfg.Lifetime.Unit.String(),
		}
		for k, v := range more {
			object[k] = v
		}
		text, err := json.Marshal(object) // Keys come out sorted.
		if err != nil {
			panic(err) // Impossible: strings and finite numbers.
		}
		return string(text[:len(text)-1])
	}
	return &detail{heads: map[string]string{
		PAlive:               head("probability", "parameters", nil),
		ExpectedPurchases90d: head("purchase days", "predictive", map[string]any{"horizon_days": 90}),
		ExpectedSpend:        head(s.Currency+" per purchase day", "customer mean", nil),
		LifetimeValue1y: head(s.Currency, "predictive", map[string]any{
			"horizon_weeks": yearWeeks, "yearly_rate": cfg.YearlyRate, "margin": cfg.Margin,
		}),
		ContributionMargin: head(s.Currency, "bounds of unknown costs", nil),
		LifetimeMargin1y:   head(s.Currency, "predictive", map[string]any{"horizon_weeks": yearWeeks, "yearly_rate": cfg.YearlyRate}),
	}}
}

// add appends the rows of one profile.
func (d *detail) add(rows *columns, profile uint64, c lifetime.Customer, s lifetime.Score) {
	d.text = append(d.text[:0], `,"frequency":`...)
	d.text = strconv.AppendInt(d.text, int64(c.Frequency), 10)
	d.text = appendNumber(d.text, `,"recency":`, c.Recency)
	d.text = appendNumber(d.text, `,"age":`, c.Age)
	d.text = appendNumber(d.text, `,"mean_spend":`, c.Spend)
	inputs := string(append(d.text, '}'))
	rows.add(profile, PAlive, s.Alive, d.heads[PAlive]+inputs)
	rows.add(profile, ExpectedPurchases90d, s.Purchases[0], d.heads[ExpectedPurchases90d]+inputs)
	if s.HasMoney {
		rows.add(profile, ExpectedSpend, s.Spend, d.heads[ExpectedSpend]+inputs)
		rows.add(profile, LifetimeValue1y, s.Value, d.heads[LifetimeValue1y]+inputs)
	}
}

func appendNumber(b []byte, name string, v float64) []byte {
	return strconv.AppendFloat(append(b, name...), v, 'f', 4, 64)
}

// publication is what is known of the standing scores.
type publication struct {
	computedAt time.Time
	newest     time.Time // of any row, also of updates since
	inputs     string
	customers  int
	total      float64
	summary    Summary
}

const publishedSQL = `SELECT computed_at, value, detail FROM scores
WHERE workspace = {workspace:String} AND profile_id = 0 AND score = '` + Population + `'
ORDER BY computed_at DESC LIMIT 1`

// newestSQL is the newest computed_at of a score that everybody has who has any.
const newestSQL = `SELECT max(computed_at) FROM scores WHERE workspace = {workspace:String} AND score = '` + PAlive + `'`

// population is the detail of the population row.
type population struct {
	Inputs  string  `json:"inputs"`
	Summary Summary `json:"summary"`
}

// published reads the newest population row; the zero value when there is none.
func (w *Worker) published(ctx context.Context) (publication, error) {
	var p publication
	if err := w.deps.Conn.QueryRow(ctx, newestSQL, clickhouse.Named("workspace", w.cfg.Workspace)).Scan(&p.newest); err != nil {
		return p, err
	}
	rows, err := w.deps.Conn.Query(ctx, publishedSQL, clickhouse.Named("workspace", w.cfg.Workspace))
	if err != nil {
		return p, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var value float64
		var text string
		if err := rows.Scan(&p.computedAt, &value, &text); err != nil {
			return p, err
		}
		var last population
		// A detail that cannot be read only means that the scores are written
		// again.
		if json.Unmarshal([]byte(text), &last) == nil {
			p.inputs, p.total, p.summary = last.Inputs, last.Summary.TotalValue, last.Summary
		}
		p.customers = int(value)
	}
	if p.newest.Before(p.computedAt) { // With too little data there are no scores.
		p.newest = p.computedAt
	}
	return p, rows.Err()
}

// publish writes the population rows in one block, which makes the rows before
// it stand: one per score with the mean, least and greatest value of all
// profiles, and the one that says everything.
func (w *Worker) publish(ctx context.Context, s *Summary, inputs string) error {
	text, err := json.Marshal(population{Inputs: inputs, Summary: *s})
	if err != nil {
		return err
	}
	var rows columns
	for _, name := range Names() {
		over := s.spread[name]
		rows.add(0, name, over.Estimate, fmt.Sprintf(`{"profiles":%d,"interval":"least and greatest"}`, over.profiles))
	}
	customers := float64(s.CustomersWithValue)
	rows.add(0, Population, lifetime.Estimate{Value: customers, Lower: customers, Upper: customers}, string(text))
	return w.insert(ctx, &rows, s)
}

// spread is the mean (Value), least and greatest of a score over profiles.
type spread struct {
	lifetime.Estimate
	profiles int
}

func (s *Summary) observe(name string, v float64) {
	over, seen := s.spread[name]
	if !seen {
		over.Lower, over.Upper = v, v
	}
	over.profiles++
	over.Value += (v - over.Value) / float64(over.profiles)
	over.Lower, over.Upper = min(over.Lower, v), max(over.Upper, v)
	s.spread[name] = over
}
