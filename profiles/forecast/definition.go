package forecast

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/profiles/features"
	"github.com/kindred-cdp/kindred/profiles/nextproduct/scoring"
	"github.com/kindred-cdp/kindred/profiles/valuation"
)

// Ready-made targets.
const (
	// Purchase is that somebody places an order.
	Purchase = "purchase"
	// Churn is that somebody who ordered within a year does not order again.
	Churn = "churn"
	// Repeat is that somebody who has ordered once does so a second time.
	Repeat = "repeat"
	// Response is that somebody who is contacted on a channel clicks or replies. The
	// examples are those who were contacted; the score says what a contact would bring.
	Response = "response"
)

// Target is what is foretold: an event by its name, or a ready-made target.
type Target struct {
	Event string `json:"event,omitempty"`
	Ready string `json:"ready,omitempty"`
	// Channel is that of Response, such as email.
	Channel string `json:"channel,omitempty"`
}

// String is the target in words.
func (t Target) String() string {
	if t.Channel != "" {
		return t.Ready + " to " + t.Channel
	}
	return t.Event + t.Ready
}

// Definition declares a model. Spans are whole numbers of days, such as "30d".
type Definition struct {
	Description string `json:"description,omitempty"`
	Target      Target `json:"target"`
	// Horizon is the span in which the target happens or not; Gap the span before it, from
	// the moment at which it is foretold.
	Horizon string `json:"horizon"`
	Gap     string `json:"gap,omitempty"`
	// Eligible is a segment definition: whom it is foretold of. Everybody without one.
	Eligible json.RawMessage `json:"eligible,omitempty"`
	// Schedule is the span between trainings; "7d" without one, "never" for by order only.
	Schedule string `json:"schedule,omitempty"`
	// Knowledge is received or event_time; without one the former where it leaves enough
	// examples, else the latter.
	Knowledge features.Knowledge `json:"knowledge,omitempty"`
	// MinPositives is the least number of examples of each answer; 50 without one.
	MinPositives int `json:"minimum_positives,omitempty"`
	// Allow names features that leak gates let pass; "target" lets features be made of the
	// target's own events.
	Allow []string `json:"allow,omitempty"`
}

// AllowTarget among the allowed lets past events of the target's name be features.
const AllowTarget = "target"

// never, as a schedule, is for trainings by order only.
const never = "never"

// Fault points at one wrong part of a definition.
type Fault struct {
	Pointer string // RFC 6901
	Detail  string
}

// Invalid is the error of a definition with faults.
type Invalid struct{ Faults []Fault }

// Error implements error.
func (e *Invalid) Error() string {
	return fmt.Sprintf("the definition of the model has %d faults, the first at %s: %s", len(e.Faults), e.Faults[0].Pointer, e.Faults[0].Detail)
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

// ValidName reports whether a model can have this name: its score has it as well.
func ValidName(name string) bool {
	return namePattern.MatchString(name) && name != valuation.Population && name != scoring.Score && !slices.Contains(valuation.Names(), name)
}

// unknownField is how encoding/json names a field that a definition has not.
var unknownField = regexp.MustCompile(`^json: unknown field "([A-Za-z0-9_]{1,40})"$`)

// unreadable says what is wrong with a text that is no definition.
func unreadable(err error) Fault {
	const fields = "target, horizon, gap, eligible, schedule, knowledge, minimum_positives, allow and description"
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
	case errors.As(err, &wrong) && wrong.Field != "":
		return Fault{"/" + strings.ReplaceAll(wrong.Field, ".", "/"), "has the wrong type: it is a JSON " + strings.Fields(wrong.Value)[0]}
	default:
		if name := unknownField.FindStringSubmatch(err.Error()); name != nil {
			return Fault{"/" + name[1], "is not known; a definition has " + fields}
		}
	}
	return Fault{"", "must be a JSON object with " + fields}
}

