package matching

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// ledgerOf is a workspace whose ledger stores what is published at once, as the
// identity role does a moment later.
type ledgerOf struct {
	t     *testing.T
	conn  driver.Conn
	world *clickhousetest.World
	cfg   Config
	rules Rules
	clock time.Time

	mu       sync.Mutex // Protects the fields below.
	fails    bool
	tied     []identity.Evidence
	untied   []string // records that were scored above the review threshold before they were tied
	evidence map[identity.Key]bool
	batches  int
}

var errLedger = errors.New("no leader")

func newLedger(t *testing.T) *ledgerOf {
	t.Helper()
	conn := warehousetest.NewTestDatabase(t)
	l := &ledgerOf{
		t: t, conn: conn, world: clickhousetest.New(t, conn, "main"), cfg: DefaultConfig(), rules: Rules{Review: 200, Link: 700},
		clock: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC), evidence: map[identity.Key]bool{},
	}
	l.cfg.Workers, l.cfg.Reload = 1, 1000*time.Hour // What following misses shall show.
	return l
}

// deps are those of jobs and workers of the ledger.
func (l *ledgerOf) deps() Deps {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		l.t.Fatal(err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		l.t.Fatal(err)
	}
	return Deps{
		Conn: l.conn, Publisher: l, Keyer: func(string) identity.Keyer { return l.world.Keyer }, Seal: seal,
		Rules: func(context.Context, string) (Rules, error) { return l.rules, nil },
		Clock: func() time.Time { l.clock = l.clock.Add(time.Millisecond); return l.clock }, Logger: slog.New(slog.DiscardHandler),
	}
}

func (l *ledgerOf) job() *Job {
	l.t.Helper()
	j, err := NewJob(l.cfg, l.deps())
	if err != nil {
		l.t.Fatal(err)
	}
	return j
}

func (l *ledgerOf) worker() *Worker {
	l.t.Helper()
	w, err := NewWorker(l.cfg, l.deps())
	if err != nil {
		l.t.Fatal(err)
	}
	return w
}

// run runs a job and names its model.
func (l *ledgerOf) run(keep string) *Report {
	l.t.Helper()
	r, err := l.job().Run(l.t.Context(), keep, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	l.rules.Model = r.Model.Version
	return r
}

func (l *ledgerOf) look(w *Worker) int {
	l.t.Helper()
	n, err := w.Look(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

// PublishEvidence implements Publisher.
func (l *ledgerOf) PublishEvidence(ctx context.Context, all []identity.Evidence) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails {
		return errLedger
	}
	for _, e := range all {
		l.tied = append(l.tied, e)
		for _, m := range e.Members {
			l.evidence[m.Key] = true
			err := l.conn.Exec(ctx, "INSERT INTO identifiers (workspace, identifier_id, source, period, namespace, value) VALUES (?, ?, ?, ?, ?, ?)",
				e.Workspace, uint64(m.Key), e.Source, int32(e.Period), string(m.Namespace), m.Value)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// PublishLinks implements Publisher.
func (l *ledgerOf) PublishLinks(ctx context.Context, workspace string, b identity.Links) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails {
		return errLedger
	}
	b.Workspace = workspace
	if err := b.Validate(); err != nil {
		return err
	}
	batch, err := l.conn.PrepareBatch(ctx, "INSERT INTO record_links (workspace, model_version, record_a, record_b, weight, scored_at)")
	if err != nil {
		return err
	}
	for _, p := range b.Pairs {
		x, y := l.key(p.A), l.key(p.B)
		if sum := sumOf(p.Contributions); p.Weight != identity.Unsupported && (sum < p.Weight-20 || sum > p.Weight+20) {
			return fmt.Errorf("%d contributions sum to %d, the weight is %d", len(p.Contributions), sum, p.Weight)
		}
		for _, id := range [2]string{p.A, p.B} {
			if p.Weight >= l.rules.Review && !isRecord(identity.Identifier{Namespace: identity.Record, Value: id}) && !l.evidence[l.key(id)] {
				l.untied = append(l.untied, id)
			}
		}
		if err := batch.Append(workspace, b.Model, uint64(min(x, y)), uint64(max(x, y)), int32(p.Weight), time.UnixMilli(b.ScoredAt)); err != nil {
			return err
		}
	}
	l.batches++
	return batch.Send()
}

func sumOf(all []identity.Contribution) (sum int64) {
	for _, c := range all {
		sum += c.Weight
	}
	return sum
}

func (l *ledgerOf) key(record string) identity.Key {
	return l.world.Keyer.Key(identity.Identifier{Namespace: identity.Record, Value: record})
}

// standing are the scores that stand of a model, those taken back left out.
func (l *ledgerOf) standing(model string) map[pair]int64 {
	l.t.Helper()
	r := &reader{conn: l.conn, workspace: l.cfg.Workspace}
	found := map[pair]int64{}
	err := r.query(l.t.Context(), "read", standingSQL, func(rows driver.Rows) error {
		var a, b uint64
		var weight int32
		err := rows.Scan(&a, &b, &weight)
		if int64(weight) != identity.Unsupported {
			found[pair{identity.Key(a), identity.Key(b)}] = int64(weight)
		}
		return err
	}, clickhouse.Named("model", model))
	if err != nil {
		l.t.Fatal(err)
	}
	return found
}

// forget empties the table of scores of a model.
func (l *ledgerOf) forget() {
	l.t.Helper()
	if err := l.conn.Exec(l.t.Context(), "TRUNCATE TABLE record_links"); err != nil {
		l.t.Fatal(err)
	}
}
