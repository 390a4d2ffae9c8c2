package ingest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/clickhouse"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

var errCrash = errors.New("killed here")

// log is one partition as the broker keeps it.
type log struct {
	records    []kafka.Message
	offset     int64
	metadata   string
	generation int
}

// owner is a log owned under one generation; a stale one cannot commit.
type owner struct {
	*log
	generation int
	hook       func(step string) error
	batch      int
}

func (o *owner) Topic() string              { return "kindred.behaviour" }
func (o *owner) ID() int                    { return 0 }
func (o *owner) Count() int                 { return 1 }
func (o *owner) Committed() (int64, string) { return o.offset, o.metadata }

func (o *owner) Fetch(ctx context.Context, offset int64) ([]kafka.Message, error) {
	if offset >= int64(len(o.records)) {
		return nil, errCrash // the end of the history: nothing more will come
	}
	end := min(int64(len(o.records)), offset+int64(o.batch))
	out := append([]kafka.Message{}, o.records[offset:end]...)
	for i := range out {
		out[i].HighWaterMark = end
	}
	return out, nil
}

func (o *owner) Commit(_ context.Context, offset int64, metadata string) error {
	step := "commit"
	if metadata != "" {
		step = "plan"
	}
	if err := o.hook("before " + step); err != nil {
		return err
	}
	if o.generation != o.log.generation {
		return errors.New("fenced")
	}
	o.offset, o.metadata = offset, metadata
	return o.hook("after " + step)
}

// conn calls the hook before each insert.
type conn struct {
	driver.Conn
	hook func(step string) error
}

func (c conn) PrepareBatch(ctx context.Context, q string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	table := strings.Fields(q)[2]
	if err := c.hook("before " + table); err != nil {
		return nil, err
	}
	return c.Conn.PrepareBatch(ctx, q, opts...)
}

// published is the evidence topic.
type published struct {
	hook func(step string) error
	got  *[]identity.Evidence
}

func (p published) WriteMessages(_ context.Context, msgs ...kafka.Message) error {
	if err := p.hook("before evidence"); err != nil {
		return err
	}
	for _, m := range msgs {
		e, err := new(identity.EvidenceDecoder).Decode(m.Value)
		if err != nil {
			return err
		}
		*p.got = append(*p.got, e)
	}
	return p.hook("after evidence")
}

func normalize(ns identity.Namespace, v string) (identity.Identifier, bool, error) {
	return identity.Identifier{Namespace: ns, Value: v}, v != "", nil
}

// history makes n records: new messages, exact copies, reused ids and rubbish.
func history(r *rand.Rand, n int) (records []kafka.Message, events, letters int) {
	base := time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC)
	bodies := map[string]string{}
	var values []string
	for i := range n {
		id := fmt.Sprintf("m%d", i)
		value := fmt.Sprintf(`{"id":%q,"name":"Viewed","source":"web","time":"2026-01-30T10:00:00Z","identifiers":[{"namespace":"anonymous_id","value":"a%d"},{"namespace":"user_id","value":"u%d"}],"traits":{"n":%d}}`, id, r.IntN(30), r.IntN(10), i)
		switch p := r.IntN(10); {
		case p == 0 && len(values) > 0: // a copy
			value = values[r.IntN(len(values))]
		case p == 1 && len(values) > 0: // a reused id: another body under an earlier id
			var m wire.Message
			_ = json.Unmarshal([]byte(values[r.IntN(len(values))]), &m)
			value = fmt.Sprintf(`{"id":%q,"name":"Other","source":"web","time":"2026-01-30T10:00:00Z","properties":{"i":%d}}`, m.ID, i)
			letters++
		case p == 2:
			value = fmt.Sprintf("rubbish %d", i)
			letters++
		default:
			bodies[id] = value
			values = append(values, value)
			events++
		}
		// The received times straddle a month, so that a block has two parts.
		records = append(records, kafka.Message{Topic: "kindred.behaviour", Offset: int64(i), Value: []byte(value), Time: base.Add(time.Duration(i) * time.Minute)})
	}
	return records, events, letters
}

type run struct {
	t        *testing.T
	conn     driver.Conn
	log      *log
	batch    int
	evidence []identity.Evidence
	wrap     func(ingest.Store) ingest.Store
	form     string // of identifiers
}

