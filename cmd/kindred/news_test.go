package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
)

// told is a writer that passes on what it is given.
type told chan []kafka.Message

func (t told) WriteMessages(_ context.Context, msgs ...kafka.Message) error { t <- msgs; return nil }

// TestNews notes keys in one process and reads them in another, and in itself.
func TestNews(t *testing.T) {
	out := make(told)
	ingest, other := newNews(out, slog.New(slog.DiscardHandler)), newNews(nil, nil)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ingest.run(ctx) }()
	many := make([]identity.Key, newsMessage+1)
	for i := range many {
		many[i] = identity.Key(i + 1)
	}
	ingest.note("main", map[string][]identity.Key{"": many})
	ingest.note("other", map[string][]identity.Key{"": {7}})
	got := map[string][]identity.Key{}
	for len(got["main"]) < len(many) || len(got["other"]) < 1 {
		for _, m := range <-out {
			if m.Topic != storedTopic || len(m.Value) > 8*newsMessage {
				t.Fatalf("a message of %d bytes to %s", len(m.Value), m.Topic)
			}
			workspace, origin, keys, err := readNews(&m)
			if err != nil || origin != ingest.origin {
				t.Fatalf("news of %q: %v", origin, err)
			}
			got[workspace] = append(got[workspace], keys...)
		}
	}
	slices.Sort(got["main"])
	if d := cmp.Diff(map[string][]identity.Key{"main": many, "other": {7}}, got); d != "" {
		t.Error("the keys differ")
	}
	if err := ingest.written(ctx); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	// Without anybody who writes, notes are bounded and never wait.
	for range 2*maxNews/len(many) + 1 {
		other.note("main", map[string][]identity.Key{"": many})
	}
	keys, lost, _ := other.take()
	if n := len(keys["main"][""]); n > maxNews || n < maxNews-len(many) {
		t.Errorf("%d keys wait", n)
	}
	// Whoever follows is told that some were dropped.
	msgs := other.messages(nil, lost)
	if len(msgs) != 1 {
		t.Fatalf("%d messages of what was lost, want 1", len(msgs))
	}
	if workspace, _, keys, err := readNews(&msgs[0]); workspace != "main" || len(keys) != 0 || err != nil {
		t.Errorf("of what was lost it says %q, %d keys, %v", workspace, len(keys), err)
	}
	if _, _, _, err := readNews(&kafka.Message{Value: []byte("x")}); err == nil {
		t.Error("nonsense is read")
	}
}

// broken is a writer that fails so many times.
type broken struct {
	told
	fails atomic.Int32
}

func (b *broken) WriteMessages(ctx context.Context, msgs ...kafka.Message) error {
	if b.fails.Add(-1) >= 0 {
		return errors.New("no broker")
	}
	return b.told.WriteMessages(ctx, msgs...)
}

// TestNewsAreWrittenBeforeOffsets: who waits for what was noted goes on when it, or that
// it was lost, is written, and not before.
func TestNewsAreWrittenBeforeOffsets(t *testing.T) {
	out := &broken{told: make(told)}
	n := newNews(out, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.run(ctx) }()
	if err := n.written(ctx); err != nil { // Nothing was noted.
		t.Error(err)
	}
	n.note("main", map[string][]identity.Key{"": {7}})
	waited := make(chan error, 1)
	go func() { waited <- n.written(ctx) }()
	msgs := <-out.told
	if _, _, keys, err := readNews(&msgs[0]); err != nil || len(keys) != 1 {
		t.Errorf("%v, %v", keys, err)
	}
	if err := <-waited; err != nil {
		t.Error(err)
	}
	out.fails.Store(1)
	n.note("main", map[string][]identity.Key{"": {8}})
	cancelled, give := context.WithCancel(ctx)
	give()
	if err := n.written(cancelled); err == nil {
		t.Error("who gave up is told that all is written")
	}
	go func() { waited <- n.written(ctx) }()
	for out.fails.Load() > 0 {
		runtime.Gosched()
	}
	n.hurry() // Instead of waiting for the retry.
	msgs = <-out.told
	if workspace, _, keys, err := readNews(&msgs[0]); err != nil || workspace != "main" || len(keys) != 0 {
		t.Errorf("of what was lost it says %q, %v, %v", workspace, keys, err)
	}
	if err := <-waited; err != nil {
		t.Error(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestNewsTellTheEvents notes keys by many events: whoever reads has each by its own, and
// those of which anything may have been stored without one, as of a message that does
// not say.
func TestNewsTellTheEvents(t *testing.T) {
	want := map[string][]identity.Key{"": {1, 2}}
	next := identity.Key(3)
	for i := range 2*newsNames + 1 {
		name := fmt.Sprintf("Event %d \"é\"", i)
		for range 1 + newsMessage/100 + i%3 {
			want[name] = append(want[name], next)
			next++
		}
		if i == newsNames/10 {
			want[name] = want[name][:1]
		}
	}
	n := newNews(nil, nil)
	msgs := n.messages(map[string]map[string][]identity.Key{"main": want}, nil)
	got := map[string][]identity.Key{}
	for i := range msgs {
		if size := len(msgs[i].Value) / 8; size > newsMessage {
			t.Fatalf("a message of %d keys", size)
		}
		workspace, byName, err := readStored(&msgs[i])
		if err != nil || workspace != "main" {
			t.Fatal(workspace, err)
		}
		for name, keys := range byName {
			got[name] = append(got[name], keys...)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error("the keys differ")
	}
	for _, header := range []string{`[{"event":"View","keys":1},{"event":"Buy","keys":-1}]`, `[{"event":"View","keys":1}]`} {
		m := kafka.Message{Value: make([]byte, 24), Headers: []kafka.Header{{Key: "kindred-workspace", Value: []byte("main")}, {Key: headerEvents, Value: []byte(header)}}}
		if _, byName, err := readStored(&m); err != nil || len(byName["View"]) != 1 || len(byName[""]) != 2 {
			t.Errorf("%s: %v, %v", header, byName, err)
		}
	}
	m := kafka.Message{Value: make([]byte, 8), Headers: []kafka.Header{{Key: "kindred-workspace", Value: []byte("main")}, {Key: headerEvents, Value: []byte(`{`)}}}
	if _, byName, err := readStored(&m); err != nil || len(byName[""]) != 1 {
		t.Errorf("of a header that is none: %v, %v", byName, err)
	}
}
