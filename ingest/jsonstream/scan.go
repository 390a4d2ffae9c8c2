package jsonstream

import (
	"errors"
	"io"
)

// scan takes one JSON value by its brackets and quotes alone; whether it is
// sound inside is for the parser. The reader stands at its first byte.
func (s *Splitter) scan(inArray bool) (Part, error) {
	s.buf = s.buf[:0]
	var p Part
	var st state
	for {
		if _, err := s.r.Peek(1); err != nil {
			if !errors.Is(err, io.EOF) {
				return Part{}, err
			}
			p.Raw = s.buf // Cut off, or a scalar at the end: the parser will say.
			return p, nil
		}
		window, _ := s.r.Peek(s.r.Buffered())
		n, done := st.advance(window, inArray)
		p.Cut = s.keep(window[:n]) || p.Cut
		_, _ = s.r.Discard(n)
		p.Deep = p.Deep || st.deepest > s.depth
		if done {
			p.Raw = s.buf
			return p, nil
		}
	}
}

// state is how far the scanning of one value is.
type state struct {
	depth, deepest  int
	quoted, escaped bool
	anything        bool
}

// advance scans b and returns how many of its bytes belong to the value, and
// whether the value ends there.
func (st *state) advance(b []byte, inArray bool) (int, bool) {
	for i, c := range b {
		switch {
		case st.escaped:
			st.escaped = false
		case st.quoted:
			st.escaped = c == '\\'
			if c == '"' {
				st.quoted = false
				if st.depth == 0 {
					return i + 1, true
				}
			}
		case c == '"':
			st.quoted = true
		case c == '{' || c == '[':
			st.depth++
			st.deepest = max(st.deepest, st.depth)
		case c == '}' || c == ']':
			if st.depth == 0 {
				// The end of the array around a scalar; alone it is a value of
				// its own, which the parser refuses.
				return i + ending(inArray && st.anything), true
			}
			if st.depth--; st.depth == 0 {
				return i + 1, true
			}
		case st.depth == 0 && (inArray && c == ',' || st.anything && blankByte(c)):
			return i, true
		}
		st.anything = true
	}
	return len(b), false
}

func ending(outside bool) int {
	if outside {
		return 0
	}
	return 1
}

func blankByte(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// nesting returns the depth of a JSON text.
func nesting(b []byte) int {
	var st state
	for len(b) > 0 {
		n, _ := st.advance(b, false)
		b = b[max(n, 1):]
	}
	return st.deepest
}
