package segment

import (
	"bytes"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
)

// A batch with an entry that is nested deeper than jsonscan reads is taken
// apart by brackets and quotes alone, without recursion; every entry is then
// checked for itself.

// looseEnvelope finds the members of a batch call. It reports false when the
// text is no object by its brackets.
func (tr *Translation) looseEnvelope(body []byte) bool {
	rest := bytes.TrimLeft(body, blanks)
	if len(rest) == 0 || rest[0] != '{' {
		return false
	}
	rest = bytes.TrimLeft(rest[1:], blanks)
	for len(rest) > 0 && rest[0] == '"' {
		n := looseValue(rest)
		if n < 2 {
			return false
		}
		key := rest[1 : n-1]
		rest = bytes.TrimLeft(rest[n:], blanks)
		if len(rest) == 0 || rest[0] != ':' {
			return false
		}
		rest = bytes.TrimLeft(rest[1:], blanks)
		if n = looseValue(rest); n == 0 {
			return false
		}
		if string(key) == "batch" || jsonscan.Check(rest[:n]) == nil {
			tr.envelopeMember(key, rest[:n])
		}
		rest = bytes.TrimLeft(rest[n:], blanks)
		if len(rest) == 0 || rest[0] != ',' {
			break
		}
		rest = bytes.TrimLeft(rest[1:], blanks)
	}
	return len(rest) > 0 && rest[0] == '}' && len(tr.shared.batch) > 0 && tr.shared.batch[0] == '['
}

// looseEntries translates the entries that brackets and quotes tell apart. What
// is left where they break is refused as one more entry.
func (tr *Translation) looseEntries() {
	rest := tr.shared.batch
	for i := 0; ; i++ {
		raw, after := looseElement(rest, i == 0)
		if raw == nil {
			raw = bytes.Trim(rest, blanks)
			if string(raw) == "]" || i == 0 && len(bytes.Trim(raw[1:], blanks)) <= 1 {
				return
			}
		}
		if !tr.oneMore(i) {
			return
		}
		tr.entry(i, raw, "")
		if after == nil {
			return
		}
		rest = after
	}
}

const blanks = " \t\r\n"

// looseElement cuts the next element off an array, or off its rest after an
// element. It returns nil at the end, and where the text breaks.
func looseElement(b []byte, first bool) (element, rest []byte) {
	b = bytes.TrimLeft(b, blanks)
	want := byte(',')
	if first {
		want = '['
	}
	if len(b) == 0 || b[0] != want {
		return nil, nil
	}
	b = bytes.TrimLeft(b[1:], blanks)
	n := looseValue(b)
	if n == 0 {
		return nil, nil
	}
	return bytes.TrimRight(b[:n], blanks), b[n:len(b):len(b)]
}

// looseValue returns the length of the value that b begins with, 0 for none.
func looseValue(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = looseText(b, i); i < 0 {
				return 0
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			} else if depth < 0 {
				return i
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return 0
}

// looseText returns where the string that begins at i ends, or -1.
func looseText(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}
