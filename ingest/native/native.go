package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/jsonstream"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Body is one request.
type Body struct {
	Workspace string
	Source    string // of all its messages
	Kind      wire.Kind
	Reader    io.Reader
	// Encoding is "", "identity", "gzip" or "zstd".
	Encoding string
	// Lines says that each line is a message; otherwise the content decides.
	Lines bool
}

// Outcome is what became of a body.
type Outcome struct {
	// Accepted messages are acknowledged by the broker. Rejected ones are
	// acknowledged as dead letters.
	Accepted, Rejected int64
	// Refusals are those of the rejected messages that fit the bound.
	Refusals []Refusal
	// Fault, when set, is why the body could not be read to its end; what was
	// read before it counts above.
	Fault *wire.Fault
}

// Refusal says why a message was not accepted.
type Refusal struct {
	Index int64  // from 0, in the order of the body
	ID    string // message id, when it could be read
	wire.Fault
}

// ErrEncoding refuses a content encoding that is not known.
var ErrEncoding = errors.New("content encoding must be gzip, zstd or identity")

// Intake reads bodies. It is safe for concurrent use.
type Intake struct {
	cfg   Config
	deps  Deps
	slots chan struct{}
}

// New returns an intake.
func New(cfg Config, deps Deps) (*Intake, error) {
	if err := errors.Join(cfg.Validate(), deps.validate()); err != nil {
		return nil, err
	}
	return &Intake{cfg: cfg, deps: deps, slots: make(chan struct{}, cfg.Streams)}, nil
}

// Take reads a body to its end and returns when the broker has acknowledged
// every message of it. On an error (that of the submitter, of ctx, of the
// reader, or ErrEncoding) the outcome counts what was acknowledged before; the
// caller may send the whole body again, and ids make that harmless.
func (in *Intake) Take(ctx context.Context, b Body) (Outcome, error) {
	select {
	case in.slots <- struct{}{}:
		defer func() { <-in.slots }()
	default:
		return Outcome{}, intake.Overloaded{After: time.Second}
	}
	r, err := in.decompress(b.Reader, b.Encoding)
	if err != nil {
		return Outcome{}, err
	}
	defer r.close()
	t := take{in: in, body: b}
	err = t.read(ctx, jsonstream.New(r, in.cfg.MessageBytes, in.cfg.Depth, b.Lines))
	return t.outcome, err
}

// take is the state of one Take.
type take struct {
	in      *Intake
	body    Body
	arrival time.Time // of the chunk
	outcome Outcome

	index    int64 // of the next message
	chunk    []intake.Item
	bytes    int
	refusals []Refusal // of the chunk
	buf      []byte    // of one message
}

func (t *take) read(ctx context.Context, s *jsonstream.Splitter) error {
	for {
		part, err := s.Next()
		var bomb *damage
		var broken *jsonstream.Damage
		switch {
		case errors.Is(err, io.EOF):
			return t.submit(ctx)
		case errors.As(err, &bomb):
			// What came before the damage is sound and is kept.
			t.outcome.Fault = &wire.Fault{Code: bomb.code, Detail: bomb.detail}
			return t.submit(ctx)
		case errors.As(err, &broken):
			t.outcome.Fault = &wire.Fault{Code: wire.CodeJSON, Detail: broken.Detail}
			if len(broken.Rest) > 0 {
				t.refuse(broken.Rest, "", *t.outcome.Fault)
			}
			return t.submit(ctx)
		case err != nil:
			return fmt.Errorf("read the body: %w", err)
		}
		if len(t.chunk) == 0 {
			t.arrival = t.in.deps.Now() // A stream may last for hours.
		}
		t.add(part)
		if len(t.chunk) >= t.in.cfg.ChunkMessages || t.bytes >= t.in.cfg.ChunkBytes {
			if err := t.submit(ctx); err != nil {
				return err
			}
		}
	}
}

// submit gives the chunk to the intake and counts it when it is acknowledged.
func (t *take) submit(ctx context.Context) error {
	if len(t.chunk) == 0 {
		return nil
	}
	if err := t.in.deps.Submitter.Submit(ctx, t.body.Workspace, t.chunk); err != nil {
		return fmt.Errorf("submit events: %w", err)
	}
	t.outcome.Rejected += int64(len(t.refusals))
	t.outcome.Accepted += int64(len(t.chunk) - len(t.refusals))
	room := t.in.cfg.Refusals - len(t.outcome.Refusals)
	t.outcome.Refusals = append(t.outcome.Refusals, t.refusals[:min(room, len(t.refusals))]...)
	clear(t.chunk)
	t.chunk, t.refusals, t.bytes = t.chunk[:0], t.refusals[:0], 0
	return nil
}
