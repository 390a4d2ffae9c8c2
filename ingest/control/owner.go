package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"
)

// Partition is the owned partition of the topic. Implementation: ingest/kafka.
type Partition interface {
	Committed() (offset int64, metadata string)
	Fetch(ctx context.Context, offset int64) ([]kafka.Message, error)
	// Commit is fenced: an error may mean that another member owns the
	// partition, and the caller must stop.
	Commit(ctx context.Context, offset int64, metadata string) error
}

// Config bounds an owner.
type Config struct {
	// RetryMin and RetryMax bound the pause after something failed. Defaults
	// 100 ms and 5 s.
	RetryMin, RetryMax time.Duration
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{RetryMin: 100 * time.Millisecond, RetryMax: 5 * time.Second}
}

// Validate reports every fault of c.
func (c Config) Validate() error {
	if c.RetryMin <= 0 || c.RetryMax < c.RetryMin {
		return errors.New("control: 0 < retry min <= retry max")
	}
	return nil
}

// Deps are what an Owner needs from outside.
type Deps struct {
	Conn driver.Conn
	// Handlers apply commands, by kind.
	Handlers map[string]Handler
	Logger   *slog.Logger
	Registry prometheus.Registerer
}

// Owner applies the commands of the topic.
type Owner struct {
	cfg      Config
	deps     Deps
	commands *prometheus.CounterVec
}

// NewOwner returns an inert owner.
func NewOwner(cfg Config, deps Deps) (*Owner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	o := &Owner{cfg: cfg, deps: deps, commands: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kindred_control_commands_total", Help: "Commands applied, by kind and outcome.",
	}, []string{"kind", "outcome"})}
	if err := deps.Registry.Register(o.commands); err != nil {
		return nil, fmt.Errorf("register control metrics: %w", err)
	}
	return o, nil
}

// Own applies the commands of p until ctx ends or a commit is refused; it
// returns nil at the end of ctx and the refusal otherwise. What fails is tried
// again without end: later commands wait, because order is what they rely on.
func (o *Owner) Own(ctx context.Context, p Partition) error {
	offset, _ := p.Committed()
	for ctx.Err() == nil {
		var records []kafka.Message
		err := o.retry(ctx, "fetch commands", func() (err error) {
			records, err = p.Fetch(ctx, offset)
			return err
		})
		if err != nil {
			return ended(ctx, err)
		}
		for i := range records {
			if err := o.retry(ctx, "apply command", func() error { return o.apply(ctx, &records[i]) }); err != nil {
				return ended(ctx, err)
			}
			offset = records[i].Offset + 1
		}
		if len(records) == 0 {
			continue
		}
		if err := p.Commit(ctx, offset, ""); err != nil {
			return ended(ctx, err)
		}
	}
	return nil
}

// guard refuses to go on with a topic that was made anew: its commands would
// look like repetitions of those before at the same places, and change nothing.
func (o *Owner) guard(ctx context.Context, c *Placed) error {
	var others uint64
	err := o.deps.Conn.QueryRow(ctx, "SELECT count() FROM control_outcomes WHERE revision = ? AND command_id != ?", c.Revision, c.ID).Scan(&others)
	if err != nil {
		return fmt.Errorf("read control_outcomes: %w", err)
	}
	if others > 0 {
		return fmt.Errorf("revision %d is stored of another command: topic %s was made anew; restore it, or its commands cannot be told from those before", c.Revision, Topic)
	}
	return nil
}

// apply applies one command and writes its outcome.
func (o *Owner) apply(ctx context.Context, m *kafka.Message) error {
	c := Placed{Revision: uint64(m.Offset) + 1, Time: m.Time.UTC()}
	if err := json.Unmarshal(m.Value, &c.Command); err != nil {
		o.deps.Logger.Error("command is not readable and passed over", "offset", m.Offset)
		o.commands.WithLabelValues("unreadable", string(Refused)).Inc()
		return nil
	}
	if err := c.validate(); err != nil {
		o.deps.Logger.Error("command is not valid and passed over", "offset", m.Offset, "error", err)
		o.commands.WithLabelValues("unreadable", string(Refused)).Inc()
		return nil
	}
	if err := o.guard(ctx, &c); err != nil {
		return err
	}
	before, err := outcomeOf(ctx, o.deps.Conn, c.Workspace, c.ID, c.Revision)
	if err != nil {
		return err
	}
	if before != nil {
		o.deps.Logger.Info("command was applied before", "revision", before.Revision, "again_at", c.Revision)
		return nil
	}
	handler, known := o.deps.Handlers[c.Kind]
	result := Refuse(Refused, "kind of command is not known")
	if known {
		if result, err = handler.Apply(ctx, &c); err != nil {
			return fmt.Errorf("%s at revision %d: %w", c.Kind, c.Revision, err)
		}
	} else {
		c.Kind = "unknown"
	}
	if err := o.record(ctx, &c, result); err != nil {
		return err
	}
	o.commands.WithLabelValues(c.Kind, string(result.Verdict)).Inc()
	o.deps.Logger.Info("command applied", "kind", c.Kind, "workspace", c.Workspace, "revision", c.Revision, "actor", c.Actor, "outcome", result.Verdict)
	return nil
}

func (o *Owner) record(ctx context.Context, c *Placed, r Result) error {
	body := []byte("{}")
	if r.Body != nil {
		var err error
		if body, err = json.Marshal(r.Body); err != nil {
			return fmt.Errorf("encode result: %w", err)
		}
	}
	return Insert(ctx, o.deps.Conn, c.Token(), "control_outcomes",
		"workspace, command_id, revision, kind, subject, actor, sent_at, outcome, detail, result",
		[]any{c.Workspace, c.ID, c.Revision, c.Kind, c.Subject, c.Actor, c.Time, string(r.Verdict), r.Detail, string(body)})
}

// retry calls f until it succeeds or ctx ends.
func (o *Owner) retry(ctx context.Context, what string, f func() error) error {
	pause := o.cfg.RetryMin
	for {
		err := f()
		if err == nil || ctx.Err() != nil {
			return err
		}
		o.deps.Logger.Warn(what, "error", err, "retry_in", pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, o.cfg.RetryMax)
	}
}

// ended turns whatever happened after the end of ctx into a clean stop.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
