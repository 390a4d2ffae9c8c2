package activation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/segments"
)

// Definition says whom to tell of what, and how.
type Definition struct {
	// Name is for people.
	Name string `json:"name,omitempty"`
	Kind Kind   `json:"kind"`
	// Segments are those whose changes are told.
	Segments []segments.ID `json:"segments"`
	// On are the changes that are told: entered, exited. Both where it is empty; of
	// e-mail, entered alone.
	On []string `json:"on,omitempty"`
	// Consent is what a person must have agreed to. Of e-mail and of presets that
	// subscribe people, marketing by e-mail where it is nil; else nothing.
	Consent *Consent `json:"consent,omitempty"`
	// Backfill has a new destination told of the members that are there already, and
	// one whose definition has changed of those that it has not been told of. Default
	// true; false for e-mail.
	Backfill *bool `json:"backfill,omitempty"`
	// SyncHours is how often all members are compared with what the destination was
	// told. 0: only when asked for.
	SyncHours int `json:"sync_hours,omitempty"`
	// Attempts is how often a message is tried before it is a dead letter. Default 20,
	// which is some hours.
	Attempts int `json:"attempts,omitempty"`
	// Record notes what was sent as events of the kind contact, by the channel Channel.
	// Default true.
	Record  *bool  `json:"record,omitempty"`
	Channel string `json:"channel,omitempty"` // of contact events; email, else webhook

	*Endpoint // of webhook and segment
	*Mail     // of email
}

// Endpoint is where messages are posted, and in which form.
type Endpoint struct {
	// URL may have placeholders in its path and its query, {identifier.email|md5}:
	// a source of a field and, behind a bar, how it is written.
	URL    string `json:"url,omitempty"`
	Method string `json:"method,omitempty"` // POST, PUT or PATCH; POST where it is empty
	// Headers are sent as they are. Those with keys of the receiver are secrets.
	Headers map[string]string `json:"headers,omitempty"`
	// Preset is the form of a known receiver; see Presets.
	Preset string `json:"preset,omitempty"`
	// Fields make up the body, in addition to those of the preset, and in place of the
	// form of Kindred where there is none.
	Fields []Field `json:"fields,omitempty"`
	// Identifiers and Traits are what the form of Kindred and the calls of Segment tell
	// of a person: namespaces and names, "*" for all. Defaults: user_id and email; none.
	Identifiers []string `json:"identifiers,omitempty"`
	Traits      []string `json:"traits,omitempty"`
	// Call is the call of kind segment: identify (default) or track.
	Call string `json:"call,omitempty"`
}

// Mail is a message to the person.
type Mail struct {
	From    string `json:"from,omitempty"`
	ReplyTo string `json:"reply_to,omitempty"`
	// Subject, Text and HTML are templates of Go over what is known of the person.
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text,omitempty"`
	HTML    string `json:"html,omitempty"`
	// Unsubscribe is a URL, with placeholders as those of webhooks, or mailto:.
	Unsubscribe string `json:"unsubscribe,omitempty"`
}

// Consent names a purpose and a channel by which consent is stated.
type Consent struct {
	Purpose string `json:"purpose"` // "none": no consent is needed
	Channel string `json:"channel,omitempty"`
}

// noConsent is the purpose of messages that need none.
const noConsent = "none"

// Field is a member of the body that a receiver gets.
type Field struct {
	// To is where it stands: names, or numbers of elements of a list, joined by dots.
	// {segment} in it is the name of the segment.
	To string `json:"to"`
	// From is where its value comes from, and Value is one that stands here; see Sources.
	From  string          `json:"from,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
	// As is how a value is written: text, lower, sha256, md5, unix.
	As string `json:"as,omitempty"`
	// Values replaces values by others, by their text.
	Values map[string]json.RawMessage `json:"values,omitempty"`
	// Required makes a message without a value a dead letter; otherwise the member is
	// left out.
	Required bool `json:"required,omitempty"`
}

// Fault is one broken rule of a definition.
type Fault struct {
	Pointer string // RFC 6901, from what holds the definition on
	Detail  string // the rule, never a value
}

// Invalid reports a definition that breaks rules.
type Invalid struct{ Faults []Fault }

// Error implements error.
func (i *Invalid) Error() string {
	if len(i.Faults) == 0 {
		return "invalid destination"
	}
	return fmt.Sprintf("invalid destination: %s %s (%d faults)", i.Faults[0].Pointer, i.Faults[0].Detail, len(i.Faults))
}

// inDefinition is the place of the definition in what holds it.
const inDefinition = "/definition"

// Parse reads a definition from JSON and fills in defaults that do not depend on
// anything else. It returns an *Invalid where a rule is broken.
func Parse(text []byte) (*Definition, error) {
	d := &Definition{Endpoint: &Endpoint{}, Mail: &Mail{}}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(d)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more behind it")
		}
	}
	if err != nil {
		return nil, &Invalid{[]Fault{{inDefinition, faultOf(err)}}}
	}
	if faults := d.check(); len(faults) > 0 {
		for i := range faults {
			faults[i].Pointer = inDefinition + faults[i].Pointer
		}
		return nil, &Invalid{faults}
	}
	return d, nil
}

// faultOf says what is wrong with a text, without a value of it.
func faultOf(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return "has another type at " + wrong.Field
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return "has an unknown member " + name
	}
	return "must be a JSON object of a destination"
}

// takes reports whether a change of a direction is told.
func (d *Definition) takes(entered bool) bool {
	if len(d.On) == 0 {
		return entered || d.Kind != Email
	}
	return slices.Contains(d.On, direction(entered))
}

func direction(entered bool) string {
	if entered {
		return "entered"
	}
	return "exited"
}

// consent is what people must have agreed to; nil for nothing.
func (d *Definition) consent() *Consent {
	c := d.Consent
	if c == nil && (d.Kind == Email || presets[d.Preset].Subscribes) {
		c = &Consent{Purpose: "marketing", Channel: "email"}
	}
	if c == nil || c.Purpose == noConsent {
		return nil
	}
	return c
}

func (d *Definition) backfills() bool {
	if d.Backfill == nil {
		return d.Kind != Email
	}
	return *d.Backfill
}

func (d *Definition) records() bool { return d.Record == nil || *d.Record }

func (d *Definition) channel() string {
	switch {
	case d.Channel != "":
		return d.Channel
	case d.Kind == Email:
		return "email"
	}
	return "webhook"
}

// defaultAttempts is how often a message is tried.
const defaultAttempts = 20

func (d *Definition) attempts() int {
	if d.Attempts == 0 {
		return defaultAttempts
	}
	return d.Attempts
}
