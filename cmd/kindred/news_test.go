package main

import (
	"context"
	"log/slog"
	"slices"
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
	ingest.note("main", many)
	ingest.note("other", []identity.Key{7})
	got := map[string][]identity.Key{}
	for len(got["main"]) < len(many) || len(got["other"]) < 1 {
		for _, m := range <-out {
			if m.Topic != storedTopic || len(m.Value) > 8*newsMessage {
				t.Fatalf("a message of %d bytes to %s", len(m.Value), m.Topic)
			}
			if _, keys, err := ingest.read(&m); err != nil || len(keys) > 0 {
				t.Errorf("its own news: %d keys, %v", len(keys), err)
			}
			workspace, keys, err := other.read(&m)
			if err != nil {
				t.Fatal(err)
			}
			got[workspace] = append(got[workspace], keys...)
		}
	}
	slices.Sort(got["main"])
	if d := cmp.Diff(map[string][]identity.Key{"main": many, "other": {7}}, got); d != "" {
		t.Error("the keys differ")
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	// Without anybody who writes, notes are bounded and never wait.
	for range 2*maxNews/len(many) + 1 {
		other.note("main", many)
	}
	keys, lost := other.take()
	if n := len(keys["main"]); n > maxNews || n < maxNews-len(many) {
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
	if _, _, err := other.read(&kafka.Message{Value: []byte("x")}); err == nil {
		t.Error("nonsense is read")
	}
}
