package control_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/clickhouse"
	"github.com/kindred-cdp/kindred/ingest/control"
	"github.com/kindred-cdp/kindred/ingest/letters"
	"github.com/kindred-cdp/kindred/ingest/plans"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// broker keeps topics of one partition in memory.
type broker struct {
	mu      sync.Mutex // Protects the fields below.
	topics  map[string][]kafka.Message
	offsets map[string]int64
	marks   map[string]string
	clock   time.Time
}

func (b *broker) WriteMessages(_ context.Context, msgs ...kafka.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range msgs {
		b.clock = b.clock.Add(time.Second)
		m.Offset, m.Time = int64(len(b.topics[m.Topic])), b.clock
		b.topics[m.Topic] = append(b.topics[m.Topic], m)
	}
	return nil
}

var errEnd = errors.New("end of the log")

// part is an owned topic; its end, or the hook, ends the owner.
type part struct {
	*broker
	topic string
	end   func()
	hook  func(step string) error
}

func (p *part) Topic() string { return p.topic }
func (p *part) ID() int       { return 0 }
func (p *part) Count() int    { return 1 }

func (p *part) Committed() (int64, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.offsets[p.topic], p.marks[p.topic]
}

func (p *part) Fetch(_ context.Context, offset int64) ([]kafka.Message, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.topics[p.topic]
	if offset >= int64(len(all)) {
		p.end()
		return nil, errEnd
	}
	out := append([]kafka.Message{}, all[offset:]...)
	for i := range out {
		out[i].HighWaterMark = int64(len(all))
	}
	return out, nil
}

func (p *part) Commit(_ context.Context, offset int64, metadata string) error {
	if p.hook != nil && metadata == "" {
		if err := p.hook("commit"); err != nil {
			p.end()
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offsets[p.topic], p.marks[p.topic] = offset, metadata
	return nil
}

// world is a small Kindred: the owner of commands, ingest and their tables.
type world struct {
	*broker
	t       *testing.T
	conn    driver.Conn
	decoder *ingest.Decoder
	reader  *plans.Reader
	letters *letters.Service
	plans   *plans.Service
	crash   func(step string) error // of the owner of commands
	dying   func(step string) error // of the owner of the events
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, conn: warehousetest.NewTestDatabase(t), broker: &broker{
		topics: map[string][]kafka.Message{}, offsets: map[string]int64{}, marks: map[string]string{}, clock: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC),
	}}
	w.decoder = ingest.NewDecoder(identity.Secret{7}, func(ns identity.Namespace, v string) (identity.Identifier, bool, error) {
		return identity.Identifier{Namespace: ns, Value: v}, v != "", nil
	})
	var err error
	if w.reader, err = plans.NewReader(plans.DefaultConfig(), w.conn, quiet); err != nil {
		t.Fatal(err)
	}
	client := control.NewClient(atOnce{w}, w.conn, 5*time.Second)
	w.letters = letters.NewService(letters.NewStore(w.conn), client)
	w.plans = plans.NewService(w.conn, client, w.reader)
	return w
}

// atOnce applies a command as soon as it is published.
type atOnce struct{ w *world }

func (a atOnce) WriteMessages(ctx context.Context, msgs ...kafka.Message) error {
	if err := a.w.WriteMessages(ctx, msgs...); err != nil {
		return err
	}
	a.w.apply()
	return nil
}

// crashing calls a hook before each insert, with the table and its columns.
type crashing struct {
	driver.Conn
	hook func(step string) error
}

func (c crashing) PrepareBatch(ctx context.Context, q string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	if err := c.hook(q[len("INSERT INTO "):]); err != nil {
		return nil, err
	}
	return c.Conn.PrepareBatch(ctx, q, opts...)
}

// apply lets the owner of commands work to the end of its topic.
func (w *world) apply() {
	w.t.Helper()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	hook := func(step string) error {
		if w.crash == nil {
			return nil
		}
		err := w.crash(step)
		if err != nil {
			end()
		}
		return err
	}
	conn := crashing{w.conn, hook}
	handler := letters.NewHandler(conn, w.broker, w.decoder.SealReplay)
	planner := plans.NewHandler(conn)
	owner, err := control.NewOwner(control.DefaultConfig(), control.Deps{
		Conn: conn, Logger: quiet, Registry: prometheus.NewRegistry(),
		Handlers: map[string]control.Handler{
			letters.KindEdit: handler, letters.KindReplay: handler, letters.KindDiscard: handler, letters.KindNote: handler,
			plans.KindPut: planner, plans.KindArchive: planner,
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := owner.Own(ctx, &part{broker: w.broker, topic: control.Topic, end: end, hook: hook}); err != nil && !errors.Is(err, errEnd) {
		w.t.Fatal(err)
	}
}

// ingest lets the owner of the behaviour topic work to its end.
func (w *world) ingest() {
	w.t.Helper()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	if err := w.reader.Refresh(ctx); err != nil {
		w.t.Fatal(err)
	}
	hook := func(step string) error {
		if w.dying == nil {
			return nil
		}
		err := w.dying(step)
		if err != nil {
			end()
		}
		return err
	}
	cfg := ingest.DefaultConfig()
	cfg.Pace, cfg.FilterBytes = 0, 1<<12
	p, err := ingest.New(cfg, ingest.Deps{
		Store: clickhouse.New(crashing{w.conn, hook}), Publisher: w.broker, Decoder: w.decoder, Plans: w.reader,
		Clock: func() time.Time { return time.Unix(0, 0) }, Logger: quiet, Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := p.Own(ctx, &part{broker: w.broker, topic: wire.Behaviour.Topic(), end: end}); err != nil && !errors.Is(err, errEnd) {
		w.t.Fatal(err)
	}
}

// send publishes behaviour records and stores them.
func (w *world) send(values ...string) {
	w.t.Helper()
	w.publish(values...)
	w.ingest()
}

func (w *world) publish(values ...string) {
	w.t.Helper()
	var msgs []kafka.Message
	for _, v := range values {
		msgs = append(msgs, kafka.Message{Topic: wire.Behaviour.Topic(), Value: []byte(v)})
	}
	if err := w.WriteMessages(context.Background(), msgs...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) count(query string, args ...any) (n uint64) {
	w.t.Helper()
	if err := w.conn.QueryRow(context.Background(), query, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// list returns the letters of a filter, the oldest first.
func (w *world) list(f letters.Filter) []letters.Letter {
	w.t.Helper()
	var all []letters.Letter
	cursor := ""
	for {
		page, next, err := w.letters.List(context.Background(), "main", f, cursor, 3)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, page...)
		if next == "" {
			break
		}
		cursor = next
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}
