package segment

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
)

// envelope holds what a batch says about all its entries.
type envelope struct {
	batch                       []byte
	context, integrations, sent []byte
	batched                     bool
	checkText                   bool // the body is not UTF-8 everywhere
}

// batch translates every entry of a batch.
func (tr *Translation) batch(body []byte) {
	tr.shared.batched = true
	err := tr.readEnvelope(body)
	deep := tooDeep(err)
	switch {
	case err != nil && !deep:
		tr.refuseWhole(Verdict{Code: codeJSON, Detail: "the body is not JSON: " + err.Error()})
		return
	case deep:
		// One entry nested without measure must not take the others with it.
		if !tr.looseEnvelope(body) {
			tr.refuseWhole(Verdict{Code: codeJSON, Detail: "the body is not JSON: " + err.Error()})
			return
		}
	case len(tr.shared.batch) == 0 || tr.shared.batch[0] != '[':
		tr.refuseWhole(Verdict{Code: codeMissing, Detail: "field \"batch\" is required and must be an array, not " + jsonscan.Type(tr.shared.batch)})
		return
	}
	if !utf8.Valid(body) {
		if !utf8.Valid(tr.shared.context) || !utf8.Valid(tr.shared.integrations) {
			tr.refuseWhole(Verdict{Code: codeJSON, Detail: "the fields beside \"batch\" are not UTF-8"})
			return
		}
		tr.shared.checkText = true
	}
	tr.entries(deep)
}

// entries translates the entries one by one. A batch with too many of them is
// refused as a whole, because a letter for each would cost more than its sender
// paid.
func (tr *Translation) entries(loose bool) {
	if loose {
		tr.looseEntries()
		return
	}
	e := jsonscan.ArrayOf(tr.shared.batch)
	for i := 0; e.Next(); i++ {
		if !tr.oneMore(i) {
			return
		}
		tr.entry(i, e.Value, "")
	}
}

// oneMore counts an entry and reports whether there may be so many.
func (tr *Translation) oneMore(i int) bool {
	tr.Received++
	if i < tr.t.cfg.MaxBatch {
		return true
	}
	tr.Items, tr.spans, tr.buf = tr.Items[:0], tr.spans[:0], tr.buf[:0]
	tr.Accepted, tr.Refused, tr.Warnings = 0, tr.Refused[:0], tr.Warnings[:0]
	tr.refuseWhole(Verdict{Code: codeTooLarge, Detail: fmt.Sprintf("field \"batch\" has more than %d entries", tr.t.cfg.MaxBatch)})
	return false
}

// readEnvelope finds the members of a batch call. It returns jsonscan's error.
func (tr *Translation) readEnvelope(body []byte) error {
	m := jsonscan.ObjectOf(body)
	for m.Next() {
		tr.envelopeMember(m.Key, m.Value)
	}
	return m.Err()
}

func (tr *Translation) envelopeMember(key, value []byte) {
	switch string(key) {
	case "batch":
		tr.shared.batch = value
	case "context":
		tr.shared.context = objectOrNothing(value)
	case "integrations":
		tr.shared.integrations = objectOrNothing(value)
	case "sentAt":
		tr.shared.sent = value
	}
}

// objectOrNothing drops what the envelope says in another form than an object:
// it is no entry's fault.
func objectOrNothing(value []byte) []byte {
	if len(value) == 0 || value[0] != '{' {
		return nil
	}
	return value
}

func tooDeep(err error) bool {
	var e *jsonscan.Error
	return errors.As(err, &e) && e.Rule == "nesting is too deep"
}
