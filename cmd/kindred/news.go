package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// storedTopic has the keys of identifiers of which events were stored: what the
// caches of other API nodes hold of them is out of date. The identity role gives
// notice only of what changes to whom an identifier belongs.
const (
	storedTopic     = "kindred.stored"
	storedRetention = time.Hour // Whoever starts has an empty cache.
)

// Bounds of news: what waits beyond is dropped, and lives in caches for their time
// of life at most; what one message holds.
const (
	maxNews     = 1_000_000
	newsMessage = 50_000
)

// headerOrigin names the process that stored the events: it has told its own cache.
const headerOrigin = "kindred-origin"

// news tells the API nodes of other processes what was stored. Noting costs the
// pipeline next to nothing; while a message is on its way, the next one grows.
type news struct {
	to     writer
	origin string
	log    *slog.Logger
	mu     sync.Mutex // Protects the fields below.
	keys   map[string][]identity.Key
	count  int
	wake   chan struct{} // holds a token when there is something new
}

func newNews(to writer, log *slog.Logger) *news {
	var id [8]byte
	_, _ = rand.Read(id[:]) // Never fails: crypto/rand ends the process instead.
	return &news{to: to, origin: hex.EncodeToString(id[:]), log: log, keys: map[string][]identity.Key{}, wake: make(chan struct{}, 1)}
}

// note takes keys of stored events. It never blocks.
func (n *news) note(workspace string, keys []identity.Key) {
	n.mu.Lock()
	if n.count+len(keys) <= maxNews {
		n.keys[workspace] = append(n.keys[workspace], keys...)
		n.count += len(keys)
	}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *news) take() map[string][]identity.Key {
	n.mu.Lock()
	defer n.mu.Unlock()
	keys := n.keys
	n.keys, n.count = map[string][]identity.Key{}, 0
	return keys
}

// run writes what is noted until ctx ends. What cannot be written is dropped.
func (n *news) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.wake:
		}
		if msgs := n.messages(n.take()); len(msgs) > 0 {
			if err := n.to.WriteMessages(ctx, msgs...); err != nil && ctx.Err() == nil {
				n.log.Warn("tell other nodes what was stored", "error", err)
			}
		}
	}
}

func (n *news) messages(all map[string][]identity.Key) (msgs []kafka.Message) {
	for workspace, keys := range all {
		for len(keys) > 0 {
			part := keys[:min(len(keys), newsMessage)]
			keys = keys[len(part):]
			value := make([]byte, 0, 8*len(part))
			for _, k := range part {
				value = binary.LittleEndian.AppendUint64(value, uint64(k))
			}
			msgs = append(msgs, kafka.Message{Topic: storedTopic, Value: value, Headers: []kafka.Header{
				{Key: wire.HeaderWorkspace, Value: []byte(workspace)}, {Key: headerOrigin, Value: []byte(n.origin)},
			}})
		}
	}
	return msgs
}

// read returns what a message says; no keys where it is of this process.
func (n *news) read(m *kafka.Message) (workspace string, keys []identity.Key, err error) {
	for _, h := range m.Headers {
		if h.Key == headerOrigin && string(h.Value) == n.origin {
			return "", nil, nil
		}
	}
	return storedKeys(m)
}

// storedKeys returns what a message says, whoever wrote it.
func storedKeys(m *kafka.Message) (workspace string, keys []identity.Key, err error) {
	for _, h := range m.Headers {
		if h.Key == wire.HeaderWorkspace {
			workspace = string(h.Value)
		}
	}
	if workspace == "" || len(m.Value)%8 != 0 {
		return "", nil, errors.New("no keys of a workspace")
	}
	for at := 0; at < len(m.Value); at += 8 {
		keys = append(keys, identity.Key(binary.LittleEndian.Uint64(m.Value[at:])))
	}
	return workspace, keys, nil
}

// followStored forgets what other processes have stored newer events of.
func (w *web) followStored(ctx context.Context) error {
	return w.followTopic(ctx, storedTopic, func(m *kafka.Message) error {
		workspace, keys, err := w.news.read(m)
		if len(keys) > 0 {
			w.cache.Invalidate(workspace, keys...)
		}
		return err
	})
}

// followTopic reads a topic from now on, each API node all of it. A message missed
// while starting costs nothing: the cache was empty then.
func (w *web) followTopic(ctx context.Context, topic string, take func(*kafka.Message) error) error {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: w.p.brokers, Topic: topic, MinBytes: 1, MaxBytes: 8 << 20, MaxWait: 250 * time.Millisecond,
	})
	defer func() { _ = reader.Close() }()
	if err := reader.SetOffset(kafka.LastOffset); err != nil {
		return fmt.Errorf("follow %s: %w", topic, err)
	}
	for {
		m, err := reader.ReadMessage(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			w.p.log.Warn("follow topic", "topic", topic, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			continue
		}
		if err := take(&m); err != nil {
			w.p.log.Error("message is not readable", "topic", topic, "offset", m.Offset, "error", err)
		}
	}
}
