package native

import (
	"errors"
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Config bounds the reading of bodies.
type Config struct {
	// MessageBytes is the greatest size of one message, as sent and as stored.
	// Default 900 KiB, below the 1 MiB that brokers accept.
	MessageBytes int
	// Depth is the greatest nesting of objects and arrays. Default 64.
	Depth int
	// ChunkMessages and ChunkBytes end a chunk, whichever is met first.
	// Defaults 1 000 and 1 MiB.
	ChunkMessages, ChunkBytes int
	// Refusals is how many refused messages an outcome lists. Default 1 000.
	Refusals int
	// Ratio is how many times longer than its compressed form a body may be,
	// beyond its first MiB. Default 200.
	Ratio int
	// Streams is the number of bodies read at once; one more is refused with
	// intake.Overloaded. Default 256.
	Streams int
}

// DefaultConfig returns the defaults named at the fields.
func DefaultConfig() Config {
	return Config{
		MessageBytes: 900 << 10, Depth: 64, ChunkMessages: 1000, ChunkBytes: 1 << 20,
		Refusals: 1000, Ratio: 200, Streams: 256,
	}
}

// Validate reports every fault of c.
func (c Config) Validate() error {
	var errs []error
	if c.MessageBytes < 1 || c.MessageBytes > wire.MaxMessage {
		errs = append(errs, fmt.Errorf("native: a message must have from 1 to %d bytes", wire.MaxMessage))
	}
	if c.Depth < 1 || c.ChunkMessages < 1 || c.ChunkBytes < 1 || c.Refusals < 0 || c.Ratio < 1 || c.Streams < 1 {
		errs = append(errs, errors.New("native: bounds must be positive"))
	}
	return errors.Join(errs...)
}

// Deps are what an Intake uses. Identifier alone may be nil.
type Deps struct {
	Submitter intake.Submitter
	Now       func() time.Time
	// NewID returns an id for a message that came without one.
	NewID func() string
	// Identifier returns why a value cannot be an identifier of its namespace,
	// without repeating it.
	Identifier func(namespace, value string) error
}

func (d Deps) validate() error {
	if d.Submitter == nil || d.Now == nil || d.NewID == nil {
		return errors.New("native: a submitter, a clock and a source of ids are required")
	}
	return nil
}
