package native

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// part is one message of a body as it stood there. Its bytes are valid until
// the next call of next.
type part struct {
	raw  []byte
	cut  bool // longer than the limit, and kept as far as that
	deep bool // nested too deeply
}

// splitter cuts a body into messages without keeping more than one of them.
type splitter struct {
	r     *bufio.Reader
	limit int
	depth int
	mode  func(*splitter) (part, error) // nil until the first byte was seen
	buf   []byte
	begun bool // an array has had an element
}

func newSplitter(r io.Reader, limit, depth int, lines bool) *splitter {
	s := &splitter{r: bufio.NewReaderSize(r, 64<<10), limit: limit, depth: depth}
	if lines {
		s.mode = (*splitter).line
	}
	return s
}

// next returns the next message, io.EOF after the last one, *damage where the
// body stops to be what it was, or the error of the reader.
func (s *splitter) next() (part, error) {
	if s.mode == nil {
		if err := s.detect(); err != nil {
			return part{}, err
		}
	}
	return s.mode(s)
}

// detect decides by the first bytes between an array, lines, and values.
func (s *splitter) detect() error {
	if b, err := s.r.Peek(3); err == nil && bytes.Equal(b, []byte("\xef\xbb\xbf")) {
		_, _ = s.r.Discard(3)
	}
	c, err := s.blank()
	if err != nil {
		return err
	}
	if c == '[' {
		_, _ = s.r.Discard(1)
		s.mode = (*splitter).element
		return nil
	}
	s.mode = (*splitter).value
	head, _ := s.r.Peek(s.r.Size())
	if first, rest, more := bytes.Cut(head, []byte("\n")); more && json.Valid(first) && len(bytes.TrimSpace(rest)) > 0 {
		s.mode = (*splitter).line
	}
	return nil
}

// blank skips white space and returns the byte after it without taking it.
func (s *splitter) blank() (byte, error) {
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

// line returns the next line that is not blank.
func (s *splitter) line() (part, error) {
	for {
		p := part{}
		s.buf = s.buf[:0]
		var err error
		for {
			var more []byte
			more, err = s.r.ReadSlice('\n')
			p.cut = s.keep(more) || p.cut
			if !errors.Is(err, bufio.ErrBufferFull) {
				break
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return part{}, err
		}
		p.raw = bytes.Trim(bytes.TrimPrefix(s.buf, []byte("\xef\xbb\xbf")), " \t\r\n")
		if len(p.raw) > 0 {
			p.deep = !p.cut && nesting(p.raw) > s.depth
			return p, nil
		}
		if err != nil {
			return part{}, io.EOF
		}
	}
}

// keep appends to the buffer as far as the limit and reports whether that cut.
// The line feed of a line does not count.
func (s *splitter) keep(more []byte) bool {
	room := s.limit - len(s.buf)
	if len(more) > room && len(bytes.TrimRight(more, "\r\n")) > room {
		s.buf = append(s.buf, more[:room]...)
		return true
	}
	s.buf = append(s.buf, more...)
	return false
}

// value returns the next of several values that follow one another.
func (s *splitter) value() (part, error) {
	if _, err := s.blank(); err != nil {
		return part{}, err
	}
	return s.scan(false)
}

// element returns the next element of the array.
func (s *splitter) element() (part, error) {
	c, err := s.blank()
	switch {
	case errors.Is(err, io.EOF):
		return part{}, s.broken("the array is cut off")
	case err != nil:
		return part{}, err
	case c == ']':
		_, _ = s.r.Discard(1)
		if _, err := s.blank(); !errors.Is(err, io.EOF) {
			if err != nil {
				return part{}, err
			}
			return part{}, s.broken("something follows the array")
		}
		s.mode = func(*splitter) (part, error) { return part{}, io.EOF }
		return part{}, io.EOF
	case s.begun && c != ',':
		return part{}, s.broken("a comma or the end of the array is missing")
	case s.begun:
		_, _ = s.r.Discard(1)
		if c, err = s.blank(); err != nil && !errors.Is(err, io.EOF) {
			return part{}, err
		}
		if err != nil || c == ']' || c == ',' {
			return part{}, s.broken("an element of the array is missing")
		}
	case c == ',':
		return part{}, s.broken("an element of the array is missing")
	}
	s.begun = true
	return s.scan(true)
}

// broken reports damage to the array with the first of what follows it.
func (s *splitter) broken(detail string) error {
	rest, err := io.ReadAll(io.LimitReader(s.r, int64(s.limit)))
	var d *damage
	if errors.As(err, &d) || err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return &damage{code: wire.CodeJSON, detail: detail, rest: rest}
}
