package control

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/segmentio/kafka-go"
)

// Publisher writes records and returns when the broker has acknowledged them
// all. A *kafka.Writer is one.
type Publisher interface {
	WriteMessages(ctx context.Context, msgs ...kafka.Message) error
}

// ErrPending reports that a command was accepted but not applied in time. It
// will be; sending it again would ask for it twice.
var ErrPending = errors.New("the command was accepted and is not applied yet")

// ErrTooLarge reports a command over MaxCommand.
var ErrTooLarge = errors.New("the command is too large")

// Client sends commands and waits for their outcomes. It is safe for concurrent
// use.
type Client struct {
	publisher Publisher
	conn      driver.Conn
	wait      time.Duration
}

// DefaultWait is how long a client waits for an outcome.
const DefaultWait = 15 * time.Second

// NewClient returns a client that waits for an outcome at most as long as wait.
func NewClient(publisher Publisher, conn driver.Conn, wait time.Duration) *Client {
	return &Client{publisher: publisher, conn: conn, wait: wait}
}

// Do sends a command, to which it gives an id when it has none, and returns what
// became of it. A command that was refused is no error.
func (c *Client) Do(ctx context.Context, cmd Command) (*Outcome, error) {
	if cmd.ID == "" {
		var b [16]byte
		_, _ = rand.Read(b[:]) // Never fails: crypto/rand ends the process instead.
		cmd.ID = hex.EncodeToString(b[:])
	}
	if err := cmd.validate(); err != nil {
		return nil, fmt.Errorf("send command: %w", err)
	}
	value, err := json.Marshal(cmd)
	if err != nil {
		return nil, fmt.Errorf("encode command: %w", err)
	}
	if len(value) > MaxCommand {
		return nil, ErrTooLarge
	}
	if err := c.publisher.WriteMessages(ctx, kafka.Message{Topic: Topic, Key: []byte(cmd.Workspace), Value: value}); err != nil {
		return nil, fmt.Errorf("send command: %w", err)
	}
	waiting, stop := context.WithTimeout(ctx, c.wait)
	defer stop()
	pause := 10 * time.Millisecond
	for {
		o, err := outcomeOf(waiting, c.conn, cmd.Workspace, cmd.ID, math.MaxInt64)
		switch {
		case o != nil:
			return o, nil
		case waiting.Err() != nil:
			return nil, ErrPending
		case err != nil:
			return nil, err
		}
		select {
		case <-waiting.Done():
			return nil, ErrPending
		case <-time.After(pause):
		}
		pause = min(2*pause, 200*time.Millisecond)
	}
}
