package mapping

import (
	"fmt"
	"strings"
)

// LoadFault is one rule of the language that a mapping breaks.
type LoadFault struct {
	Key    string // such as events[0].time.format
	Line   int    // from 1; 0 when it is not known
	Detail string
}

// Invalid lists every fault of a mapping.
type Invalid struct {
	Name   string // of the mapping, usually its file
	Faults []LoadFault
}

// Error implements error, one line for each fault.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		where := e.Name
		if f.Line > 0 {
			where = fmt.Sprintf("%s:%d", e.Name, f.Line)
		}
		if f.Key != "" {
			where += ": " + f.Key
		}
		lines[i] = where + ": " + f.Detail
	}
	return strings.Join(lines, "\n")
}

// Fault says why a record, or an element of one, became no message. It names
// the key of the mapping, the rule, and the value's type, never the value.
type Fault struct {
	Rule   string // key of the mapping, such as events[0].transaction.amount
	Line   int    // of the key in the mapping
	Code   string // code of wire, or CodeUnmapped
	Detail string
	// Message is the JSON of the message when only its rules were broken, so
	// that it can be mended; nil when there is none.
	Message []byte
}

// CodeUnmapped is the code of a record to which no rule of the mapping applies.
const CodeUnmapped = "unmapped"

// Error implements error.
func (f *Fault) Error() string {
	switch {
	case f.Rule == "":
		return f.Detail
	case f.Line > 0:
		return fmt.Sprintf("mapping %s (line %d): %s", f.Rule, f.Line, f.Detail)
	}
	return fmt.Sprintf("mapping %s: %s", f.Rule, f.Detail)
}
