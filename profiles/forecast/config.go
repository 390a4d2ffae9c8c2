package forecast

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/propensity"
)

// Config says how models are trained and how often they score.
type Config struct {
	// Beat is the time between looks at what is to be done. Default 5.3 s: no other
	// worker's, for all at once would hold up who reads profiles.
	Beat time.Duration
	// Daily is the time between whole runs. Default 24 h.
	Daily time.Duration
	// Retry is the time after a training that found too little, or failed. Default 24 h.
	Retry time.Duration
	// Timeout bounds one training, and one whole run. Default 1 h.
	Timeout time.Duration
	// Moments is the greatest number of moments that examples are of. Default 6.
	Moments int
	// MaxRows is the greatest number of examples of one moment. Default 25 000.
	MaxRows int
	// Pause is the least time between two looks at changed profiles where a model is of the
	// members of a segment: who they are is asked of everybody. Default 30 s.
	Pause time.Duration
	// MaxChanged is how many changed profiles one look scores. Default 5 000.
	MaxChanged int
	// Reasons is the number of reasons that a score tells. Default 3.
	Reasons int
	// Propensity configures the models. Default propensity.DefaultConfig.
	Propensity propensity.Config
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		Beat: 5300 * time.Millisecond, Daily: 24 * time.Hour, Retry: 24 * time.Hour, Timeout: time.Hour,
		Moments: 6, MaxRows: 25_000, Pause: 30 * time.Second, MaxChanged: 5_000, Reasons: 3, Propensity: propensity.DefaultConfig(),
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	errs := []error{c.Propensity.Validate()}
	if c.Beat <= 0 || c.Pause < 0 || c.Daily <= 0 || c.Retry <= 0 || c.Timeout <= 0 {
		errs = append(errs, errors.New("forecast: beat, daily, retry and timeout must be positive, pause not negative"))
	}
	if c.Moments < leastMoments || c.MaxRows < 100 || c.MaxChanged < 1 || c.Reasons < 0 {
		errs = append(errs, errors.New("forecast: moments must be 3 or more, max rows 100 or more, max changed 1 or more, reasons not negative"))
	}
	return errors.Join(errs...)
}

// Deps are what a Worker needs of its surroundings; all are required but Scored.
type Deps struct {
	// Conn is a connection to Kindred's database with the right to write models and scores.
	Conn driver.Conn
	// Features reads what was known of profiles.
	Features *features.Reader
	// Eligible returns the present ids of the profiles for which a segment definition holds
	// at a moment.
	Eligible func(ctx context.Context, workspace string, definition json.RawMessage, at time.Time) (map[identity.ProfileID]bool, error)
	// Scored is told of profiles that have new scores, but after whole runs. May be nil.
	Scored func(workspace string, ids []identity.ProfileID)
	// Clock tells the present.
	Clock func() time.Time
	// Logger gets a line per training and whole run.
	Logger *slog.Logger
	// Registerer takes the metrics.
	Registerer prometheus.Registerer
}

func (d Deps) validate() error {
	if d.Conn == nil || d.Features == nil || d.Eligible == nil || d.Clock == nil || d.Logger == nil || d.Registerer == nil {
		return errors.New("forecast: connection, features, eligible, clock, logger and registerer are required")
	}
	return nil
}
