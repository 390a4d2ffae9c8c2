package plans

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Limits of a definition.
const (
	MaxDefinition = 512 << 10 // bytes
	maxEvents     = 1000
	maxSources    = 100
	maxNameBytes  = 200
	maxVersion    = 40
	maxNote       = 2000
	// MaxPlans is the number of live plans of a workspace.
	MaxPlans = 200
)

// Mode says what happens to an event that breaks a rule.
type Mode string

// The modes.
const (
	Allow Mode = "allow" // the rule is off
	Warn  Mode = "warn"  // the event is stored, the violation counted and kept
	Block Mode = "block" // the event becomes a dead letter
)

// Definition is a tracking plan as people write it.
type Definition struct {
	Description string `json:"description,omitempty"`
	// Sources and Kinds are those that the plan holds for; none means all.
	Sources []string    `json:"sources,omitempty"`
	Kinds   []wire.Kind `json:"kinds,omitempty"`
	// UnplannedEvents is for events of these sources and kinds that Events does
	// not name, UnplannedProperties for members of "properties" that the schema
	// of an event does not name. Default allow.
	UnplannedEvents     Mode        `json:"unplanned_events,omitempty"`
	UnplannedProperties Mode        `json:"unplanned_properties,omitempty"`
	Events              []EventRule `json:"events"`
}

// EventRule is what a plan says of one version of one event.
type EventRule struct {
	Name string `json:"name"`
	// Version is what context.protocols.event_version of a message says; a
	// message without it is held against the last version in the list.
	Version     string          `json:"version,omitempty"`
	Description string          `json:"description,omitempty"`
	Mode        Mode            `json:"mode"`
	Schema      json.RawMessage `json:"schema,omitempty"` // of the message; none allows all
}

// Fault is one thing that is wrong with a definition.
type Fault struct {
	Pointer string // RFC 6901, into the definition
	Detail  string // the rule, and the type of the value but not the value
}

// Invalid is every fault that was found in a definition, at least one.
type Invalid struct{ Faults []Fault }

// Error implements error.
func (i *Invalid) Error() string {
	f := i.Faults[0]
	text := fmt.Sprintf("tracking plan at %q: %s", f.Pointer, f.Detail)
	if more := len(i.Faults) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

func (i *Invalid) add(pointer, format string, args ...any) {
	if len(i.Faults) < 50 {
		i.Faults = append(i.Faults, Fault{pointer, fmt.Sprintf(format, args...)})
	}
}

// Parse reads and checks a definition, with its schemas. A wrong one is an
// *Invalid.
func Parse(text []byte) (*Definition, error) {
	bad := &Invalid{}
	if len(text) > MaxDefinition {
		bad.add("", "has %d bytes; the limit is %d", len(text), MaxDefinition)
		return nil, bad
	}
	d := new(Definition)
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(d); err != nil {
		bad.decode(err)
		return nil, bad
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		bad.add("", "must be one JSON object")
	}
	d.check(bad)
	if len(bad.Faults) > 0 {
		return nil, bad
	}
	return d, nil
}

func (i *Invalid) decode(err error) {
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrong):
		i.add("/"+strings.ReplaceAll(wrong.Field, ".", "/"), "must not be %s", wrong.Value)
	case errors.As(err, &syntax):
		i.add("", "is not JSON at byte %d", syntax.Offset)
	case strings.HasPrefix(err.Error(), "json: unknown field"):
		i.add("", "has a field that is not known: the fields are description, sources, kinds, unplanned_events, unplanned_properties and events, and of an event name, version, description, mode and schema")
	default:
		i.add("", "must be one JSON object")
	}
}

func (d *Definition) check(bad *Invalid) {
	if len(d.Description) > maxNote {
		bad.add("/description", "has %d bytes; the limit is %d", len(d.Description), maxNote)
	}
	if len(d.Sources) > maxSources {
		bad.add("/sources", "has %d entries; the limit is %d", len(d.Sources), maxSources)
	}
	for i, s := range d.Sources {
		if s == "" || len(s) > maxNameBytes {
			bad.add(fmt.Sprintf("/sources/%d", i), "must have 1 to %d bytes", maxNameBytes)
		}
	}
	for i, k := range d.Kinds {
		if !slices.Contains(wire.Kinds(), k) {
			bad.add(fmt.Sprintf("/kinds/%d", i), "is no kind of event")
		}
	}
	d.UnplannedEvents = bad.mode("/unplanned_events", d.UnplannedEvents, Allow)
	d.UnplannedProperties = bad.mode("/unplanned_properties", d.UnplannedProperties, Allow)
	if len(d.Events) > maxEvents {
		bad.add("/events", "has %d entries; the limit is %d", len(d.Events), maxEvents)
		return
	}
	seen := map[[2]string]bool{}
	for i := range d.Events {
		at := fmt.Sprintf("/events/%d", i)
		e := &d.Events[i]
		e.check(at, bad)
		if seen[[2]string{e.Name, e.Version}] {
			bad.add(at, "has a name and version that an entry before it has")
		}
		seen[[2]string{e.Name, e.Version}] = true
	}
}

func (e *EventRule) check(at string, bad *Invalid) {
	if e.Name == "" || len(e.Name) > maxNameBytes {
		bad.add(at+"/name", "must have 1 to %d bytes", maxNameBytes)
	}
	if len(e.Version) > maxVersion {
		bad.add(at+"/version", "has %d bytes; the limit is %d", len(e.Version), maxVersion)
	}
	if len(e.Description) > maxNote {
		bad.add(at+"/description", "has %d bytes; the limit is %d", len(e.Description), maxNote)
	}
	e.Mode = bad.mode(at+"/mode", e.Mode, "")
	if len(e.Schema) == 0 {
		return
	}
	if _, faults := compile(e.Schema); len(faults) > 0 {
		for _, f := range faults {
			bad.add(at+"/schema"+f.Pointer, "%s", f.Detail)
		}
	}
}

func (i *Invalid) mode(pointer string, m, otherwise Mode) Mode {
	if m == "" && otherwise != "" {
		return otherwise
	}
	if m != Allow && m != Warn && m != Block {
		i.add(pointer, "must be allow, warn or block")
	}
	return m
}

// ValidName reports whether s can name a plan: 1 to 64 of a-z, 0-9, _ and -,
// but not "check", which is an operation.
func ValidName(s string) bool {
	if s == "" || len(s) > 64 || s == "check" {
		return false
	}
	for _, c := range []byte(s) {
		if c != '_' && c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
