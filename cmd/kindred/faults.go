package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity/ledger"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// faults are what the chaos suite puts between ingest and the engines: it ends
// or pauses the process at a named step of the delivery, and switches off the
// mechanisms that keep the promise, to show that the suite would notice. Only
// the hidden command of the suite makes one; a nil *faults changes nothing.
type faults struct {
	step   string // where to act; one of faultSteps
	after  atomic.Int64
	signal syscall.Signal // SIGKILL or SIGSTOP
	off    []string       // mechanisms that are switched off
	late   time.Duration  // after which the identity owner sees its evidence
	unique atomic.Int64
}

// faultSteps are the steps between fetch and commit, in order.
func faultSteps() []string {
	return []string{
		"after fetch", "before plan", "after plan", "before forward", "before lookup", "before insert", "after insert",
		"before evidence", "after evidence", "before commit", "after commit",
	}
}

// mechanisms are what can be switched off.
func mechanisms() []string { return []string{"dedupe", "token", "fencing"} }

// parseFaults reads "kill:after plan:3": what, where, and how often the step is
// passed before. An empty text stops nowhere.
func parseFaults(text string, off []string) (*faults, error) {
	f := &faults{off: off}
	for _, m := range off {
		if !slices.Contains(mechanisms(), m) {
			return nil, fmt.Errorf("mechanism %q is none of %v", m, mechanisms())
		}
	}
	if text == "" {
		return f, nil
	}
	what, rest, _ := strings.Cut(text, ":")
	step, count, _ := strings.Cut(rest, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil || !slices.Contains(faultSteps(), step) {
		return nil, fmt.Errorf("fault %q is not kill or stop, a step and a number; steps are %v", text, faultSteps())
	}
	switch what {
	case "kill":
		f.signal = syscall.SIGKILL
	case "stop":
		f.signal = syscall.SIGSTOP
	default:
		return nil, fmt.Errorf("fault %q neither kills nor stops", text)
	}
	f.step = step
	f.after.Store(n)
	return f, nil
}

// at ends or pauses this very process when the step has come.
func (f *faults) at(step string) {
	if step == f.step && f.after.Add(-1) == -1 {
		fmt.Fprintf(os.Stderr, "fault: %s %s\n", f.signal, step)
		_ = syscall.Kill(os.Getpid(), f.signal) // It does not fail for oneself.
	}
}

// clock is the broker's: every other half second lies a month back, so that
// batches have rows in several parts of a table.
func (f *faults) clock(clock func() time.Time) func() time.Time {
	if f == nil {
		return clock
	}
	return func() time.Time {
		t := clock()
		if t.UnixMilli()/500%2 == 0 {
			return t
		}
		return t.AddDate(0, 0, -31)
	}
}

// fold makes the reading be folded all the time, and not when it has grown.
func (f *faults) fold(cfg warehouse.FoldConfig) warehouse.FoldConfig {
	if f != nil {
		cfg.Interval, cfg.MaxRecent = time.Second, 300
	}
	return cfg
}

func (f *faults) isOff(mechanism string) bool { return slices.Contains(f.off, mechanism) }

func (f *faults) store(s ingest.Store) ingest.Store {
	if f == nil {
		return s
	}
	return faultyStore{s, f}
}

type faultyStore struct {
	ingest.Store
	f *faults
}

func (s faultyStore) Lookup(ctx context.Context, workspace string, hashes []ingest.Hash) (map[ingest.Hash]ingest.Seen, error) {
	s.f.at("before lookup")
	if s.f.isOff("dedupe") {
		return nil, nil
	}
	return s.Store.Lookup(ctx, workspace, hashes)
}

func (s faultyStore) Insert(ctx context.Context, token string, b *ingest.Batch) error {
	if s.f.isOff("token") {
		token = fmt.Sprintf("%s/%d/%d", token, os.Getpid(), s.f.unique.Add(1))
	}
	s.f.at("before insert")
	if err := s.Store.Insert(ctx, token, b); err != nil {
		return err
	}
	s.f.at("after insert")
	return nil
}

func (f *faults) publisher(p ingest.Publisher) ingest.Publisher {
	if f == nil {
		return p
	}
	return faultyPublisher{p, f}
}

type faultyPublisher struct {
	ingest.Publisher
	f *faults
}

func (p faultyPublisher) WriteMessages(ctx context.Context, msgs ...kafkago.Message) error {
	if len(msgs) > 0 && msgs[0].Topic != ingest.EvidenceTopic {
		p.f.at("before forward")
		return p.Publisher.WriteMessages(ctx, msgs...)
	}
	p.f.at("before evidence")
	if err := p.Publisher.WriteMessages(ctx, msgs...); err != nil {
		return err
	}
	p.f.at("after evidence")
	return nil
}

func (f *faults) partition(ctx context.Context, p *kafka.Partition) (context.Context, ingest.Partition) {
	if f == nil {
		return ctx, p
	}
	if f.isOff("fencing") {
		ctx = context.WithoutCancel(ctx) // The owner does not hear that it was replaced, either.
	}
	return ctx, faultyPartition{p, f}
}

type faultyPartition struct {
	*kafka.Partition
	f *faults
}

func (p faultyPartition) Fetch(ctx context.Context, offset int64) ([]kafkago.Message, error) {
	got, err := p.Partition.Fetch(ctx, offset)
	if len(got) > 0 {
		p.f.at("after fetch")
	}
	return got, err
}

func (p faultyPartition) Commit(ctx context.Context, offset int64, metadata string) error {
	step := "commit"
	if metadata != "" {
		step = "plan"
	}
	p.f.at("before " + step)
	err := p.Partition.Commit(ctx, offset, metadata)
	if p.f.isOff("fencing") && errors.Is(err, kafka.ErrLost) {
		err = nil
	}
	if err == nil {
		p.f.at("after " + step)
	}
	return err
}

// evidence is what the identity owner reads from.
func (f *faults) evidence(p *kafka.Partition) ledger.Partition {
	if f == nil || f.late == 0 {
		return p
	}
	return latePartition{p, f.late}
}

// latePartition hands records out when they have reached an age, and otherwise as fast
// as they come.
type latePartition struct {
	*kafka.Partition
	late time.Duration
}

func (p latePartition) Fetch(ctx context.Context, offset int64) ([]kafkago.Message, error) {
	got, err := p.Partition.Fetch(ctx, offset)
	if len(got) == 0 {
		return got, err
	}
	pause(ctx, got[0].Time.Add(p.late).Sub(now()))
	young := slices.IndexFunc(got, func(m kafkago.Message) bool { return m.Time.Add(p.late).After(now()) })
	if young > 0 {
		got = got[:young]
	}
	return got, err
}
