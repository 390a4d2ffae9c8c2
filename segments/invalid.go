package segments

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with a definition.
type Fault struct {
	Pointer string // RFC 6901 JSON pointer into the definition; "" is the whole
	Detail  string // the rule that is broken
}

// maxFaults bounds what one error reports.
const maxFaults = 20

// Invalid is the error of a definition that breaks the rules. It lists up to
// 20 faults in the order of the text, and repeats no value of the definition
// longer than a name.
type Invalid struct{ Faults []Fault }

// Error implements error.
func (e *Invalid) Error() string {
	parts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		at := f.Pointer
		if at == "" {
			at = "/"
		}
		parts[i] = at + ": " + f.Detail
	}
	return "segment definition: " + strings.Join(parts, "; ")
}

// faults collects faults during decoding.
type faults struct{ list []Fault }

func (f *faults) add(pointer, format string, args ...any) {
	if len(f.list) < maxFaults {
		f.list = append(f.list, Fault{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
}

func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return &Invalid{Faults: f.list}
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// join appends a member name to a pointer.
func join(pointer, name string) string { return pointer + "/" + pointerEscaper.Replace(clip(name)) }

// clip shortens foreign text for use in an error.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
