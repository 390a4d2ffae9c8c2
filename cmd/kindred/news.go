package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// storedTopic has the keys of identifiers of which events were stored: what the
// caches of other API nodes hold of them is out of date. The identity role gives
// notice only of what changes to whom an identifier belongs.
const (
	storedTopic     = "kindred.stored"
	storedRetention = time.Hour // Whoever starts has an empty cache.
)

// Bounds of news: what waits beyond is dropped, which is told; what one message holds.
const (
	maxNews     = 1_000_000
	newsMessage = 50_000
	newsNames   = 200 // of events in one message
)

// headerOrigin names the process that stored the events: it has told its own cache.
const headerOrigin = "kindred-origin"

// headerEvents says by which events the keys of a message came.
const headerEvents = "kindred-events"

// news tells API nodes and the projector of views what was stored. Noting costs the
// pipeline next to nothing; while a message is on its way, the next one grows. Before
// offsets are committed, it waits until all of it is written.
type news struct {
	to     writer
	origin string
	log    *slog.Logger
	mu     sync.Mutex // Protects the fields below.
	// keys are those of which something was stored, by workspace and by the name of the
	// event where nothing else was.
	keys  map[string]map[string][]identity.Key
	count int
	lost  map[string]bool // workspaces of which keys were dropped
	wake  chan struct{}   // holds a token when there is something new
	noted uint64          // how often something was
	told  uint64          // up to which all of it is written
	heard chan struct{}   // closed when told grows
}

func newNews(to writer, log *slog.Logger) *news {
	var id [8]byte
	_, _ = rand.Read(id[:]) // Never fails: crypto/rand ends the process instead.
	return &news{to: to, origin: hex.EncodeToString(id[:]), log: log, keys: map[string]map[string][]identity.Key{}, lost: map[string]bool{}, wake: make(chan struct{}, 1), heard: make(chan struct{})}
}

// note takes keys of stored events, as ingest tells of them. It never blocks.
func (n *news) note(workspace string, keys map[string][]identity.Key) {
	count := 0
	for _, k := range keys {
		count += len(k)
	}
	n.mu.Lock()
	n.noted++
	if n.count+count <= maxNews {
		there := n.keys[workspace]
		if there == nil {
			there = map[string][]identity.Key{}
			n.keys[workspace] = there
		}
		for name, k := range keys {
			there[name] = append(there[name], k...)
		}
		n.count += count
	} else {
		n.lost[workspace] = true
	}
	n.mu.Unlock()
	n.hurry()
}

// everybody notes that something was changed of all of a workspace, "" for all.
func (n *news) everybody(workspace string) {
	n.mu.Lock()
	n.noted++
	n.lost[workspace] = true
	n.mu.Unlock()
	n.hurry()
}

// written waits until all that was noted until now is.
func (n *news) written(ctx context.Context) error {
	n.mu.Lock()
	wanted := n.noted
	n.mu.Unlock()
	for {
		n.mu.Lock()
		done, heard := n.told >= wanted, n.heard
		n.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-heard:
		}
	}
}

// tell notes that all up to a number is written.
func (n *news) tell(upTo uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = upTo
	close(n.heard)
	n.heard = make(chan struct{})
}

func (n *news) hurry() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *news) take() (keys map[string]map[string][]identity.Key, lost map[string]bool, upTo uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	keys, lost = n.keys, n.lost
	n.keys, n.lost, n.count = map[string]map[string][]identity.Key{}, map[string]bool{}, 0
	return keys, lost, n.noted
}

// lose notes that keys of workspaces did not reach others.
func (n *news) lose(keys map[string]map[string][]identity.Key, lost map[string]bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for workspace := range keys {
		n.lost[workspace] = true
	}
	maps.Copy(n.lost, lost)
}

// run writes what is noted until ctx ends. Of what cannot be written it says, when it
// can again, that something was.
func (n *news) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.wake:
		}
		keys, lost, upTo := n.take()
		msgs := n.messages(keys, lost)
		if len(msgs) > 0 {
			if err := n.to.WriteMessages(ctx, msgs...); err != nil {
				if ctx.Err() == nil {
					n.log.Warn("tell other nodes what was stored", "error", err)
				}
				n.lose(keys, lost)
				time.AfterFunc(newsRetry, n.hurry)
				continue
			}
		}
		n.tell(upTo)
	}
}

