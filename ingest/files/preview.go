package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Sample is one record of a preview: a message, or why there is none.
type Sample struct {
	Kind     string          `json:"kind"`
	Message  json.RawMessage `json:"message,omitempty"`
	Position string          `json:"position,omitempty"` // of a rejected line
	Code     string          `json:"code,omitempty"`
	Reason   string          `json:"reason,omitempty"`
}

var errEnough = errors.New("enough")

// Preview returns the first n records that an import of the input would
// publish, and publishes nothing. Ids that follow from the whole content have
// the word preview in its place.
func Preview(ctx context.Context, in Input, format Format, n int, now time.Time) ([]Sample, error) {
	defaults := DefaultConfig()
	c := format.Begin(Options{
		File: in.Name, AsOf: now, SHA256: "preview", Path: in.plainPath(),
		MaxMessageBytes: defaults.MaxMessageBytes, MaxOpenBytes: defaults.MaxOpenBytes,
	})
	if _, streams := c.(*conversion); !streams {
		if err := readPart(in, func(content *content) error { _, err := c.Survey(ctx, content); return err }); err != nil {
			return nil, err
		}
	}
	var out []Sample
	err := readPart(in, func(content *content) error {
		return c.Convert(ctx, content, 0, func(r Record) error {
			out = append(out, sampleOf(r))
			if len(out) >= n {
				return errEnough
			}
			return nil
		})
	})
	if err != nil && !errors.Is(err, errEnough) {
		return out, fmt.Errorf("preview %s: %w", in.Name, err)
	}
	return out, nil
}

// readPart gives the content to read, which need not read all of it.
func readPart(in Input, read func(*content) error) error {
	c, err := in.open()
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return read(c)
}

func sampleOf(r Record) Sample {
	s := Sample{Kind: strings.TrimPrefix(r.Topic, "kindred.")}
	if line, rejected := rejectOf(r); rejected {
		s.Position, s.Reason = line.Position, line.Reason
		if s.Code = line.Code; s.Code == "" {
			s.Code = "rejected_by_source"
		}
		return s
	}
	s.Message = r.Value
	return s
}

// Kinds names the kinds that Messages reads, for help texts.
func Kinds() string {
	var names []string
	for _, k := range wire.Kinds() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}
