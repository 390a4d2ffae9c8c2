package grouping

import (
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/profiles/lifecycle"
	"github.com/kindred-cdp/kindred/profiles/personas"
)

// Config says what is grouped and how.
type Config struct {
	// Workspace whose profiles are grouped. Default "main".
	Workspace string
	// Period between refreshes. Default 10 min.
	Period time.Duration
	// Timeout bounds one refresh. Default 10 min.
	Timeout time.Duration
	// Refit is the age at which the model of personas is fitted again. Default 24 h.
	Refit time.Duration
	// Topics is the number of topics of support contacts that are features, the most
	// frequent ones. Default 3.
	Topics int
	// Personas configures the model. Default personas.DefaultConfig.
	Personas personas.Config
	// Stages are the rules of the lifecycle. Default lifecycle.DefaultRules.
	Stages lifecycle.Rules
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		Workspace: "main", Period: 10 * time.Minute, Timeout: 10 * time.Minute, Refit: 24 * time.Hour, Topics: 3,
		Personas: personas.DefaultConfig(), Stages: lifecycle.DefaultRules(),
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	errs := []error{c.Personas.Validate(), c.Stages.Validate()}
	if c.Workspace == "" {
		errs = append(errs, errors.New("grouping: no workspace"))
	}
	if c.Period <= 0 || c.Timeout <= 0 || c.Refit <= 0 {
		errs = append(errs, errors.New("grouping: period, timeout and refit must be positive"))
	}
	if c.Topics < 0 || c.Topics > 20 {
		errs = append(errs, errors.New("grouping: the number of topics must be 0 to 20"))
	}
	return errors.Join(errs...)
}

// Deps are what a Worker needs of its surroundings; all are required.
type Deps struct {
	// Conn is a connection to Kindred's database with the right to write.
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
		return errors.New("grouping: connection, clock, logger and registerer are required")
	}
	return nil
}
