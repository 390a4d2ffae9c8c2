package venues

import (
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
)

// Config says whose fixes are judged, how often, and how.
type Config struct {
	// Workspace whose fixes get venues. Default "main".
	Workspace string
	// Period between looks for new fixes and for another venue table. Default 4.7 s: no
	// other worker's, for all at once would hold up who reads profiles.
	Period time.Duration
	// Refresh is the time after which the popularity is learned again and every
	// fix judged again. Default 1 h.
	Refresh time.Duration
	// Overlap is how long before the latest fix seen a look begins, because fixes
	// are stored out of order. What comes later still waits for the refresh.
	// Default 2 min.
	Overlap time.Duration
	// Timeout bounds one look or refresh. Default 10 min.
	Timeout time.Duration
	// Batch is how many fixes are read and written at a time. Default 50 000.
	Batch int
	// Sample bounds the fixes from which the popularity is learned. Default 200 000.
	Sample int
	// Venues bounds the venue table, about 100 bytes each. Default 2 000 000.
	Venues int
	// DefaultAccuracy stands where a fix names none, in metres. Default 30.
	DefaultAccuracy float64
	// LeastAccuracy is the best that a fix is believed, in metres. Default 5.
	LeastAccuracy float64
	// Reach is the greatest distance from a venue's rim at which it is looked at,
	// in metres. Default 500.
	Reach float64
	// Nowhere is the density of visits at no venue, in fixes per square metre: the
	// greater, the nearer a venue must be. Default 1e-6.
	Nowhere float64
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		Workspace: "main", Period: 4700 * time.Millisecond, Refresh: time.Hour, Overlap: 2 * time.Minute, Timeout: 10 * time.Minute,
		Batch: 50_000, Sample: 200_000, Venues: 2_000_000,
		DefaultAccuracy: 30, LeastAccuracy: 5, Reach: 500, Nowhere: 1e-6,
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var errs []error
	if c.Workspace == "" {
		errs = append(errs, errors.New("venues: no workspace"))
	}
	if c.Period <= 0 || c.Refresh < c.Period || c.Timeout <= 0 || c.Overlap < 0 {
		errs = append(errs, errors.New("venues: period, refresh (no shorter than the period) and timeout must be positive"))
	}
	if c.Batch <= 0 || c.Sample <= 0 || c.Venues <= 0 {
		errs = append(errs, errors.New("venues: batch, sample and venues must be positive"))
	}
	if !(c.LeastAccuracy > 0) || !(c.DefaultAccuracy >= c.LeastAccuracy) || !(c.Reach > 0 && c.Reach <= 5000) || !(c.Nowhere > 0) {
		errs = append(errs, errors.New("venues: accuracies, reach (at most 5000 m) and nowhere must be positive"))
	}
	return errors.Join(errs...)
}

// Deps are what a Worker needs from outside.
type Deps struct {
	Conn       driver.Conn // default database: Kindred's
	Clock      func() time.Time
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

func (d Deps) validate() error {
	if d.Conn == nil || d.Clock == nil || d.Logger == nil || d.Registerer == nil {
		return errors.New("venues: a connection, a clock, a logger and a registerer are required")
	}
	return nil
}
