package files

import "bytes"

// splitEnd says how the splitting of a record ended.
type splitEnd int

const (
	splitOK    splitEnd = iota
	quoteOpen           // the text ended inside a quoted field
	quoteAfter          // something other than a comma followed a closing quote
	quoteBare           // a quote stood inside a field that does not start with one
)

func (e splitEnd) fault() string {
	switch e {
	case quoteOpen:
		return "quote not closed"
	case quoteAfter:
		return "text after a closing quote"
	case quoteBare:
		return "quote inside an unquoted field"
	}
	return ""
}

// split appends the fields of text to fields. They are parts of text, or of the
// scratch buffer where doubled quotes had to be undone. When it fails, the
// number of fields is the index of the column at fault.
func (s *scanner) split(text []byte, fields [][]byte) ([][]byte, splitEnd) {
	if s.blanks {
		return append(fields, bytes.Fields(text)...), splitOK
	}
	s.scratch = s.scratch[:0]
	for {
		if len(text) > 0 && s.quote != 0 && text[0] == s.quote {
			field, rest, end := s.quoted(text[1:])
			if end != splitOK {
				return fields, end
			}
			fields = append(fields, field)
			if len(rest) == 0 {
				return fields, splitOK
			}
			text = rest[1:] // The comma; an empty rest of it is one more empty field.
			continue
		}
		i := bytes.IndexByte(text, s.comma)
		field, rest, more := text, []byte(nil), i >= 0
		if more {
			field, rest = text[:i], text[i+1:]
		}
		if s.quote != 0 && bytes.IndexByte(field, s.quote) >= 0 {
			return fields, quoteBare
		}
		fields = append(fields, field)
		if !more {
			return fields, splitOK
		}
		text = rest
	}
}

// quoted reads a field after its opening quote, and returns what follows its
// closing quote: nothing, or text that starts with a comma.
func (s *scanner) quoted(text []byte) (field, rest []byte, end splitEnd) {
	start := -1 // of the field in scratch, once a doubled quote was met
	for {
		i := bytes.IndexByte(text, s.quote)
		if i < 0 {
			return nil, nil, quoteOpen
		}
		if i+1 < len(text) && text[i+1] == s.quote {
			if start < 0 {
				start = len(s.scratch)
			}
			s.scratch = append(s.scratch, text[:i+1]...)
			text = text[i+2:]
			continue
		}
		if start < 0 {
			field = text[:i]
		} else {
			s.scratch = append(s.scratch, text[:i]...)
			field = s.scratch[start:len(s.scratch):len(s.scratch)]
		}
		if rest = text[i+1:]; len(rest) > 0 && rest[0] != s.comma {
			return nil, nil, quoteAfter
		}
		return field, rest, splitOK
	}
}
