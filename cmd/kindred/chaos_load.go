package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// load sends events by HTTP, as an SDK does, and straight to Kafka, without
// keys, and notes which were acknowledged. What is not acknowledged is sent
// again under the same message ids, and now and then so is what was.
type load struct {
	f      *fleet
	seed   uint64
	work   sync.WaitGroup
	end    context.CancelFunc // no new batches
	mu     sync.Mutex         // Protects what follows.
	sent   map[string]bool    // message ids; true when acknowledged
	acked  int
	failed error
}

const (
	loadSenders = 3
	loadBatch   = 25
	loadPause   = 60 * time.Millisecond
	loadPatient = time.Minute // for the last acknowledgement
)

func newLoad(f *fleet, seed uint64) *load { return &load{f: f, seed: seed, sent: map[string]bool{}} }

func (l *load) start(ctx context.Context) {
	running, end := context.WithCancel(ctx)
	l.end = end
	client := &http.Client{Timeout: 15 * time.Second}
	writer := kafka.NewWriter(l.f.settings.brokerAddresses())
	for i := range loadSenders + 1 {
		send := func(ctx context.Context, b []chaosEvent) error { return l.post(ctx, client, b) }
		if i == loadSenders {
			send = func(ctx context.Context, b []chaosEvent) error { return l.produce(ctx, writer, b) }
		}
		l.work.Go(func() { l.sender(ctx, running, i, send) })
	}
}

// stop lets every sender have its last batch acknowledged.
func (l *load) stop(ctx context.Context) error {
	l.end()
	done := make(chan struct{})
	go func() { l.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(loadPatient):
		return fmt.Errorf("%w: the last batches were not acknowledged in %s: %w", errBroken, loadPatient, l.failed)
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (l *load) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked
}

// chaosEvent is one event of the load.
type chaosEvent struct {
	id, anonymous, user, device string
	at                          time.Time // the same in every copy
}

func (l *load) sender(ctx, running context.Context, n int, send func(context.Context, []chaosEvent) error) {
	r := rand.New(rand.NewPCG(l.seed, uint64(100+n)))
	var old [][]chaosEvent
	for i := 0; running.Err() == nil; i++ {
		batch := make([]chaosEvent, loadBatch)
		for j := range batch {
			e := chaosEvent{id: fmt.Sprintf("s%d-%d-%d", n, i, j), anonymous: fmt.Sprintf("a%d", r.IntN(3000)), at: now()}
			if r.IntN(3) == 0 {
				e.user = fmt.Sprintf("u%d", r.IntN(1000))
			}
			if r.IntN(5) == 0 {
				e.device = fmt.Sprintf("d%d", r.IntN(2000))
			}
			batch[j] = e
		}
		l.deliver(ctx, batch, send)
		old = append(old, batch)
		if r.IntN(12) == 0 {
			l.deliver(ctx, old[r.IntN(len(old))], send) // its answer was lost, say
		}
		pause(running, loadPause)
	}
}

// deliver sends a batch until it is acknowledged.
func (l *load) deliver(ctx context.Context, batch []chaosEvent, send func(context.Context, []chaosEvent) error) {
	l.note(batch, false)
	for ctx.Err() == nil {
		err := send(ctx, batch)
		if err == nil {
			l.note(batch, true)
			return
		}
		l.mu.Lock()
		l.failed = err
		l.mu.Unlock()
		pause(ctx, 200*time.Millisecond)
	}
}

func (l *load) note(batch []chaosEvent, acked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range batch {
		if acked && !l.sent[e.id] {
			l.acked++
		}
		l.sent[e.id] = l.sent[e.id] || acked
	}
}

// post sends a batch as the SDKs of Segment do.
func (l *load) post(ctx context.Context, client *http.Client, batch []chaosEvent) error {
	type call struct {
		Type        string         `json:"type"`
		Event       string         `json:"event"`
		MessageID   string         `json:"messageId"`
		AnonymousID string         `json:"anonymousId"`
		UserID      string         `json:"userId,omitempty"`
		Timestamp   time.Time      `json:"timestamp"`
		Properties  map[string]any `json:"properties"`
	}
	body := struct {
		Batch []call `json:"batch"`
	}{}
	for _, e := range batch {
		body.Batch = append(body.Batch, call{"track", "Chaos", e.id, e.anonymous, e.user, e.at, map[string]any{"of": "the chaos suite"}})
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.f.settings.apiAddress+"/v1/batch", bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	req.SetBasicAuth(chaosKey+"-write", "")
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	var answer struct{ Accepted int }
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("post: status %d: %.200s", res.StatusCode, text)
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Accepted != len(batch) {
		return fmt.Errorf("post: %d of %d accepted: %.200s", answer.Accepted, len(batch), text)
	}
	return nil
}

// produce sends a batch as a producer does that knows nothing of keys.
func (l *load) produce(ctx context.Context, w *kafka.Writer, batch []chaosEvent) error {
	var msgs []kafkago.Message
	for _, e := range batch {
		m := wire.Message{ID: e.id, Name: "Chaos", Source: "direct", Time: e.at, Identifiers: []wire.Identifier{{Namespace: "anonymous_id", Value: e.anonymous}}}
		if e.user != "" {
			m.Identifiers = append(m.Identifiers, wire.Identifier{Namespace: "user_id", Value: e.user})
		}
		if e.device != "" {
			m.Identifiers = append(m.Identifiers, wire.Identifier{Namespace: "device", Value: e.device})
		}
		value, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("encode: %w", err)
		}
		msgs = append(msgs, kafkago.Message{
			Topic: wire.Behaviour.Topic(), Value: value,
			Headers: []kafkago.Header{{Key: wire.HeaderWorkspace, Value: []byte(l.f.workspace)}},
		})
	}
	return w.WriteMessages(ctx, msgs...)
}
