package native

import (
	"bytes"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// freeNames are the free objects of a message: most of its bytes, and nothing
// that a door looks into.
var freeNames = [...]string{"properties", "traits", "context"}

// free holds the free objects of a message as they were sent.
type free [len(freeNames)][]byte

// setAside splits a message into its free objects, checked for their grammar,
// and a message without them, so that only that is decoded and encoded again.
// It gives up where the usual way must decide or word the fault.
func setAside(raw, buf []byte) (rest []byte, objects free, ok bool) {
	rest = append(buf[:0], '{')
	m := jsonscan.ObjectOf(raw)
members:
	for m.Next() {
		for i, name := range freeNames {
			if string(m.Key) != name {
				continue
			}
			if objects[i] != nil || len(m.Value) == 0 || m.Value[0] != '{' {
				return rest, objects, false
			}
			objects[i] = m.Value
			continue members
		}
		if len(rest) > 1 {
			rest = append(rest, ',')
		}
		rest = jsonscan.AppendText(rest, m.Key)
		rest = append(append(rest, ':'), m.Value...)
	}
	return append(rest, '}'), objects, m.Err() == nil
}

// attach gives the message its free objects, and reports whether it had others
// under names that differ by case.
func (f *free) attach(m *wire.Message) bool {
	if m.Properties != nil || m.Traits != nil || m.Context != nil {
		return false
	}
	m.Properties, m.Traits, m.Context = f[0], f[1], f[2]
	return true
}

// encode returns the JSON of a message with its free objects as they were sent.
func (f *free) encode(m *wire.Message) ([]byte, error) {
	small := *m
	small.Properties, small.Traits, small.Context = nil, nil, nil
	text, err := small.Encode()
	if err != nil {
		return nil, err
	}
	size := len(text)
	for i, name := range freeNames {
		size += len(f[i]) + len(name) + 4
	}
	out := append(make([]byte, 0, size), bytes.TrimSuffix(text, []byte("}"))...)
	for i, name := range freeNames {
		if f[i] != nil {
			out = append(append(append(out, `,"`...), name...), `":`...)
			out = append(out, f[i]...)
		}
	}
	return append(out, '}'), nil
}
