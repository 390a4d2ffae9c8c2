package intake

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReceipt submits into several partitions, more than one batch can take, and
// holds the receipt against the log.
func TestReceipt(t *testing.T) {
	k := &memoryKafka{partitions: 3}
	cfg := DefaultConfig()
	cfg.MaxBatchRecords = 4
	g := testGate(t, cfg, k)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	defer func() { stop(); <-done }()
	for !isOpen(g) {
		// The gate opens as soon as Run is on.
	}
	for round := range 3 {
		ctx, receipt := WithReceipt(t.Context())
		var items []Item
		for i := range 20 {
			items = append(items, item(fmt.Sprintf("%d-%d", round, i), 10))
		}
		if err := g.Submit(ctx, "main", items); err != nil {
			t.Fatal(err)
		}
		want := Positions{}
		for at, values := range k.log {
			want[Place{at.topic, at.partition}] = int64(len(values))
		}
		if d := cmp.Diff(want, receipt.Positions()); d != "" {
			t.Errorf("round %d (-log +receipt):\n%s", round, d)
		}
	}
	if err := g.Submit(t.Context(), "main", []Item{item("x", 10)}); err != nil {
		t.Errorf("without a receipt: %v", err)
	}
}

func isOpen(g *Gate) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

func TestPositions(t *testing.T) {
	p := Positions{{"kindred.behaviour", 1}: 7, {"kindred.behaviour", 0}: 9, {"a/b", 10}: 0}
	text := p.String()
	if text != "a/b/10:0 kindred.behaviour/0:9 kindred.behaviour/1:7" {
		t.Errorf("text %q", text)
	}
	back, err := ParsePositions(text)
	if d := cmp.Diff(p, back); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	for _, wrong := range []string{"a", "a/1", "a:1", "/1:1", "a/x:1", "a/1:x", "a/-1:1", "a/1:-1", "a/1:1:1"} {
		if _, err := ParsePositions(wrong); err == nil {
			t.Errorf("%q is read", wrong)
		}
	}
	if none, err := ParsePositions(""); err != nil || len(none) != 0 {
		t.Errorf("nothing: %v, %v", none, err)
	}
}
