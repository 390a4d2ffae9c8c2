package valuation

import (
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/profiles/lifetime"
)

// Config says what is valued and how.
type Config struct {
	// Workspace whose profiles are valued. Default "main".
	Workspace string
	// Period between refreshes, or more where they take long: no more than a tenth of
	// the time goes to them. Default 10 min.
	Period time.Duration
	// Timeout bounds one refresh. Default 5 min.
	Timeout time.Duration
	// Currency to value, ISO 4217. Default "": the one with the most orders.
	Currency string
	// Lifetime configures the models; times in weeks. Default lifetime.DefaultConfig.
	Lifetime lifetime.Config
	// Choose picks the models of purchase times and of spend once a day, by
	// time-split validation within the history (lifetime.Choose); the models that
	// Lifetime names are then not regarded. Default true.
	Choose bool
	// Costs are declared costs beside those of the goods. Default none.
	Costs Costs
	// MinKnown is the least share of the revenue whose costs must be known for
	// margins to be told. Default 0.5.
	MinKnown float64
	// YearlyRate is the yearly rate of discount of the lifetime value. Default 0.1.
	YearlyRate float64
	// Margin is the share of the spend that counts as value. Default 1: the
	// value is revenue, not profit.
	Margin float64
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	terms := lifetime.DefaultTerms()
	return Config{
		Workspace: "main", Period: 10 * time.Minute, Timeout: 5 * time.Minute,
		Lifetime: lifetime.DefaultConfig(), Choose: true, MinKnown: 0.5, YearlyRate: terms.YearlyRate, Margin: terms.Margin,
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	errs := []error{c.Lifetime.Validate(), c.terms().Validate()}
	if c.Workspace == "" {
		errs = append(errs, errors.New("valuation: no workspace"))
	}
	if c.Period <= 0 || c.Timeout <= 0 {
		errs = append(errs, errors.New("valuation: period and timeout must be positive"))
	}
	if !(c.MinKnown >= 0 && c.MinKnown <= 1) {
		errs = append(errs, errors.New("valuation: the least known share of revenue must lie between 0 and 1"))
	}
	errs = append(errs, c.Costs.Validate())
	if c.Lifetime.Unit != lifetime.Week {
		errs = append(errs, errors.New("valuation: the unit of time must be the week"))
	}
	return errors.Join(errs...)
}

func (c Config) terms() lifetime.Terms {
	return lifetime.Terms{Horizon: yearWeeks, YearlyRate: c.YearlyRate, Margin: c.Margin}
}

// Deps are what a Worker needs of its surroundings; all are required.
type Deps struct {
	// Conn is a connection to Kindred's database with the right to write scores.
	Conn driver.Conn
	// Clock tells the present, the end of the data that a refresh knows.
	Clock func() time.Time
	// Logger gets one line per refresh.
	Logger *slog.Logger
	// Registerer takes the metrics.
	Registerer prometheus.Registerer
}

func (d Deps) validate() error {
	if d.Conn == nil || d.Clock == nil || d.Logger == nil || d.Registerer == nil {
		return errors.New("valuation: connection, clock, logger and registerer are required")
	}
	return nil
}
