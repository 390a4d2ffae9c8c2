// Package jsonstream cuts a stream of JSON into its messages: the elements of an
// array, lines, or values that follow one another. It looks at brackets, quotes
// and line feeds alone, keeps no more than one message of bounded length, and
// leaves it to the caller whether a message is sound inside.
package jsonstream

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Part is one message as it stood in the stream. Its bytes are valid until the
// next call of Next.
type Part struct {
	Raw  []byte
	Cut  bool  // longer than the limit, and kept as far as that
	Deep bool  // nested too deeply
	Line int64 // from 1, of the line; of an array or of values the element
}

// Damage ends a stream where it stops to be what it was.
type Damage struct {
	Detail string // names the rule, never what stands there
	Rest   []byte // the first of what follows
}

// Error implements error.
func (d *Damage) Error() string { return d.Detail }

// Splitter cuts a stream into messages without keeping more than one of them.
type Splitter struct {
	r     *bufio.Reader
	limit int
	depth int
	mode  func(*Splitter) (Part, error) // nil until the first byte was seen
	buf   []byte
	begun bool // an array has had an element
	line  int64
}

// New returns a splitter of messages of at most limit bytes and so many levels.
// With lines every line is a message; otherwise the first bytes decide.
func New(r io.Reader, limit, depth int, lines bool) *Splitter {
	s := &Splitter{r: bufio.NewReaderSize(r, 64<<10), limit: limit, depth: depth}
	if lines {
		s.mode = (*Splitter).nextLine
	}
	return s
}

// Next returns the next message, io.EOF after the last one, *Damage where the
// stream breaks, or the error of the reader.
func (s *Splitter) Next() (Part, error) {
	if s.mode == nil {
		if err := s.detect(); err != nil {
			return Part{}, err
		}
	}
	p, err := s.mode(s)
	if err == nil && p.Line == 0 {
		s.line++
		p.Line = s.line
	}
	return p, err
}

// detect decides by the first bytes between an array, lines, and values.
func (s *Splitter) detect() error {
	if b, err := s.r.Peek(3); err == nil && bytes.Equal(b, []byte("\xef\xbb\xbf")) {
		_, _ = s.r.Discard(3)
	}
	c, err := s.blank()
	if err != nil {
		return err
	}
	if c == '[' {
		_, _ = s.r.Discard(1)
		s.mode = (*Splitter).element
		return nil
	}
	s.mode = (*Splitter).value
	head, _ := s.r.Peek(s.r.Size())
	if first, rest, more := bytes.Cut(head, []byte("\n")); more && json.Valid(first) && len(bytes.TrimSpace(rest)) > 0 {
		s.mode = (*Splitter).nextLine
	}
	return nil
}

// blank skips white space and returns the byte after it without taking it.
func (s *Splitter) blank() (byte, error) {
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return 0, err
		}
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c, s.r.UnreadByte()
		}
	}
}

// nextLine returns the next line that is not blank.
func (s *Splitter) nextLine() (Part, error) {
	for {
		p := Part{}
		s.buf = s.buf[:0]
		s.line++
		p.Line = s.line
		var err error
		for {
			var more []byte
			more, err = s.r.ReadSlice('\n')
			p.Cut = s.keep(more) || p.Cut
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return Part{}, err
		}
		p.Raw = bytes.Trim(bytes.TrimPrefix(s.buf, []byte("\xef\xbb\xbf")), " \t\r\n")
		if len(p.Raw) > 0 {
			p.Deep = !p.Cut && nesting(p.Raw) > s.depth
			return p, nil
		}
		if err != nil {
			return Part{}, io.EOF
		}
	}
}

// keep appends to the buffer as far as the limit and reports whether that cut.
// The line feed of a line does not count.
func (s *Splitter) keep(more []byte) bool {
	room := s.limit - len(s.buf)
	if len(more) > room && len(bytes.TrimRight(more, "\r\n")) > room {
		s.buf = append(s.buf, more[:room]...)
		return true
	}
	s.buf = append(s.buf, more...)
	return false
}

// value returns the next of several values that follow one another.
func (s *Splitter) value() (Part, error) {
	if _, err := s.blank(); err != nil {
		return Part{}, err
	}
	return s.scan(false)
}

// element returns the next element of the array.
func (s *Splitter) element() (Part, error) {
	c, err := s.blank()
	switch {
	case errors.Is(err, io.EOF):
		return Part{}, s.broken("the array is cut off")
	case err != nil:
		return Part{}, err
	case c == ']':
		_, _ = s.r.Discard(1)
		if _, err := s.blank(); !errors.Is(err, io.EOF) {
			if err != nil {
				return Part{}, err
			}
			return Part{}, s.broken("something follows the array")
		}
		s.mode = func(*Splitter) (Part, error) { return Part{}, io.EOF }
		return Part{}, io.EOF
	case s.begun && c != ',':
		return Part{}, s.broken("a comma or the end of the array is missing")
	case s.begun:
		_, _ = s.r.Discard(1)
		if c, err = s.blank(); err != nil && !errors.Is(err, io.EOF) {
			return Part{}, err
		}
		if err != nil || c == ']' || c == ',' {
			return Part{}, s.broken("an element of the array is missing")
		}
	case c == ',':
		return Part{}, s.broken("an element of the array is missing")
	}
	s.begun = true
	return s.scan(true)
}

// broken reports damage to the array with the first of what follows it.
func (s *Splitter) broken(detail string) error {
	rest, err := io.ReadAll(io.LimitReader(s.r, int64(s.limit)))
	if err != nil {
		return err
	}
	return &Damage{Detail: detail, Rest: rest}
}
