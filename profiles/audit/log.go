package audit

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/identity"
)

// Entry is one thing that was done. It holds no value of a person but Actor.
type Entry struct {
	ID        string // 32 hexadecimal digits
	Workspace string
	Time      time.Time
	RequestID string
	KeyID     string
	KeyName   string
	Role      string
	Actor     string
	Action    string // read or change
	Method    string
	Route     string
	Resource  string // what else the path names
	Subjects  []identity.ProfileID
	Status    int // 0 where the outcome is not on record
}

// Config bounds a Log.
type Config struct {
	// Queue is the number of entries that wait to be written. Default 4096.
	Queue int
	// Block is the greatest number of entries written at once. Default 1000.
	Block int
	// Linger is how long an entry that nobody waits for may wait for others.
	// Default 500 ms.
	Linger time.Duration
	// RetryMin and RetryMax bound the pause after a block was not stored.
	// Defaults 100 ms and 5 s.
	RetryMin, RetryMax time.Duration
	// Drain bounds the last writing. Default 10 s.
	Drain time.Duration
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{Queue: 4096, Block: 1000, Linger: 500 * time.Millisecond, RetryMin: 100 * time.Millisecond, RetryMax: 5 * time.Second, Drain: 10 * time.Second}
}

// Validate reports every fault of c.
func (c Config) Validate() error {
	if c.Queue < 1 || c.Block < 1 || c.Linger <= 0 || c.RetryMin <= 0 || c.RetryMax < c.RetryMin || c.Drain <= 0 {
		return errors.New("audit: queue, block and times must be positive, and retry min at most retry max")
	}
	return nil
}

// Log writes and reads the record. It is safe for concurrent use; Run must run for
// anything to be written.
type Log struct {
	cfg     Config
	conn    driver.Conn
	log     *slog.Logger
	queue   chan waiting
	written *prometheus.CounterVec
}

// waiting is an entry in the queue.
type waiting struct {
	entry    Entry
	complete bool
	stored   chan struct{} // closed when it is; nil where nobody waits
}

// New returns an inert log.
func New(cfg Config, conn driver.Conn, log *slog.Logger, registry prometheus.Registerer) (*Log, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	l := &Log{cfg: cfg, conn: conn, log: log, queue: make(chan waiting, cfg.Queue), written: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kindred_audit_rows_total", Help: "Rows of the audit log, by whether they were stored (stored), failed and are tried again (retried), or were given up at the end of the process (lost).",
	}, []string{"outcome"})}
	if err := registry.Register(l.written); err != nil {
		return nil, fmt.Errorf("register audit metrics: %w", err)
	}
	return l, nil
}

// Begin stores an entry without an outcome, and returns when it is stored. An error
// means that it may not be.
func (l *Log) Begin(ctx context.Context, e Entry) error {
	w := waiting{entry: e, stored: make(chan struct{})}
	if err := l.put(ctx, w); err != nil {
		return err
	}
	select {
	case <-w.stored:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("store audit entry: %w", ctx.Err())
	}
}

// Note queues an entry with its outcome, and waits while the queue is full.
func (l *Log) Note(ctx context.Context, e Entry) error {
	return l.put(ctx, waiting{entry: e, complete: true})
}

func (l *Log) put(ctx context.Context, w waiting) error {
	select {
	case l.queue <- w:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("queue audit entry: %w", ctx.Err())
	}
}

// Run writes until ctx ends, and then what is left.
func (l *Log) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return l.drain(ctx)
		case w := <-l.queue:
			b := block{newToken(), l.collect(ctx, w)}
			if !l.store(ctx, b) {
				return l.drain(ctx, b)
			}
		}
	}
}

// collect takes what else is queued: all that is there, and, while nobody waits for
// the block, what comes within the time to linger.
func (l *Log) collect(ctx context.Context, first waiting) []waiting {
	rows, awaited := []waiting{first}, first.stored != nil
	linger := time.NewTimer(l.cfg.Linger)
	defer linger.Stop()
	for len(rows) < l.cfg.Block {
		select {
		case w := <-l.queue:
			rows, awaited = append(rows, w), awaited || w.stored != nil
			continue
		default:
		}
		if awaited {
			break
		}
		select {
		case w := <-l.queue:
			rows, awaited = append(rows, w), w.stored != nil
		case <-linger.C:
			return rows
		case <-ctx.Done():
			return rows
		}
	}
	return rows
}

// store writes a block, again and again until it is stored; false at the end of ctx.
func (l *Log) store(ctx context.Context, b block) bool {
	pause := l.cfg.RetryMin
	for {
		err := l.insert(ctx, b)
		if err == nil {
			l.written.WithLabelValues("stored").Add(float64(len(b.rows)))
			for _, w := range b.rows {
				if w.stored != nil {
					close(w.stored)
				}
			}
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		l.written.WithLabelValues("retried").Add(float64(len(b.rows)))
		l.log.Warn("write audit log", "rows", len(b.rows), "error", err, "retry_in", pause)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
		pause = min(2*pause, l.cfg.RetryMax)
	}
}

// drain writes what is left once the requests have ended: the block that was cut
// off, under its own token, because it may be stored already, and the queue.
func (l *Log) drain(ctx context.Context, cut ...block) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.cfg.Drain)
	defer cancel()
	for {
		if len(cut) == 0 {
			rows := l.queued()
			if len(rows) == 0 {
				return nil
			}
			cut = []block{{newToken(), rows}}
		}
		if !l.store(ctx, cut[0]) {
			lost := len(cut[0].rows) + len(l.queue)
			l.written.WithLabelValues("lost").Add(float64(lost))
			return fmt.Errorf("%d rows of the audit log could not be stored within %s", lost, l.cfg.Drain)
		}
		cut = nil
	}
}

// queued takes what is in the queue, a block at most.
func (l *Log) queued() (rows []waiting) {
	for len(rows) < l.cfg.Block {
		select {
		case w := <-l.queue:
			rows = append(rows, w)
			continue
		default:
		}
		break
	}
	return rows
}

// block are rows that are stored together, once however often they are inserted
// under their token.
type block struct {
	token string
	rows  []waiting
}

func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // Never fails: crypto/rand ends the process instead.
	return "audit/" + hex.EncodeToString(b[:])
}

func (l *Log) insert(ctx context.Context, b block) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"insert_deduplicate": 1, "insert_deduplication_token": b.token, "async_insert": 0,
	}))
	batch, err := l.conn.PrepareBatch(ctx, `INSERT INTO audit_log
		(workspace, time, entry_id, complete, request_id, key_id, key_name, role, actor, action, method, route, resource, subjects, status)`)
	if err != nil {
		return fmt.Errorf("insert audit_log: %w", err)
	}
	defer func() { _ = batch.Close() }()
	for _, w := range b.rows {
		e := w.entry
		subjects := make([]uint64, len(e.Subjects))
		for i, s := range e.Subjects {
			subjects[i] = uint64(s)
		}
		if err := batch.Append(e.Workspace, e.Time, e.ID, w.complete, e.RequestID, e.KeyID, e.KeyName, e.Role, e.Actor, e.Action, e.Method, e.Route, e.Resource, subjects, uint16(e.Status)); err != nil {
			return fmt.Errorf("insert audit_log: %w", err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("insert audit_log: %w", err)
	}
	return nil
}
