package jsonscan

import (
	"encoding/binary"
	"fmt"
)

// MaxDepth is the greatest nesting of arrays and objects that is read.
const MaxDepth = 128

// Error says where the text breaks the grammar. It never repeats the text.
type Error struct {
	Offset int    // in bytes from the beginning of the scanned text
	Rule   string // what was expected or forbidden
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.Rule, e.Offset) }

// Check reports whether b is exactly one JSON value, nested at most MaxDepth
// deep. White space around it is allowed.
func Check(b []byte) error {
	_, err := Value(b)
	return err
}

// Value returns the one JSON value that b holds, without the white space around.
func Value(b []byte) ([]byte, error) {
	s := scanner{b: b}
	s.space()
	start := s.i
	if err := s.value(0); err != nil {
		return nil, err
	}
	v := b[start:s.i]
	s.space()
	if s.i != len(b) {
		return nil, s.fail("text after the value")
	}
	return v, nil
}

// Prefix returns the JSON value at the beginning of b, without the white space
// before it, and the number of bytes up to its end: for streams of values. The
// value is nil when b holds nothing but white space.
func Prefix(b []byte) (value []byte, n int, err error) {
	s := scanner{b: b}
	s.space()
	if s.i == len(b) {
		return nil, s.i, nil
	}
	start := s.i
	if err := s.value(0); err != nil {
		return nil, 0, err
	}
	return b[start:s.i], s.i, nil
}

// scanner walks over b.
type scanner struct {
	b []byte
	i int
}

func (s *scanner) fail(rule string) error { return &Error{Offset: s.i, Rule: rule} }

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// value skips one value that begins at i.
func (s *scanner) value(depth int) error {
	if s.i >= len(s.b) {
		return s.fail("text ends where a value should be")
	}
	switch c := s.b[s.i]; c {
	case '"':
		return s.text()
	case '{', '[':
		if depth >= MaxDepth {
			return s.fail("nesting is too deep")
		}
		if c == '{' {
			return s.object(depth + 1)
		}
		return s.array(depth + 1)
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return s.number()
		}
		return s.fail("character that begins no value")
	}
}

func (s *scanner) object(depth int) error {
	s.i++
	s.space()
	if s.i < len(s.b) && s.b[s.i] == '}' {
		s.i++
		return nil
	}
	for {
		if err := s.key(); err != nil {
			return err
		}
		if err := s.value(depth); err != nil {
			return err
		}
		if more, err := s.next('}'); !more {
			return err
		}
	}
}

func (s *scanner) array(depth int) error {
	s.i++
	s.space()
	if s.i < len(s.b) && s.b[s.i] == ']' {
		s.i++
		return nil
	}
	for {
		if err := s.value(depth); err != nil {
			return err
		}
		if more, err := s.next(']'); !more {
			return err
		}
	}
}

// key skips a key, its colon and the space after.
func (s *scanner) key() error {
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return s.fail("expected a key in quotes")
	}
	if err := s.text(); err != nil {
		return err
	}
	s.space()
	if s.i >= len(s.b) || s.b[s.i] != ':' {
		return s.fail("expected a colon")
	}
	s.i++
	s.space()
	return nil
}

// next skips a comma (more) or the end of the array or object.
func (s *scanner) next(end byte) (more bool, err error) {
	s.space()
	if s.i >= len(s.b) {
		return false, s.fail("text ends within an array or object")
	}
	switch s.b[s.i] {
	case ',':
		s.i++
		s.space()
		return true, nil
	case end:
		s.i++
		return false, nil
	}
	return false, s.fail("expected a comma or the end of the array or object")
}

func (s *scanner) word(w string) error {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return s.fail("character that begins no value")
	}
	s.i += len(w)
	return nil
}

// Bytes of a word that are special in a string: control characters, the quote
// and the backslash (Mycroft's test for a zero byte, on eight bytes at once).
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

func special(w uint64) bool {
	quote := w ^ '"'*ones
	slash := w ^ '\\'*ones
	return ((w-0x20*ones)&^w|(quote-ones)&^quote|(slash-ones)&^slash)&highs != 0
}

// text skips a string.
func (s *scanner) text() error {
	s.i++
	for {
		for s.i+8 <= len(s.b) && !special(binary.LittleEndian.Uint64(s.b[s.i:])) {
			s.i += 8
		}
		if s.i >= len(s.b) {
			return s.fail("text ends within a string")
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return nil
		case c == '\\':
			if err := s.escape(); err != nil {
				return err
			}
		case c < 0x20:
			return s.fail("control character in a string")
		default:
			s.i++
		}
	}
}

func (s *scanner) escape() error {
	if s.i+1 >= len(s.b) {
		return s.fail("text ends within a string")
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return nil
	case 'u':
		if s.i+6 > len(s.b) {
			return s.fail("text ends within a string")
		}
		for _, c := range s.b[s.i+2 : s.i+6] {
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return s.fail("escape is not four hexadecimal digits")
			}
		}
		s.i += 6
		return nil
	}
	return s.fail("unknown escape in a string")
}

func (s *scanner) number() error {
	if s.b[s.i] == '-' {
		s.i++
	}
	switch {
	case s.i < len(s.b) && s.b[s.i] == '0':
		s.i++
	case !s.digits():
		return s.fail("number without digits")
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if !s.digits() {
			return s.fail("number without digits after the point")
		}
	}
	if s.i < len(s.b) && (s.b[s.i] == 'e' || s.b[s.i] == 'E') {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if !s.digits() {
			return s.fail("number without digits in the exponent")
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}
