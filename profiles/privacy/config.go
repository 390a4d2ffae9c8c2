package privacy

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
)

// Config bounds the worker.
type Config struct {
	// Poll is how often it looks for erasures. Default 4.3 s: no other worker's, for all
	// at once would hold up who reads profiles.
	Poll time.Duration
	// BatchWait is how long the first of a batch waits for others: a rewriting costs
	// the same for one person and for a thousand. Default 1 min.
	BatchWait time.Duration
	// MaxBatch is the greatest number of erasures of one rewriting. Default 1 000.
	MaxBatch int
	// Watch is how long after an erasure rows that came late, such as those of a
	// process that was paused, are looked for again. Default 8 days, a day more than
	// Kafka keeps events.
	Watch time.Duration
	// WatchEvery is how often that is done. Default 6 h.
	WatchEvery time.Duration
	// FileWait is how long it waits for the engine to remove the files of before, which
	// it keeps for some eight minutes; a certificate says whether they were gone.
	// Default 20 min.
	FileWait time.Duration
	// Retention is for how long events and the audit log are kept. Default for ever.
	Retention Retention
	// Cluster is the name of the cluster, empty for one server.
	Cluster string
	// KafkaRetention is how long Kafka keeps what was sent. Default 7 days.
	KafkaRetention time.Duration
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	const day = 24 * time.Hour
	return Config{
		Poll: 4300 * time.Millisecond, BatchWait: time.Minute, MaxBatch: 1000, FileWait: 20 * time.Minute, Watch: 8 * day, WatchEvery: 6 * time.Hour, KafkaRetention: 7 * day,
	}
}

// Validate reports every fault of c.
func (c Config) Validate() error {
	if c.Poll <= 0 || c.BatchWait < 0 || c.MaxBatch < 1 || c.Watch < 0 || c.WatchEvery <= 0 || c.KafkaRetention < 0 {
		return errors.New("privacy: poll, the size of a batch and watch every must be positive, and the other times not negative")
	}
	return nil
}

// Deps are what a Worker needs. All but Changed and Recipients are required.
type Deps struct {
	Conn driver.Conn
	// Key signs certificates; see SigningKey.
	Key        ed25519.PrivateKey
	Clock      func() time.Time
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// Changed is told the workspace of which rows were taken away, "" for all, so that
	// what was derived from them is looked at again.
	Changed func(workspace string)
	// Recipients, when set, is asked who was told of somebody, before the rows of it go.
	Recipients Recipients
}

// Gone is a person that was erased: the profiles, by all ids that they ever had.
type Gone struct {
	Erasure  string // id of the command
	At       time.Time
	Profiles []identity.ProfileID
}

// Recipients are those outside who were told of people.
type Recipients interface {
	// Erased has all of them told who is gone, and returns of how many profiles each one
	// was told. It may be called again for the same person, and then says the same.
	Erased(ctx context.Context, workspace string, gone Gone, now time.Time) (map[string]uint64, error)
}

func (d Deps) validate() error {
	if d.Conn == nil || len(d.Key) != ed25519.PrivateKeySize || d.Clock == nil || d.Logger == nil || d.Registerer == nil {
		return errors.New("privacy: a required dependency is missing")
	}
	return nil
}

// Erasure is an erasure that the identity role has applied.
type Erasure struct {
	Workspace string
	ID        string // of the command
	ErasedAt  time.Time
	// Received is when the command came; Epoch and Sequence are the version of the
	// reading that shows it.
	Received        time.Time
	Epoch, Sequence uint64
	Profile         identity.ProfileID
}