// Parse reads a definition. The error is an *Invalid.
func Parse(text []byte) (Definition, error) {
	var d Definition
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil || decoder.More() {
		return d, &Invalid{[]Fault{unreadable(err)}}
	}
	var faults []Fault
	fault := func(bad bool, pointer, detail string) {
		if bad {
			faults = append(faults, Fault{pointer, detail})
		}
	}
	ready := d.Target.Ready
	fault((d.Target.Event == "") == (ready == ""), "/target", "must have one of event and ready")
	fault(ready != "" && !slices.Contains([]string{Purchase, Churn, Repeat, Response}, ready), "/target/ready", "must be purchase, churn, repeat or response")
	fault((d.Target.Channel == "") == (ready == Response), "/target/channel", "must name the channel of a response, such as email, and goes with no other target")
	fault(len(d.Target.Channel) > 100, "/target/channel", "must have 100 characters at most")
	fault(len(d.Target.Event) > 500, "/target/event", "must have 500 characters at most")
	fault(!spanWithin(d.Horizon, 1, 365), "/horizon", "must be a number of days from 1d to 365d")
	fault(d.Gap != "" && !spanWithin(d.Gap, 0, 90), "/gap", "must be a number of days from 0d to 90d")
	fault(d.Schedule != "" && d.Schedule != never && !spanWithin(d.Schedule, 1, 365), "/schedule", "must be a number of days from 1d to 365d, or never")
	fault(d.Knowledge != "" && d.Knowledge != features.Received && d.Knowledge != features.EventTime, "/knowledge", "must be received or event_time")
	fault(d.MinPositives != 0 && (d.MinPositives < 10 || d.MinPositives > 100_000), "/minimum_positives", "must be 10 to 100000")
	fault(len(d.Allow) > 100, "/allow", "must have 100 names at most")
	fault(len(d.Description) > 2000, "/description", "must have 2000 characters at most")
	if len(faults) > 0 {
		return d, &Invalid{faults}
	}
	return d, nil
}

// span reads a number of days; Parse has checked it.
func span(text string) time.Duration {
	if len(text) < 2 || text[len(text)-1] != 'd' {
		return 0
	}
	n, _ := strconv.Atoi(text[:len(text)-1])
	return time.Duration(n) * 24 * time.Hour
}

func spanWithin(text string, low, high int) bool {
	if len(text) < 2 || text[len(text)-1] != 'd' {
		return false
	}
	n, err := strconv.Atoi(text[:len(text)-1])
	return err == nil && n >= low && n <= high
}

// window is when the answers of a moment come.
func (d Definition) window(at time.Time) features.Window {
	from := at.Add(span(d.Gap))
	return features.Window{From: from, To: from.Add(span(d.Horizon))}
}

// pace is the span between two moments: so far apart that their answers do not overlap.
func (d Definition) pace() time.Duration { return span(d.Gap) + span(d.Horizon) }

// schedule is the span between trainings; 0 for never.
func (d Definition) schedule() time.Duration {
	switch d.Schedule {
	case never:
		return 0
	case "":
		return 7 * 24 * time.Hour
	}
	return span(d.Schedule)
}

func (d Definition) minPositives() int {
	if d.MinPositives == 0 {
		return 50
	}
	return d.MinPositives
}

// question is a hash of what is foretold of whom.
func (d Definition) question() string {
	text, err := json.Marshal([]any{d.Target, d.Horizon, span(d.Gap), d.Eligible})
	if err != nil {
		panic(err) // Impossible: the definition was read from JSON.
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// excludes reports whether events of a name must not become features: they are what is
// foretold.
func (d Definition) excludes(name, kind string) bool {
	if slices.Contains(d.Allow, AllowTarget) {
		return false
	}
	if d.Target.Event != "" {
		return name == d.Target.Event
	}
	// That people responded before is what foretells it.
	return kind == "transaction" && d.Target.Ready != Response
}

// of reports whether a ready-made target speaks of a profile with these features.
func (d Definition) of(number func(string) float64) bool {
	switch d.Target.Ready {
	case Churn:
		return number("orders_365d") > 0
	case Repeat:
		return number("orders") == 1
	}
	return true
}

// answer turns whether somebody did something into the answer.
func (d Definition) answer(did bool) bool { return did != (d.Target.Ready == Churn) }
