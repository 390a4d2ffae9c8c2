package sql

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
)

// Config bounds what one preview may cost.
type Config struct {
	// Rules are the survivorship rules of traits.
	Rules profiles.Rules
	// MaxExecution bounds each query on the server. Default 10 s.
	MaxExecution time.Duration
	// MaxMemory bounds the memory of each query in bytes. Default 2 GiB.
	MaxMemory int64
	// MaxRows is how many rows a definition may read, by its estimate; 0 is any number.
	// Default 1 000 million.
	MaxRows uint64
	// Looked is how many members, and how many others, insights look at where there are
	// more. Default 10 000.
	Looked int
	// TotalAge is how long the number of all profiles is reused at least: counting them
	// costs as much as a simple preview. Where that takes long it is reused a hundred
	// times as long, so that it costs a hundredth of the time. Default 5 s.
	TotalAge time.Duration
	// Library gives the segments that definitions name; without it there are none.
	Library segments.Library
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{Rules: profiles.DefaultRules(), MaxExecution: 10 * time.Second, MaxMemory: 2 << 30, TotalAge: 5 * time.Second, Looked: 10_000, MaxRows: 1_000_000_000}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	errs := []error{c.Rules.Validate()}
	if c.MaxExecution < time.Second || c.MaxMemory < 1<<20 || c.TotalAge < 0 || c.Looked < segments.MinInsight {
		errs = append(errs, errors.New("segments: max execution must be a second and max memory a mebibyte, or more, the age of totals not negative, and insights of ten people or more"))
	}
	return errors.Join(errs...)
}

// Previewer runs definitions against ClickHouse. It is safe for concurrent use.
type Previewer struct {
	cfg  Config
	conn driver.Conn
	now  func() time.Time

	mu       sync.Mutex // Protects totals, names and measured.
	totals   map[string]total
	names    map[string]vocabulary
	measured map[[2]string]size // by workspace and table
}

// total is the number of all profiles of a workspace at a time.
type total struct {
	profiles uint64
	at       time.Time
	took     time.Duration
}

var _ segments.Previewer = (*Previewer)(nil)

// New returns a Previewer on conn, whose default database is Kindred's. now is
// the clock of relative windows.
func New(cfg Config, conn driver.Conn, now func() time.Time) (*Previewer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Previewer{cfg: cfg, conn: conn, now: now, totals: map[string]total{}, names: map[string]vocabulary{}, measured: map[[2]string]size{}}, nil
}

// Preview implements segments.Previewer.
func (p *Previewer) Preview(ctx context.Context, workspace string, d segments.Definition, sample int) (*segments.Preview, error) {
	// Times are stored in milliseconds, and so must now be to be repeatable.
	now := p.now().UTC().Truncate(time.Millisecond)
	written := d
	d, err := segments.Resolve(ctx, p.cfg.Library, workspace, "", d)
	if err != nil {
		return nil, err
	}
	estimate, err := p.estimate(ctx, workspace, written, d)
	if err != nil {
		return nil, err
	}
	reading, err := warehouse.ReadingNow(p.bound(ctx), p.conn, workspace)
	if err != nil {
		return nil, fmt.Errorf("preview segment: %w", failure(err))
	}
	q, err := Compile(d, p.cfg.Rules, workspace, now, reading)
	if err != nil {
		return nil, err
	}
	// The least ids are a sample: ids are hashes. groupArraySorted takes its
	// size as a constant, not as a parameter.
	q.SQL = "SELECT count(), groupArraySorted(" + strconv.Itoa(max(sample, 1)) + ")(profile_id)\nFROM (\n" + indent(q.SQL) + "\n)"
	result := &segments.Preview{AsOf: now, Estimate: *estimate, SQL: q.SQL, Parameters: q.Parameters, QueryID: newQueryID()}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.members(groupCtx, q, sample, result) })
	group.Go(func() (err error) {
		result.Profiles, err = p.total(groupCtx, workspace, reading)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("preview segment: %w", err)
	}
	if result.Count > result.Profiles { // Some came since all were counted.
		p.forget(workspace)
		all, err := p.total(ctx, workspace, reading)
		if err != nil {
			return nil, fmt.Errorf("preview segment: %w", err)
		}
		result.Profiles = max(all, result.Count) // Some may have gone again.
	}
	return result, nil
}

// members runs the query and fills in what it tells and what it cost.
func (p *Previewer) members(ctx context.Context, q Query, sample int, result *segments.Preview) error {
	var rows, bytes atomic.Uint64
	ctx = clickhousego.Context(p.bound(ctx), clickhousego.WithQueryID(result.QueryID),
		clickhousego.WithParameters(clickhousego.Parameters(q.Parameters)),
		clickhousego.WithProgress(func(progress *clickhousego.Progress) {
			rows.Add(progress.Rows)
			bytes.Add(progress.Bytes)
		}))
	var ids []uint64
	start := p.now()
	if err := p.conn.QueryRow(ctx, q.SQL).Scan(&result.Count, &ids); err != nil {
		return failure(err)
	}
	result.Elapsed = p.now().Sub(start)
	result.RowsRead, result.BytesRead = rows.Load(), bytes.Load()
	for _, id := range ids[:min(sample, len(ids))] {
		result.Sample = append(result.Sample, identity.ProfileID(id))
	}
	return nil
}

// total counts the profiles of a workspace, or remembers having counted them.
func (p *Previewer) total(ctx context.Context, workspace string, reading warehouse.Reading) (uint64, error) {
	now := p.now()
	p.mu.Lock()
	known, ok := p.totals[workspace]
	p.mu.Unlock()
	if ok && now.Sub(known.at) < max(p.cfg.TotalAge, min(100*known.took, 12*p.cfg.TotalAge)) {
		return known.profiles, nil
	}
	counted := total{at: now}
	row := p.conn.QueryRow(p.bound(ctx), "SELECT count() FROM ("+everybodySQL(reading)+")", reading.Args(clickhousego.Named("workspace", workspace))...)
	if err := row.Scan(&counted.profiles); err != nil {
		return 0, failure(err)
	}
	counted.took = p.now().Sub(now)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.totals[workspace] = counted
	return counted.profiles, nil
}

// forget has total count again.
func (p *Previewer) forget(workspace string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.totals, workspace)
}

func (p *Previewer) bound(ctx context.Context) context.Context {
	return clickhousego.Context(ctx, clickhousego.WithSettings(clickhousego.Settings{
		"max_execution_time": int(p.cfg.MaxExecution / time.Second),
		"max_memory_usage":   p.cfg.MaxMemory,
		"readonly":           2,
	}))
}

// failure turns the limits of a preview into ErrTooExpensive and takes bound
// values out of the server's messages.
func failure(err error) error {
	err = clickhouse.Concise(err)
	var f *clickhouse.Failure
	if errors.As(err, &f) {
		switch f.Code {
		case codeTimeout, codeTooSlow, codeMemory:
			return fmt.Errorf("%w: %w", segments.ErrTooExpensive, err)
		}
	}
	return err
}

// Codes of the server's limits.
const (
	codeTimeout = 159
	codeTooSlow = 160
	codeMemory  = 241
)

func newQueryID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // Never fails.
	return hex.EncodeToString(b[:])
}
