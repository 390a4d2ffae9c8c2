package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/kindred-cdp/kindred/ingest/mapping"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Mapped is the format of files that a mapping declares.
type Mapped struct {
	mapping *mapping.Mapping
	source  string
	name    string
}

var _ Format = (*Mapped)(nil)

// NewMapped returns the format of a checked mapping and its text; source, when
// it is not empty, stands above that of the mapping. The name of the format
// follows from both, so that another mapping of the same file is another import.
func NewMapped(m *mapping.Mapping, text []byte, source string) (*Mapped, error) {
	if source == "" {
		source = m.Source
	}
	if source == "" || len(source) > wire.MaxSource {
		return nil, fmt.Errorf("the mapping names no source of at most %d bytes; say source = \"…\" in it, or --source", wire.MaxSource)
	}
	sum := sha256.Sum256(append([]byte(source+"\x00"), text...))
	return &Mapped{mapping: m, source: source, name: "mapped-" + hex.EncodeToString(sum[:4])}, nil
}

// Name returns "mapped-" and the beginning of the mapping's hash.
func (m *Mapped) Name() string { return m.name }

// Begin implements Format.
func (m *Mapped) Begin(opts Options) Conversion {
	return &conversion{opts: opts, input: m.mapping.Input, source: m.source, kind: m.mapping.Kind(), convert: m.convert}
}

// convert maps one record.
func (m *Mapped) convert(rec sourceRecord, env mapping.Env) mapping.Result {
	return m.mapping.Apply(rec.value, env)
}

// Messages is the format of files that hold messages of package wire already,
// as lines or as an array. Its messages may leave out source, id and time.
type Messages struct {
	Kind   wire.Kind
	Source string
}

var _ Format = Messages{}

// Name returns "messages-" and the kind.
func (m Messages) Name() string { return "messages-" + string(m.Kind) }

// Begin implements Format.
func (m Messages) Begin(opts Options) Conversion {
	return &conversion{opts: opts, source: m.Source, kind: m.Kind, convert: m.convert}
}

func (m Messages) convert(rec sourceRecord, env mapping.Env) (r mapping.Result) {
	refuse := func(f wire.Fault, message []byte) mapping.Result {
		return mapping.Result{Faults: []*mapping.Fault{{Code: f.Code, Detail: f.Detail, Message: message}}}
	}
	var msg wire.Message
	if f := msg.Parse(rec.raw); f != nil {
		return refuse(*f, nil)
	}
	if msg.Source == "" {
		msg.Source = m.Source
	}
	if msg.ID == "" {
		msg.ID = env.DefaultID
	}
	if msg.Time.IsZero() {
		msg.Time, msg.Undated = env.Now, true
	} else {
		msg.Time = msg.Time.Add(env.Shift)
	}
	value, err := msg.Encode()
	if err != nil {
		return refuse(wire.Fault{Code: wire.CodeField, Detail: "a time is after the year 9999"}, nil)
	}
	if faults := msg.Check(m.Kind); len(faults) > 0 {
		return refuse(faults[0], value)
	}
	r.Messages = []mapping.Mapped{{Kind: m.Kind, Message: &msg, Value: value}}
	return r
}

// conversion reads records and emits their messages.
type conversion struct {
	opts    Options
	input   mapping.Input
	source  string
	kind    wire.Kind // of records that become no message
	convert func(sourceRecord, mapping.Env) mapping.Result
	counts  Counts
}

var _ Conversion = (*conversion)(nil)

// Counts implements Conversion.
func (c *conversion) Counts() Counts { return c.counts }

// Survey implements Conversion. Without a shift it only counts records, since
// one record usually is one message.
func (c *conversion) Survey(ctx context.Context, r io.Reader) (Survey, error) {
	var s Survey
	err := c.each(ctx, r, func(rec sourceRecord) error {
		s.Lines++
		if rec.fault != nil {
			s.Rejected++
			return nil
		}
		s.Messages++
		if !c.opts.Shifted {
			return nil
		}
		for _, m := range c.apply(rec, 0).Messages {
			if t := m.Message.Time; !m.Message.Undated {
				if s.First.IsZero() || t.Before(s.First) {
					s.First = t
				}
				if t.After(s.Last) {
					s.Last = t
				}
			}
		}
		return nil
	})
	return s, err
}

// Convert implements Conversion.
func (c *conversion) Convert(ctx context.Context, r io.Reader, shift time.Duration, emit func(Record) error) error {
	return c.each(ctx, r, func(rec sourceRecord) error {
		c.counts.Lines++
		if rec.fault != nil {
			return c.reject(rec, 0, rec.raw, rec.fault.Code, rec.fault.Detail, emit)
		}
		result := c.apply(rec, shift)
		if result.Ignored {
			c.counts.Ignored++
		}
		for _, m := range result.Messages {
			if len(m.Value) > c.opts.MaxMessageBytes {
				f := &mapping.Fault{Code: wire.CodeTooLarge, Detail: fmt.Sprintf("message of %d bytes; the limit is %d", len(m.Value), c.opts.MaxMessageBytes)}
				result.Faults = append(result.Faults, f)
				continue
			}
			c.counts.Messages++
			if err := emit(Record{
				Topic: m.Kind.Topic(), Key: wire.PartitionKey(m.Message.Source, m.Message.ID), Value: m.Value,
				Headers: WorkspaceHeaders(c.opts.Workspace),
			}); err != nil {
				return err
			}
		}
		for i, f := range result.Faults {
			value := f.Message
			if value == nil {
				value = rec.raw
			}
			if err := c.reject(rec, i, value, f.Code, f.Error(), emit); err != nil {
				return err
			}
		}
		return nil
	})
}

// each reads every record of the content.
func (c *conversion) each(ctx context.Context, r io.Reader, do func(sourceRecord) error) error {
	s, err := openSource(r, c.input, c.opts)
	if err != nil {
		return fmt.Errorf("%s: %w", c.opts.File, err)
	}
	if closer, ok := s.(interface{ close() }); ok {
		defer closer.close()
	}
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		rec, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(rec)
		}
		if err != nil {
			return err
		}
	}
}

func (c *conversion) apply(rec sourceRecord, shift time.Duration) mapping.Result {
	hash := c.opts.SHA256[:min(16, len(c.opts.SHA256))]
	return c.convert(rec, mapping.Env{
		Source: c.source, Now: c.opts.AsOf, Shift: shift, Line: rec.line, File: c.opts.File, SourceHash: hash,
		DefaultID: "row:" + hash + ":" + strconv.FormatInt(rec.line, 10),
		Hash: func() string {
			sum := sha256.Sum256(rec.raw)
			return hex.EncodeToString(sum[:16])
		},
	})
}

// reject emits a dead letter; a record of several faults gives several.
func (c *conversion) reject(rec sourceRecord, i int, value []byte, code, detail string, emit func(Record) error) error {
	c.counts.Rejected++
	position := c.opts.File + ":" + strconv.FormatInt(rec.line, 10)
	if i > 0 {
		position += "[" + strconv.Itoa(i) + "]"
	}
	headers := append(WorkspaceHeaders(c.opts.Workspace),
		Header{Key: wire.HeaderReject, Value: []byte(detail)},
		Header{Key: wire.HeaderReason, Value: []byte(code)},
		Header{Key: wire.HeaderSource, Value: []byte(c.source)},
		Header{Key: wire.HeaderPosition, Value: []byte(position)})
	return emit(Record{
		Topic: c.kind.Topic(), Key: wire.PartitionKey(c.source, position),
		Value: bytes.Clone(value[:min(len(value), c.opts.MaxMessageBytes)]), Headers: headers,
	})
}
