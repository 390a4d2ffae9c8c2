package files

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// rejectingFeed writes every rejected record of a feed to a file, one JSON
// object a line. A feed always gives all its records, so the file is whole also
// when the import was interrupted in between.
type rejectingFeed struct {
	Feed
	path string
}

// rejectLine is one line of the file.
type rejectLine struct {
	Position string `json:"position"` // file and line
	Code     string `json:"code"`
	Reason   string `json:"reason"`
	Raw      string `json:"raw,omitempty"`
	Bytes    []byte `json:"bytes,omitempty"` // in base64, when raw is not UTF-8
}

// Records implements Feed.
func (f rejectingFeed) Records(ctx context.Context, emit func(Record) error) (err error) {
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	b := bufio.NewWriter(file)
	defer func() {
		for _, step := range []func() error{b.Flush, file.Close} {
			if stepErr := step(); err == nil && stepErr != nil {
				err = fmt.Errorf("reject file: %w", stepErr)
			}
		}
	}()
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	return f.Feed.Records(ctx, func(r Record) error {
		line, rejected := rejectOf(r)
		if rejected {
			if err := enc.Encode(line); err != nil {
				return fmt.Errorf("reject file: %w", err)
			}
		}
		return emit(r)
	})
}

func rejectOf(r Record) (line rejectLine, rejected bool) {
	for _, h := range r.Headers {
		switch h.Key {
		case wire.HeaderReject:
			line.Reason, rejected = string(h.Value), true
		case wire.HeaderReason:
			line.Code = string(h.Value)
		case wire.HeaderPosition:
			line.Position = string(h.Value)
		}
	}
	if rejected && utf8.Valid(r.Value) {
		line.Raw = string(r.Value)
	} else if rejected {
		line.Bytes = r.Value
	}
	return line, rejected
}
