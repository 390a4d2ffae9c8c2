package matching

import (
	"context"
	"crypto/cipher"
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
)

// Config says whose records are compared, by what, and how often.
type Config struct {
	// Workspace whose records they are. Default "main".
	Workspace string
	// Fields are what records say. Default DefaultFields.
	Fields []Field
	// Period between looks for what is new. Default 1 s.
	Period time.Duration
	// Calm bounds the period after looks that found nothing: each doubles it. A look
	// reads when every trait was received. Default 8 s.
	Calm time.Duration
	// Overlap is how long before the newest trait seen a look begins, because
	// traits are stored out of order. What comes later still is noticed by its
	// number and makes the worker read everything. Default 1 min.
	Overlap time.Duration
	// Reload is the time after which everything is read again and compared with
	// the ledger's scores: erasures show then. Default 1 h.
	Reload time.Duration
	// Rest is the least time between two readings of everything; it is five times
	// what the last one took, if that is more. Default 10 s.
	Rest time.Duration
	// Timeout bounds one look, and one reading of everything. Default 30 min.
	Timeout time.Duration
	// MaxRecords bounds the records that are held, about 700 bytes each (BenchmarkPut). Beyond it
	// nothing is scored, and the log says so. Default 1 000 000.
	MaxRecords int
	// Budget is the number of pairs that learning may compare; 0 leaves it to
	// linkage.Options. Default 0.
	Budget int
	// Workers is the number of goroutines that learn, 0 for one per processor.
	// Default 0.
	Workers int
	// Seed makes the samples of learning. Default 1.
	Seed uint64
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		Workspace: "main", Fields: DefaultFields(), Period: time.Second, Calm: 8 * time.Second, Overlap: time.Minute, Reload: time.Hour,
		Rest: 10 * time.Second, Timeout: 30 * time.Minute, MaxRecords: 1_000_000, Seed: 1,
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	errs := []error{validateFields(c.Fields)}
	if c.Workspace == "" {
		errs = append(errs, errors.New("matching: no workspace"))
	}
	if c.Period <= 0 || c.Overlap < 0 || c.Reload < c.Period || c.Rest < 0 || c.Timeout <= 0 {
		errs = append(errs, errors.New("matching: period, reload (no shorter than the period) and timeout must be positive, overlap and rest not negative"))
	}
	if c.MaxRecords <= 0 || c.Budget < 0 || c.Workers < 0 {
		errs = append(errs, errors.New("matching: max records must be positive, budget and workers not negative"))
	}
	return errors.Join(errs...)
}

// Publisher takes what the ledger is to know. Both methods return when all of it
// is acknowledged, and are harmless to call again.
type Publisher interface {
	PublishEvidence(ctx context.Context, all []identity.Evidence) error
	PublishLinks(ctx context.Context, workspace string, batch identity.Links) error
}

// Rules are those of identity that matter here.
type Rules struct {
	// Model is the version of the model whose scores count, "" for none.
	Model string
	// Review and Link are the thresholds, in hundredths of a bit.
	Review, Link int64
}

// Deps are what a Job and a Worker need from outside.
type Deps struct {
	Conn      driver.Conn // default database: Kindred's
	Publisher Publisher
	// Rules returns those in force in a workspace.
	Rules func(ctx context.Context, workspace string) (Rules, error)
	Keyer func(workspace string) identity.Keyer
	// Seal encrypts models in the table.
	Seal       cipher.AEAD
	Clock      func() time.Time
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil for none
}

func (d Deps) validate() error {
	if d.Conn == nil || d.Publisher == nil || d.Rules == nil || d.Keyer == nil || d.Seal == nil || d.Clock == nil || d.Logger == nil {
		return errors.New("matching: a connection, a publisher, rules, a keyer, a seal, a clock and a logger are required")
	}
	return nil
}
