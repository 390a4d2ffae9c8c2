package segment

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
)

// envelope holds what a batch says about all its entries.
type envelope struct {
	context, integrations, sent []byte
	batch                       []byte // the value of "batch" where it is no array
	batched, found              bool   // the call is a batch; it has an array of entries
	checkText                   bool   // the body is not UTF-8 everywhere
}

// maxShared bounds what stands beside a batch, in bytes: every entry gets a copy.
const maxShared = 8 << 10

const blanks = " \t\r\n"

// batch translates every entry of a batch.
func (tr *Translation) batch(body []byte) {
	tr.shared.batched = true
	if v := tr.readEnvelope(body); v != nil {
		tr.refuseWhole(*v)
		return
	}
	for i, raw := range tr.entries {
		tr.Received++
		tr.entry(i, raw, "")
	}
}

// readEnvelope finds the entries of a batch and what stands beside them, in one
// pass over the body, and says why it is none.
func (tr *Translation) readEnvelope(body []byte) *Verdict {
	w := walker{rest: body}
	err := w.object(tr.t.cfg.MaxBatch, tr)
	var tooMany *tooManyError
	switch s := &tr.shared; {
	case errors.As(err, &tooMany):
		tr.Received = len(tr.entries)
		return &Verdict{Code: codeTooLarge, Detail: err.Error()}
	case err != nil:
		return &Verdict{Code: codeJSON, Detail: "the body is not JSON: " + err.Error()}
	case !s.found:
		return &Verdict{Code: codeMissing, Detail: "field \"batch\" is required and must be an array, not " + jsonscan.Type(s.batch)}
	case len(s.context) > maxShared:
		return sharedTooLarge("context", s.context)
	case len(s.integrations) > maxShared:
		return sharedTooLarge("integrations", s.integrations)
	case !utf8.Valid(body):
		if !utf8.Valid(s.context) || !utf8.Valid(s.integrations) {
			return &Verdict{Code: codeJSON, Detail: "the fields beside \"batch\" are not UTF-8"}
		}
		s.checkText = true
	}
	return nil
}

func sharedTooLarge(name string, value []byte) *Verdict {
	return &Verdict{Code: codeTooLarge, Detail: fmt.Sprintf("field %q beside \"batch\" has %d bytes; the limit is %d", name, len(value), maxShared)}
}

// member takes what stands beside the batch, the batch itself where it is no
// array. A context of another form than an object is no entry's fault and is
// dropped.
func (s *envelope) member(key string, value []byte) {
	object := value
	if value[0] != '{' {
		object = nil
	}
	switch key {
	case "batch":
		s.batch, s.found = value, false
	case "context":
		s.context = object
	case "integrations":
		s.integrations = object
	case "sentAt":
		s.sent = value
	}
}

// tooManyError refuses a batch as a whole: a letter for each of its entries
// would cost more than its sender paid.
type tooManyError struct{ limit int }

func (e *tooManyError) Error() string {
	return fmt.Sprintf("field \"batch\" has more than %d entries", e.limit)
}

// walker goes over the text of a batch call, checking it.
type walker struct{ rest []byte }

var (
	errObject = errors.New("expected an object")
	errEnd    = errors.New("text after the value")
	errComma  = errors.New("expected a comma or the end of the array or object")
	errColon  = errors.New("expected a key in quotes and a colon")
)

// object reads the envelope: members into tr.shared, entries into tr.entries.
func (w *walker) object(limit int, tr *Translation) error {
	if !w.skip('{') {
		return errObject
	}
	if !w.skip('}') {
		for more := true; more; {
			key, err := w.key()
			if err != nil {
				return err
			}
			if err := w.member(key, limit, tr); err != nil {
				return err
			}
			if more = w.skip(','); !more && !w.skip('}') {
				return errComma
			}
		}
	}
	if len(bytes.TrimLeft(w.rest, blanks)) > 0 {
		return errEnd
	}
	return nil
}

func (w *walker) key() (string, error) {
	quoted, err := w.value()
	if err != nil {
		return "", err
	}
	text, ok := jsonscan.Text(quoted)
	if !ok || !w.skip(':') {
		return "", errColon
	}
	return string(text), nil
}

func (w *walker) member(key string, limit int, tr *Translation) error {
	if key != "batch" || !w.skip('[') {
		value, err := w.value()
		if err == nil {
			tr.shared.member(key, value)
		}
		return err
	}
	tr.shared.found, tr.entries = true, tr.entries[:0]
	if w.skip(']') {
		return nil
	}
	for {
		entry, err := w.value()
		if err != nil {
			return err
		}
		tr.entries = append(tr.entries, entry)
		if len(tr.entries) > limit {
			return &tooManyError{limit}
		}
		if !w.skip(',') {
			break
		}
	}
	if !w.skip(']') {
		return errComma
	}
	return nil
}

// skip skips a character and the blanks before it, if it comes next.
func (w *walker) skip(c byte) bool {
	b := w.rest
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\r' || b[0] == '\t') {
		b = b[1:]
	}
	if len(b) == 0 || b[0] != c {
		return false
	}
	w.rest = b[1:]
	return true
}

// value cuts the next value off. One that is nested deeper than jsonscan reads
// is cut off by its brackets and quotes alone, without recursion, and refused
// when it is looked at: it must not take its neighbours with it.
func (w *walker) value() ([]byte, error) {
	value, n, err := jsonscan.Prefix(w.rest)
	switch {
	case err != nil && tooDeep(err):
		b := bytes.TrimLeft(w.rest, blanks)
		if n = bracketed(b); n == 0 {
			return nil, err
		}
		w.rest = b[n:]
		return b[:n], nil
	case err != nil:
		return nil, err
	case value == nil:
		return nil, errEarly
	}
	w.rest = w.rest[n:]
	return value, nil
}

var errEarly = errors.New("text ends where a value should be")

func tooDeep(err error) bool {
	var e *jsonscan.Error
	return errors.As(err, &e) && e.Rule == "nesting is too deep"
}

// bracketed returns the length of the array or object that b begins with, by
// its brackets, whatever they are; 0 when it does not end.
func bracketed(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth <= 0 {
				return i + 1
			}
		}
	}
	return 0
}