// newsRetry is how long after a failure it is said that something was lost.
const newsRetry = 5 * time.Second

// messages are those of the keys, and one without keys for each workspace of which
// some were lost.
func (n *news) messages(all map[string]map[string][]identity.Key, lost map[string]bool) (msgs []kafka.Message) {
	add := func(workspace string, value []byte, of []storedOf) {
		headers := []kafka.Header{{Key: wire.HeaderWorkspace, Value: []byte(workspace)}, {Key: headerOrigin, Value: []byte(n.origin)}}
		if len(of) > 0 {
			text, _ := json.Marshal(of) // Never fails: names are texts.
			headers = append(headers, kafka.Header{Key: headerEvents, Value: text})
		}
		msgs = append(msgs, kafka.Message{Topic: storedTopic, Value: value, Headers: headers})
	}
	for workspace := range lost {
		add(workspace, []byte{}, nil)
	}
	for workspace, byName := range all {
		var value []byte
		var of []storedOf
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(byName))) { // Those of no one event last.
			for keys := byName[name]; len(keys) > 0; {
				part := keys[:min(len(keys), newsMessage-len(value)/8)]
				keys = keys[len(part):]
				for _, k := range part {
					value = binary.LittleEndian.AppendUint64(value, uint64(k))
				}
				if of = append(of, storedOf{name, len(part)}); len(value) == 8*newsMessage || len(of) == newsNames {
					add(workspace, value, of)
					value, of = nil, nil
				}
			}
		}
		if len(value) > 0 {
			add(workspace, value, of)
		}
	}
	return msgs
}

// readNews returns what a message says and who does; no keys mean that some were lost,
// without a workspace of all.
func readNews(m *kafka.Message) (workspace, origin string, keys []identity.Key, err error) {
	for _, h := range m.Headers {
		switch h.Key {
		case wire.HeaderWorkspace:
			workspace = string(h.Value)
		case headerOrigin:
			origin = string(h.Value)
		}
	}
	if workspace == "" && len(m.Value) > 0 || len(m.Value)%8 != 0 {
		return "", origin, nil, errors.New("no keys of a workspace")
	}
	for at := 0; at < len(m.Value); at += 8 {
		keys = append(keys, identity.Key(binary.LittleEndian.Uint64(m.Value[at:])))
	}
	return workspace, origin, keys, nil
}

// storedOf says of as many keys of a message, in their order, that an event of a name was
// stored of them and nothing else; without a name, that anything may have been.
type storedOf struct {
	Event string `json:"event,omitempty"`
	Keys  int    `json:"keys"`
}

// readStored returns what readNews does, the keys by the event that was stored of them:
// "" where it may be anything, as of all keys of a message that does not say.
func readStored(m *kafka.Message) (workspace string, byName map[string][]identity.Key, err error) {
	workspace, _, keys, err := readNews(m)
	byName = map[string][]identity.Key{}
	for _, h := range m.Headers {
		var of []storedOf
		if h.Key != headerEvents || json.Unmarshal(h.Value, &of) != nil {
			continue
		}
		for _, o := range of {
			n := min(max(o.Keys, 0), len(keys))
			byName[o.Event] = append(byName[o.Event], keys[:n]...)
			keys = keys[n:]
		}
	}
	if len(keys) > 0 {
		byName[""] = append(byName[""], keys...)
	}
	return workspace, byName, err
}

