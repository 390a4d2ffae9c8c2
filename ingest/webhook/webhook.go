package webhook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/mapping"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Delivery is one request of another system.
type Delivery struct {
	Name   string // of the webhook
	Method string
	Header http.Header
	Query  url.Values
	Body   []byte
}

// Reply answers a delivery: a challenge when ContentType is set, counts
// otherwise.
type Reply struct {
	ContentType        string
	Body               []byte
	Accepted, Rejected int
	Duplicate          bool // taken in before
}

// ErrUnknown refuses a delivery to a webhook that is not configured.
var ErrUnknown = errors.New("there is no such webhook")

// Config bounds the intake.
type Config struct {
	// Depth is the greatest nesting of a payload. Default 64.
	Depth int
	// LetterBytes is as much as is kept of a payload that became no message.
	// Default 900 KiB.
	LetterBytes int
	// Remembered is the number of deliveries known to be taken in. Default
	// 100 000, of about 100 bytes each.
	Remembered int
}

// DefaultConfig returns the defaults named at the fields.
func DefaultConfig() Config { return Config{Depth: 64, LetterBytes: 900 << 10, Remembered: 100_000} }

// Deps are what an Intake uses.
type Deps struct {
	Submitter  intake.Submitter
	Now        func() time.Time
	Registerer prometheus.Registerer
}

// Intake takes deliveries. It is safe for concurrent use.
type Intake struct {
	cfg      Config
	deps     Deps
	hooks    map[string]*hook
	memory   *memory
	verdicts *prometheus.CounterVec
}

// New returns an intake of the webhooks.
func New(cfg Config, hooks []*Webhook, deps Deps) (*Intake, error) {
	if cfg.Depth < 1 || cfg.LetterBytes < 1 || cfg.Remembered < 1 {
		return nil, errors.New("webhook: bounds must be positive")
	}
	if deps.Submitter == nil || deps.Now == nil || deps.Registerer == nil {
		return nil, errors.New("webhook: a submitter, a clock and a registerer are required")
	}
	in := &Intake{cfg: cfg, deps: deps, hooks: map[string]*hook{}, memory: newMemory(cfg.Remembered)}
	for _, w := range hooks {
		in.hooks[w.hook.Name] = w.hook
	}
	in.verdicts = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "kindred_webhook_deliveries_total",
		Help: "Deliveries of webhooks, by webhook and verdict.",
	}, []string{"webhook", "verdict"})
	return in, deps.Registerer.Register(in.verdicts)
}

// Deliver takes one delivery in and returns when its messages are acknowledged.
// It returns ErrUnknown, an error that wraps ErrSignature, and the errors of the
// submitter.
func (in *Intake) Deliver(ctx context.Context, d Delivery) (Reply, error) {
	h, ok := in.hooks[d.Name]
	if !ok {
		return Reply{}, ErrUnknown
	}
	reply, verdict, err := in.deliver(ctx, h, d)
	in.verdicts.WithLabelValues(h.Name, verdict).Inc()
	return reply, err
}

func (in *Intake) deliver(ctx context.Context, h *hook, d Delivery) (Reply, string, error) {
	if d.Method == http.MethodGet {
		reply, err := h.asked(d)
		return reply, "challenge", err
	}
	if err := h.verify(d, in.deps.Now()); err != nil {
		return Reply{}, "bad_signature", err
	}
	if reply, ok := h.challenged(d.Body); ok {
		return reply, "challenge", nil
	}
	sum := sha256.Sum256(d.Body)
	// The body belongs to the key: the header with the id is not signed, and
	// must not let anyone pass one delivery off as another.
	key := sha256.Sum256([]byte(h.Name + "\x00" + d.Header.Get(h.Replay.Delivery) + "\x00" + string(sum[:])))
	if in.memory.has(key) {
		return Reply{Duplicate: true}, "duplicate", nil
	}
	items, accepted := in.items(h, d.Body, hex.EncodeToString(sum[:16]))
	if len(items) > 0 {
		if err := in.deps.Submitter.Submit(ctx, h.Workspace, items); err != nil {
			return Reply{}, "not_taken", fmt.Errorf("submit events of webhook %s: %w", h.Name, err)
		}
	}
	// Only now: a delivery that was not kept must be welcome again.
	in.memory.add(key)
	verdict := "accepted"
	switch {
	case accepted < len(items):
		verdict = "rejected"
	case len(items) == 0:
		verdict = "ignored"
	}
	return Reply{Accepted: accepted, Rejected: len(items) - accepted}, verdict, nil
}

// items maps a payload. Its messages have ids that follow from its bytes, so
// that a delivery sent again is the same events.
func (in *Intake) items(h *hook, body []byte, sum string) (items []intake.Item, accepted int) {
	letter := func(value []byte, code, detail string) {
		items = append(items, intake.Item{
			Kind: h.mapping.Kind(), Source: h.Source, Value: value[:min(len(value), in.cfg.LetterBytes)],
			Reject: &intake.Rejection{Reason: code, Detail: detail, Position: "webhook " + h.Name + "[" + strconv.Itoa(len(items)) + "]"},
		})
	}
	if depth(body) > in.cfg.Depth {
		letter(body, wire.CodeTooLarge, fmt.Sprintf("payload is nested deeper than %d levels", in.cfg.Depth))
		return items, 0
	}
	var payload any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&payload); err != nil || dec.More() {
		letter(body, wire.CodeJSON, "payload is not one JSON value")
		return items, 0
	}
	result := h.mapping.Apply(payload, mapping.Env{Source: h.Source, Now: in.deps.Now(), DefaultID: "hook:" + sum, SourceHash: sum, Hash: func() string { return sum }})
	for _, m := range result.Messages {
		items = append(items, intake.Item{Kind: m.Kind, Source: h.Source, ID: m.Message.ID, Value: m.Value})
	}
	accepted = len(items)
	whole := 0 // faults that keep the whole payload, which one letter does
	for _, f := range result.Faults {
		switch {
		case f.Message != nil:
			letter(f.Message, f.Code, f.Error())
		case whole == 0:
			letter(body, f.Code, f.Error())
			whole++
		}
	}
	return items, accepted
}

// depth returns the nesting of a JSON text by its brackets.
func depth(body []byte) int {
	now, most := 0, 0
	quoted, escaped := false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			now++
			most = max(most, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return most
}
