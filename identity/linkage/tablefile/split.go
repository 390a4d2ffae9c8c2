package tablefile

import "bytes"

// splitter takes lines apart into fields, as RFC 4180 and the files that break
// it have them: white space around quotes, and quotes inside of quotes that
// nobody doubled.
type splitter struct {
	comma   byte
	fields  [][]byte
	scratch []byte
	odd     bool // the last text had quotes within quotes that are not doubled
}

// quoting says how quotes are read.
type quoting int

const (
	greedy  quoting = iota // a quote within a quoted field is a part of it
	careful                // a field with such a quote is not quoted: it ends at the next delimiter
	literal                // a quote is a character like any other
)

// split returns the fields of text, trimmed; they are valid until the next
// call. open reports that text ends inside of a quoted field. Its time is
// linear in the text, whatever the quotes.
func (s *splitter) split(text []byte, how quoting) (fields [][]byte, open bool) {
	s.fields, s.scratch, s.odd = s.fields[:0], s.scratch[:0], false
	for {
		var field []byte
		rest, quoted := text, false
		if start := s.blank(text); how != literal && start < len(text) && text[start] == '"' {
			var state quoteEnd
			field, rest, state = s.quoted(text[start+1:], how)
			if state == unclosed {
				return s.fields, true
			}
			quoted = state == closed
			if state == stray {
				how = max(how, careful) // It was read to its end once.
			}
		}
		if !quoted {
			field, rest = text, nil
			if i := bytes.IndexByte(text, s.comma); i >= 0 {
				field, rest = text[:i], text[i:]
			}
		}
		s.fields = append(s.fields, bytes.TrimSpace(field))
		if len(rest) == 0 {
			return s.fields, false
		}
		text = rest[1:]
	}
}

// blank returns how many spaces and tabs, delimiters excepted, text begins with.
func (s *splitter) blank(text []byte) int {
	for i, c := range text {
		if c == s.comma || c != ' ' && c != '\t' {
			return i
		}
	}
	return len(text)
}

// quoteEnd says how a quoted field ends.
type quoteEnd int

const (
	closed   quoteEnd = iota
	unclosed          // at the end of the text, so that it may go on in the next line
	stray             // it was no quoted field: more follows its last quote
)

// quoted reads a field behind its opening quote. A quote ends it where the
// delimiter or the end of the text follows; others belong to the value.
func (s *splitter) quoted(text []byte, how quoting) (field, rest []byte, end quoteEnd) {
	begin, mended := len(s.scratch), false
	for from := 0; ; {
		i := bytes.IndexByte(text[from:], '"')
		if i < 0 {
			if mended {
				return nil, nil, stray
			}
			return nil, nil, unclosed
		}
		i += from
		if i+1 < len(text) && text[i+1] == '"' {
			s.scratch = append(s.scratch, text[from:i+1]...)
			from = i + 2
			continue
		}
		after := i + 1 + s.blank(text[i+1:])
		if after == len(text) || text[after] == s.comma {
			s.scratch = append(s.scratch, text[from:i]...)
			return s.scratch[begin:len(s.scratch):len(s.scratch)], text[after:], closed
		}
		if s.odd = true; how == careful {
			return nil, nil, stray
		}
		s.scratch = append(s.scratch, text[from:i+1]...)
		from, mended = i+1, true
	}
}
