package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

var (
	errCrash = errors.New("crash")
	errFence = errors.New("another generation owns the partition")
)

// topic is one partition of the evidence topic with its group: what Kafka keeps.
type topic struct {
	id         int
	mu         sync.Mutex
	log        []kafka.Message
	offset     int64
	metadata   string
	generation int32
	changed    chan struct{} // closed and replaced at every commit and append
}

func newTopic(id int) *topic { return &topic{id: id, changed: make(chan struct{})} }

func (t *topic) touch() {
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *topic) add(values ...[]byte) {
	for _, v := range values {
		t.append(kafka.Message{Value: v})
	}
}

func (t *topic) append(m kafka.Message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m.Offset, m.Time = int64(len(t.log)), testNow
	t.log = append(t.log, m)
	t.touch()
}

// join starts a generation: commits of older ones fail from here on.
func (t *topic) join() *member {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.generation++
	return &member{topic: t, generation: t.generation, offset: t.offset, metadata: t.metadata}
}

// waitCommitted returns when offset has been committed.
func (t *topic) waitCommitted(ctx context.Context, offset int64) error {
	for {
		t.mu.Lock()
		changed, done := t.changed, t.offset >= offset
		t.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// member is one ownership of a topic.
type member struct {
	topic      *topic
	generation int32
	offset     int64
	metadata   string
}

var _ Partition = (*member)(nil)

func (m *member) ID() int                    { return m.topic.id }
func (m *member) Generation() int32          { return m.generation }
func (m *member) Committed() (int64, string) { return m.offset, m.metadata }

func (m *member) Fetch(ctx context.Context, offset int64) ([]kafka.Message, error) {
	for {
		m.topic.mu.Lock()
		log, changed := m.topic.log, m.topic.changed
		m.topic.mu.Unlock()
		if offset < int64(len(log)) {
			return slices.Clone(log[offset:min(int(offset)+7, len(log))]), nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (m *member) Commit(_ context.Context, offset int64, metadata string) error {
	m.topic.mu.Lock()
	defer m.topic.mu.Unlock()
	if m.generation != m.topic.generation {
		return errFence
	}
	m.topic.offset, m.topic.metadata = offset, metadata
	m.topic.touch()
	return nil
}

// publisher is what cmd plugs in.
type publisher struct{ db driver.Conn }

func (p publisher) StartEpoch(ctx context.Context, workspace string, epoch uint64) error {
	_, err := warehouse.StartEpoch(ctx, p.db, workspace, epoch, testNow)
	return err
}

func (p publisher) Publish(ctx context.Context, workspace string, epoch, sequence uint64) error {
	return warehouse.PublishReading(ctx, p.db, workspace, warehouse.Version{Epoch: epoch, Sequence: sequence}, testNow)
}

// notebook keeps notices.
type notebook struct {
	mu      sync.Mutex
	notices []identity.Notice
}

func (n *notebook) WriteMessages(_ context.Context, messages ...kafka.Message) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range messages {
		var notice identity.Notice
		if err := json.Unmarshal(m.Value, &notice); err != nil {
			return err
		}
		n.notices = append(n.notices, notice)
	}
	return nil
}

// bin keeps rejections.
type bin struct{ rejections []Rejection }

func (b *bin) Reject(_ context.Context, rejections []Rejection) error {
	b.rejections = append(b.rejections, rejections...)
	return nil
}
