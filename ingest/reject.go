package ingest

import "fmt"

// Reason is the stable code of why a record became a dead letter.
type Reason string

// The reasons. Each is documented in the dead_letters table as well.
const (
	ReasonJSON       Reason = "invalid_json"       // not the JSON of a message
	ReasonField      Reason = "invalid_field"      // a field breaks its rule
	ReasonMissing    Reason = "missing_field"      // a required field is absent
	ReasonVersion    Reason = "unknown_version"    // schema version not known
	ReasonReused     Reason = "id_reused"          // same message id, another body
	ReasonProducer   Reason = "rejected_by_source" // the producer could not read its input
	ReasonTooLarge   Reason = "too_large"          // over a size limit
	ReasonIdentifier Reason = "invalid_identifier" // malformed namespace or value
	ReasonPlan       Reason = "plan_violation"     // a tracking plan blocks it
)

// DeadLetter is a record that could not become an event, kept whole.
type DeadLetter struct {
	Workspace string
	Received  Millis
	Source    string
	Reason    Reason
	Detail    string // names the field and the rule, never the value
	Place     string // where in its input it stood, if the producer said so
	MessageID string
	Position  Position
	Value     []byte
	Headers   map[string]string
	Hash      Hash
	BodyHash  uint64
}

// fault is why a message is refused.
type fault struct {
	reason Reason
	detail string
}

func faultf(reason Reason, format string, args ...any) *fault {
	return &fault{reason: reason, detail: fmt.Sprintf(format, args...)}
}