// followStored forgets what other processes have stored newer events of, and tells the
// feed of the views of all notes from the place of the projector on.
func (w *web) followStored(ctx context.Context) error {
	place, err := w.placeOfProjector(ctx)
	if err != nil || ctx.Err() != nil {
		return nil // Without a feed rows are compared; entries of the cache have their time.
	}
	if ends, err := w.offsets.Ends(ctx, []string{storedTopic}); err == nil && place > ends[intake.Place{Topic: storedTopic}] {
		// It began anew: notes up to that place would be passed over.
		w.p.log.Warn("the topic of stored events ends before what was read of it: rows of views are compared with events", "topic", storedTopic)
		w.feed.Stop()
		return w.followTopic(ctx, storedTopic, w.heardOf)
	}
	w.feed.Start(place)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.watchProjector(ctx) })
	g.Go(func() error {
		return followTopicFrom(ctx, w.p, storedTopic, place, w.heardOf)
	})
	return g.Wait()
}

// heardOf takes a message of what was stored; the cache has been told of this process's.
// One without keys, or that cannot be read, or that others are missing before, says that
// some were lost.
func (w *web) heardOf(m *kafka.Message) error {
	workspace, origin, keys, err := readNews(m)
	own := origin == w.news.origin
	whole := w.feed.Note(workspace, keys, m.Offset, own)
	if len(keys) == 0 {
		w.cache.Lost(workspace)
	} else if !own {
		w.cache.Invalidate(workspace, keys...)
	}
	if !whole {
		w.cache.Lost("")
	}
	return err
}

// feedLook is how often a reader of views asks how far the projector is.
const feedLook = time.Second

// placeOfProjector waits until it is known.
func (w *web) placeOfProjector(ctx context.Context) (place int64, err error) {
	err = waitFor(ctx, feedLook, func() (bool, error) {
		place, err = w.projected(ctx)
		return err == nil, nil
	})
	return place, err
}

// projected is the place that the projector has committed, 0 for none.
func (w *web) projected(ctx context.Context) (int64, error) {
	at := intake.Place{Topic: storedTopic}
	committed, err := w.offsets.Committed(ctx, viewsGroup, []intake.Place{at})
	return committed[at], err
}

// watchProjector keeps the feed informed. While that fails, the feed is believed no more.
func (w *web) watchProjector(ctx context.Context) error {
	tick := time.NewTicker(feedLook)
	defer tick.Stop()
	for {
		start := now()
		ends, err := w.offsets.Ends(ctx, []string{storedTopic})
		if err == nil {
			w.feed.Reached(ends[intake.Place{Topic: storedTopic}], start)
			var place int64
			if place, err = w.projected(ctx); err == nil {
				w.feed.Projected(place)
			}
		}
		if err != nil && ctx.Err() == nil {
			w.p.log.Debug("ask how far views are projected", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// followTopic reads a topic from now on, each API node all of it. A message missed
// while starting costs nothing: the cache was empty then.
func (w *web) followTopic(ctx context.Context, topic string, take func(*kafka.Message) error) error {
	return followTopic(ctx, w.p, topic, take)
}

func followTopic(ctx context.Context, p *platform, topic string, take func(*kafka.Message) error) error {
	return followTopicFrom(ctx, p, topic, kafka.LastOffset, take)
}

// endOfTopic returns the offset of the next message of a topic of one partition.
func endOfTopic(ctx context.Context, p *platform, topic string) (int64, error) {
	var errs []error
	for _, broker := range p.brokers {
		conn, err := kafka.DialLeader(ctx, "tcp", broker, topic, 0)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		end, err := conn.ReadLastOffset()
		_ = conn.Close()
		if err == nil {
			return end, nil
		}
		errs = append(errs, err)
	}
	return 0, fmt.Errorf("read the end of %s: %w", topic, errors.Join(errs...))
}

func followTopicFrom(ctx context.Context, p *platform, topic string, offset int64, take func(*kafka.Message) error) error {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: p.brokers, Topic: topic, MinBytes: 1, MaxBytes: 8 << 20, MaxWait: 250 * time.Millisecond,
	})
	defer func() { _ = reader.Close() }()
	if err := reader.SetOffset(offset); err != nil {
		return fmt.Errorf("follow %s: %w", topic, err)
	}
	for {
		m, err := reader.ReadMessage(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			p.log.Warn("follow topic", "topic", topic, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
			continue
		}
		if err := take(&m); err != nil {
			p.log.Error("message is not readable", "topic", topic, "offset", m.Offset, "error", err)
		}
	}
}