// decoder returns one that normalises in the form of the run.
func (r *run) decoder() *ingest.Decoder {
	r.t.Helper()
	d, err := ingest.NewDecoderOf(identity.Secret{9}, r.form, func(form string) (ingest.Normalize, error) {
		return func(ns identity.Namespace, v string) (identity.Identifier, bool, error) {
			id, ok, err := normalize(ns, v)
			id.Value += form
			return id, ok, err
		}, nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// own lets one owner work until hook kills it or the history ends.
func (r *run) own(hook func(step string) error) {
	r.t.Helper()
	r.log.generation++
	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	fatal := func(step string) error {
		if ctx.Err() != nil {
			return errCrash
		}
		if err := hook(step); err != nil {
			kill()
			return err
		}
		return nil
	}
	var store ingest.Store = clickhouse.New(conn{r.conn, fatal})
	if r.wrap != nil {
		store = r.wrap(store)
	}
	cfg := ingest.DefaultConfig()
	cfg.BatchRecords, cfg.Pace, cfg.FilterBytes = r.batch, 0, 1<<12
	p, err := ingest.New(cfg, ingest.Deps{
		Store: store, Publisher: published{fatal, &r.evidence}, Decoder: r.decoder(),
		Clock: func() time.Time { return time.Unix(0, 0) }, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	// A fetch may bring a part of a batch, or several batches at once.
	o := &owner{log: r.log, generation: r.log.generation, batch: max(1, r.batch*(r.log.generation%4)*2/3), hook: fatal}
	// The end of the history ends the owner too, or its fetch would wait.
	if err := p.Own(ctx, end(o, kill)); err != nil && !errors.Is(err, errCrash) && !strings.Contains(err.Error(), "fenced") {
		r.t.Fatal(err)
	}
}

type ending struct {
	*owner
	kill      func()
	done      atomic.Int64 // offset that is committed
	committed chan struct{}
}

// Fetch ends the owner at the end of the history, when all of it is committed:
// it reads ahead of what it stores.
func (e *ending) Fetch(ctx context.Context, offset int64) ([]kafka.Message, error) {
	out, err := e.owner.Fetch(ctx, offset)
	if err == nil {
		return out, nil
	}
	for e.done.Load() < offset {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-e.committed:
		}
	}
	e.kill()
	return out, err
}

func (e *ending) Commit(ctx context.Context, offset int64, metadata string) error {
	err := e.owner.Commit(ctx, offset, metadata)
	if err == nil {
		e.done.Store(offset)
		select {
		case e.committed <- struct{}{}:
		default:
		}
	}
	return err
}

// end wraps o, which kill ends.
func end(o *owner, kill func()) *ending {
	e := &ending{owner: o, kill: kill, committed: make(chan struct{}, 1)}
	e.done.Store(o.offset)
	return e
}

func (r *run) counts() (c struct{ Events, Distinct, Letters, Traits, Seen uint64 }) {
	r.t.Helper()
	row := r.conn.QueryRow(context.Background(), `SELECT (SELECT count() FROM events), (SELECT uniqExact(message_id) FROM events),
		(SELECT count() FROM dead_letters), (SELECT count() FROM trait_observations), (SELECT count() FROM seen_messages)`)
	if err := row.Scan(&c.Events, &c.Distinct, &c.Letters, &c.Traits, &c.Seen); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// Whatever step an owner dies at, its successors store every message once.
func TestDeliverySurvivesDeathAtEveryStep(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	records, events, letters := history(r, 300)
	steps := []string{
		"before plan", "after plan", "before events", "before trait_observations", "before dead_letters", "before seen_messages",
		"before evidence", "after evidence", "before commit", "after commit",
	}
	want := struct{ Events, Distinct, Letters, Traits, Seen uint64 }{
		uint64(events), uint64(events), uint64(letters), uint64(events), uint64(events + letters),
	}
	x := &run{t: t, conn: warehousetest.NewTestDatabase(t), log: &log{records: records}, batch: 25}
	for i := range 40 {
		step, after := steps[i%len(steps)], r.IntN(2)
		x.own(func(at string) error {
			if at == step {
				if after--; after < 0 {
					return fmt.Errorf("%w: %s", errCrash, at)
				}
			}
			return nil
		})
	}
	x.own(func(string) error { return nil })
	if x.log.offset != int64(len(records)) {
		t.Fatalf("stopped at offset %d of %d", x.log.offset, len(records))
	}
	if d := cmp.Diff(want, x.counts()); d != "" {
		t.Errorf("stored, -want +got:\n%s", d)
	}
	anchors := map[identity.AnchorID]bool{}
	for _, e := range x.evidence {
		anchors[e.Anchor] = true
	}
	var missing uint64
	list := make([]uint64, 0, len(anchors))
	for a := range anchors {
		list = append(list, uint64(a))
	}
	if err := x.conn.QueryRow(context.Background(), "SELECT count() FROM events WHERE anchor_id NOT IN (?)", list).Scan(&missing); err != nil {
		t.Fatal(err)
	}
	if missing != 0 {
		t.Errorf("%d events have no evidence", missing)
	}
	// A replay of the whole topic in other batches, by a group that has forgotten
	// its offsets, stores nothing new; nor does the same once more behind it.
	x.log.offset, x.log.metadata, x.batch = 0, "", 40
	x.own(func(string) error { return nil })
	if d := cmp.Diff(want, x.counts()); d != "" {
		t.Errorf("after a replay, -want +got:\n%s", d)
	}
	again := append([]kafka.Message{}, records...)
	for i := range again {
		if again[i].Value[0] != '{' {
			continue // rubbish is known by its place, and this is another
		}
		again[i].Offset = int64(len(x.log.records))
		x.log.records = append(x.log.records, again[i])
	}
	x.own(func(string) error { return nil })
	if d := cmp.Diff(want, x.counts()); d != "" {
		t.Errorf("after everything was published again, -want +got:\n%s", d)
	}
}

// The insert of a killed owner may land after its successor's. Without the
// token it doubles rows, which is what shows that the token is what prevents it.
func TestLateInsertOfADeadOwner(t *testing.T) {
	records, events, _ := history(rand.New(rand.NewPCG(7, 7)), 100)
	for _, c := range []struct {
		name    string
		tokens  bool
		doubled bool
	}{{"with tokens", true, false}, {"without", false, true}} {
		t.Run(c.name, func(t *testing.T) {
			x := &run{t: t, conn: warehousetest.NewTestDatabase(t), log: &log{records: records}, batch: 1000}
			late := &lateStore{tokens: c.tokens}
			x.wrap = func(s ingest.Store) ingest.Store { late.Store = s; return late }
			x.own(func(at string) error {
				if at == "before events" {
					return errCrash // the insert is on its way, and its owner is dead
				}
				return nil
			})
			held, token := late.batch, late.token
			x.own(func(string) error { return nil })
			if err := clickhouse.New(x.conn).Insert(context.Background(), token, held); err != nil {
				t.Fatal(err)
			}
			got := x.counts()
			if doubled := got.Events != uint64(events); doubled != c.doubled || got.Distinct != uint64(events) {
				t.Errorf("%d rows of %d events, %d expected", got.Events, got.Distinct, events)
			}
		})
	}
}

// lateStore keeps the first batch it was asked to insert, and can make every
// insert's token unique, which switches the mechanism off.
type lateStore struct {
	ingest.Store
	tokens bool
	batch  *ingest.Batch
	token  string
	n      int
}

func (l *lateStore) Insert(ctx context.Context, token string, b *ingest.Batch) error {
	if l.n++; !l.tokens {
		token += fmt.Sprint("/", l.n)
	}
	if l.batch == nil {
		copied := *b
		l.batch, l.token = &copied, token
	}
	return l.Store.Insert(ctx, token, b)
}

// Without the plan a successor batches the records differently, its tokens
// differ, and rows that had arrived are stored again.
func TestWithoutThePlanRowsDouble(t *testing.T) {
	records, events, _ := history(rand.New(rand.NewPCG(8, 8)), 100)
	f := func(forget bool) uint64 {
		x := &run{t: t, conn: warehousetest.NewTestDatabase(t), log: &log{records: records}, batch: 60}
		x.own(func(at string) error {
			if at == "before seen_messages" {
				return errCrash
			}
			return nil
		})
		if forget {
			x.log.metadata = ""
		}
		x.batch = 50
		x.own(func(string) error { return nil })
		return x.counts().Events
	}
	if got := f(false); got != uint64(events) {
		t.Errorf("with the plan: %d rows of %d events", got, events)
	}
	if got := f(true); got == uint64(events) {
		t.Error("without the plan nothing doubles: this test shows nothing")
	}
}
