package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity/ledger"
)

var errFenced = errors.New("another generation owns the partition")

// partitionLog is the partition of the evidence topic of one workspace, with its
// group, in memory: owners of any number of generations at once.
type partitionLog struct {
	mu         sync.Mutex
	log        []kafka.Message
	offset     int64
	metadata   string
	generation int32
	changed    chan struct{} // closed and replaced at every change
}

func (p *partitionLog) touch() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *partitionLog) add(m kafka.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.Offset, m.Time = int64(len(p.log)), readersNow
	p.log = append(p.log, m)
	p.touch()
}

// join starts a generation, which fences the commits of older ones.
func (p *partitionLog) join() *tenant {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.generation++
	return &tenant{p, p.generation, p.offset, p.metadata}
}

// drained returns when everything is committed.
func (p *partitionLog) drained(ctx context.Context) error {
	for {
		p.mu.Lock()
		changed, done := p.changed, p.offset == int64(len(p.log))
		p.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for all to be committed: %w", ctx.Err())
		}
	}
}

// tenant is one ownership.
type tenant struct {
	*partitionLog
	of   int32
	from int64
	left string
}

var _ ledger.Partition = (*tenant)(nil)

func (t *tenant) ID() int                    { return 0 }
func (t *tenant) Generation() int32          { return t.of }
func (t *tenant) Committed() (int64, string) { return t.from, t.left }

func (t *tenant) Fetch(ctx context.Context, offset int64) ([]kafka.Message, error) {
	for {
		t.mu.Lock()
		log, changed := t.log, t.changed
		t.mu.Unlock()
		if offset < int64(len(log)) {
			return slices.Clone(log[offset:min(int(offset)+5, len(log))]), nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (t *tenant) Commit(_ context.Context, offset int64, metadata string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of != t.generation {
		return errFenced
	}
	t.offset, t.metadata = offset, metadata
	t.touch()
	return nil
}
