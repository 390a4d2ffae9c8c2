package scoring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/nextproduct"
)

// Score is the name of the score.
const Score = "next_product"

// Config says what is foretold and when.
type Config struct {
	// Workspace whose customers are told of. Default "main".
	Workspace string
	// Daily is the time between rankings that stand, Retry that after a refusal. Default
	// 24 h and 10 min.
	Daily, Retry time.Duration
	// Timeout bounds one refresh. Default 10 min.
	Timeout time.Duration
	// Top is the number of products that are told of each customer. Default 5.
	Top int
	// Model configures the ranking.
	Model nextproduct.Config
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{Workspace: "main", Daily: 24 * time.Hour, Retry: 10 * time.Minute, Timeout: 10 * time.Minute, Top: 5, Model: nextproduct.DefaultConfig()}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	errs := []error{c.Model.Validate()}
	if c.Workspace == "" || c.Daily <= 0 || c.Retry <= 0 || c.Timeout <= 0 {
		errs = append(errs, errors.New("next products: workspace, daily, retry and timeout are required"))
	}
	if c.Top < 1 || c.Top > 50 {
		errs = append(errs, errors.New("next products: 1 to 50 are told"))
	}
	return errors.Join(errs...)
}

// Deps are what a Worker needs of its surroundings; all are required.
type Deps struct {
	Conn   driver.Conn
	Clock  func() time.Time
	Logger *slog.Logger
}

// Worker ranks the products of one workspace. One refresh runs at a time.
type Worker struct {
	cfg  Config
	deps Deps
}

// New returns a worker that does nothing yet.
func New(cfg Config, deps Deps) (*Worker, error) {
	if deps.Conn == nil || deps.Clock == nil || deps.Logger == nil {
		return nil, errors.New("next products: connection, clock and logger are required")
	}
	return &Worker{cfg, deps}, cfg.Validate()
}

// Summary says what a refresh did; it is the detail of the row of profile 0.
type Summary struct {
	AsOf      time.Time `json:"as_of"`
	Customers int       `json:"customers"`
	Products  int       `json:"products"`
	Scored    int       `json:"scored"`
	// Refused says why there are no scores.
	Refused string `json:"refused,omitempty"`
	// Report is how good the ranking was on the last horizon.
	Report *nextproduct.Report `json:"report,omitempty"`
}

// Run refreshes when it is due, until ctx ends. A refresh that fails is logged, and the
// scores before it stand. It returns nil when ctx has ended.
func (w *Worker) Run(ctx context.Context) error {
	ticker := time.NewTicker(w.cfg.Retry)
	defer ticker.Stop()
	for {
		if err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.deps.Logger.Error("next products", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Look refreshes where nothing was told, or judged, within the last day.
func (w *Worker) Look(ctx context.Context) error {
	at, last, err := w.published(ctx)
	if err != nil {
		return err
	}
	// Of too little data there may soon be more; what is no better is not by the hour.
	judged := last != nil && last.Report != nil
	if now := w.deps.Clock(); judged && now.Sub(at) < w.cfg.Daily {
		return nil
	}
	_, err = w.Refresh(ctx)
	return err
}

// Refresh reads, learns, judges and writes once, and returns what it did. Too little
// data is no error.
func (w *Worker) Refresh(ctx context.Context) (Summary, error) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	at, last, err := w.published(ctx)
	if err != nil {
		return Summary{}, err
	}
	now := w.deps.Clock().UTC().Truncate(time.Millisecond)
	s := Summary{AsOf: now}
	h, err := w.read(ctx, now)
	if err != nil {
		return s, err
	}
	s.Customers, s.Products = len(h.profiles), len(h.ids)
	until := int(now.Unix() / 86400)
	m, err := nextproduct.Fit(h.baskets, len(h.ids), until, w.cfg.Model)
	switch {
	case errors.Is(err, nextproduct.ErrNotEnoughData):
		s.Refused = err.Error()
	case err != nil:
		return s, err
	case !m.Report.Better:
		s.Report = &m.Report
		s.Refused = fmt.Sprintf("the ranking is not better than the simple ones: NDCG at 10 higher by %.4f, standard error %.4f", m.Report.Gain, m.Report.StandardError)
	default:
		s.Report = &m.Report
	}
	if s.Report == nil && last != nil && last.Refused != "" {
		return s, nil // Nothing stands that would have to be withdrawn.
	}
	// Later than what stands, whatever the clock does.
	computed := now
	if earliest := at.Add(time.Millisecond); computed.Before(earliest) {
		computed = earliest
	}
	if s.Refused == "" {
		if s.Scored, err = w.write(ctx, h, m, now, computed); err != nil {
			return s, fmt.Errorf("insert next products: %w", profilestore.Concise(err))
		}
	}
	text, err := json.Marshal(s)
	if err != nil {
		return s, err
	}
	r := rows{}
	r.add(0, float64(s.Scored), string(text))
	if err := w.insert(ctx, &r, now, computed); err != nil {
		return s, fmt.Errorf("publish next products: %w", profilestore.Concise(err))
	}
	w.deps.Logger.Info("next products", "workspace", w.cfg.Workspace, "customers", s.Customers, "products", s.Products, "scored", s.Scored,
		"refused", s.Refused, "seconds", w.deps.Clock().Sub(now).Seconds())
	return s, nil
}

const publishedSQL = `SELECT computed_at, detail FROM scores
WHERE workspace = {workspace:String} AND profile_id = 0 AND score = '` + Score + `'
ORDER BY computed_at DESC LIMIT 1`

// published reads what the last refresh said; nil where there was none.
func (w *Worker) published(ctx context.Context) (at time.Time, s *Summary, err error) {
	found, err := w.deps.Conn.Query(ctx, publishedSQL, clickhouse.Named("workspace", w.cfg.Workspace))
	if err != nil {
		return at, nil, fmt.Errorf("read next products: %w", profilestore.Concise(err))
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		var text string
		if err := found.Scan(&at, &text); err != nil {
			return at, nil, fmt.Errorf("read next products: %w", profilestore.Concise(err))
		}
		s = &Summary{}
		if err := json.Unmarshal([]byte(text), s); err != nil {
			s.Refused = "" // Unreadable: what stands is withdrawn or written again.
		}
	}
	return at, s, profilestore.Concise(found.Err())
}
