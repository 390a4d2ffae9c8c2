package segment

import (
	"bytes"
	"errors"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// The methods of a call that are no types of events.
const (
	Batch  = "batch"
	Import = "import" // a batch whose times are those of events long past
)

// codeJSON is the reason of dead letters that are no JSON.
const codeJSON = "invalid_json"

// Call is one request of the tracking API.
type Call struct {
	// Method is Batch, Import or the type of a single event, such as "track".
	Method string
	Source string
	// Received is when the request came.
	Received time.Time
	// Address is the caller's IP address, empty when unknown.
	Address string
	// Pixel marks a call by an image's address, whose program does not tell
	// what it is in the body: UserAgent is then put into the context.
	Pixel     bool
	UserAgent string
	// Cut says that Body is only the beginning of a body over the limit.
	Cut bool
	// Body is the JSON of the call. The translation keeps slices of it.
	Body []byte
}

// Verdict says why an entry was refused, or what was left out of it.
type Verdict struct {
	Index     int    // in the batch; 0 for a single event
	MessageID string // empty when it could not be read
	Code      string
	Detail    string // names the field and the rule, never the value
}

// Translation is what a call became. It holds slices of the call's body and a
// buffer that Release gives to other calls.
type Translation struct {
	Items              []intake.Item
	Received, Accepted int
	Refused, Warnings  []Verdict
	// Whole is set when the call was refused as a whole.
	Whole *Verdict

	t       *Translator
	call    Call
	buf     []byte
	spans   []span
	shared  envelope
	entries [][]byte // of the batch, raw
	current current
	members members
}

// current is the event that is being written, for its warnings.
type current struct {
	index  int
	id     string
	warned int // warnings of the events before it
}

// span is where in the buffer the value of an item stands: the buffer may move
// until the translation is complete.
type span struct{ item, start, end int }

// Deps are what a translator needs.
type Deps struct {
	// NewID returns a new message id, such as a random UUID. Required.
	NewID func() string
	// Acceptable reports whether ingest will be able to normalise an
	// identifier; nil accepts all.
	Acceptable func(namespace, value string) bool
}

// Translator is safe for concurrent use.
type Translator struct {
	cfg  Config
	deps Deps
	pool sync.Pool
}

// New returns a translator.
func New(cfg Config, deps Deps) (*Translator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.NewID == nil {
		return nil, errors.New("segment: NewID is required")
	}
	return &Translator{cfg: cfg, deps: deps}, nil
}

// WriteKey returns the "writeKey" of a body, or "" when it has none.
func WriteKey(body []byte) string {
	key := ""
	m := jsonscan.ObjectOf(trimBOM(body))
	for m.Next() {
		if string(m.Key) == "writeKey" {
			text, _ := jsonscan.Text(m.Value)
			key = string(text)
		}
	}
	return key
}

// Translate returns what becomes of the call. It never fails: what cannot be an
// event is among the items as a rejection.
func (t *Translator) Translate(call Call) *Translation {
	tr, _ := t.pool.Get().(*Translation)
	if tr == nil {
		tr = &Translation{t: t}
	}
	call.Body = trimBOM(call.Body)
	tr.call = call
	if want := len(call.Body) + len(call.Body)/2 + 512; cap(tr.buf) < want {
		tr.buf = make([]byte, 0, want)
	}
	tr.translate()
	for _, s := range tr.spans {
		tr.Items[s.item].Value = tr.buf[s.start:s.end:s.end]
	}
	return tr
}

// maxPooled bounds the buffers that are kept, so that one large call does not
// hold its memory for ever.
const maxPooled = 1 << 20

// Release gives the buffers of the translation to other calls. The items must
// not be used afterwards, nor Release be called twice.
func (tr *Translation) Release() {
	t := tr.t
	if cap(tr.buf) > maxPooled {
		return
	}
	clear(tr.Items)
	clear(tr.entries)
	*tr = Translation{
		t: t, Items: tr.Items[:0], Refused: tr.Refused[:0], Warnings: tr.Warnings[:0],
		buf: tr.buf[:0], spans: tr.spans[:0], members: tr.members[:0], entries: tr.entries[:0],
	}
	t.pool.Put(tr)
}

func trimBOM(b []byte) []byte {
	if len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF {
		return b[3:]
	}
	return b
}

func (tr *Translation) translate() {
	body := tr.call.Body
	if tr.call.Cut {
		tr.refuseWhole(Verdict{Code: codeTooLarge, Detail: "the body is larger than the limit of a request"})
		return
	}
	switch tr.call.Method {
	case Batch, Import:
		tr.batch(body)
	default:
		tr.Received = 1
		tr.shared.checkText = !utf8.Valid(body)
		tr.entry(0, body, tr.call.Method)
		// A single event that is no JSON object is a body that is none.
		if len(tr.Refused) == 1 && (tr.Refused[0].Code == codeJSON || !bytes.HasPrefix(bytes.TrimLeft(body, blanks), []byte("{"))) {
			whole := tr.Refused[0]
			tr.Whole, tr.Refused = &whole, tr.Refused[:0]
		}
	}
}

// refuseWhole keeps the body as one dead letter and refuses the call.
func (tr *Translation) refuseWhole(v Verdict) {
	tr.Whole = &v
	tr.Received = max(tr.Received, 1)
	tr.reject(v, tr.call.Body, "body")
}

// refuse keeps an entry as a dead letter.
func (tr *Translation) refuse(v Verdict, raw []byte, place string) {
	tr.Refused = append(tr.Refused, v)
	tr.reject(v, raw, place)
}

func (tr *Translation) reject(v Verdict, raw []byte, place string) {
	r := &intake.Rejection{Reason: v.Code, Detail: v.Detail, Position: place}
	if limit := tr.t.cfg.MaxLetter; len(raw) > limit {
		raw = raw[:limit]
		r.Detail += "; only the beginning is kept"
	}
	tr.Items = append(tr.Items, intake.Item{
		Kind: wire.Behaviour, Source: tr.call.Source, ID: v.MessageID, Value: raw, Reject: r,
	})
}
