package text

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Fault is one thing wrong with a text.
type Fault struct {
	Line, Column int    // from 1; columns are characters
	Detail       string // what was expected, or the rule that is broken
}

// Invalid is the error of a text that is no definition. It repeats no more of the text
// than a word.
type Invalid struct{ Faults []Fault }

// Error implements error.
func (e *Invalid) Error() string {
	parts := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		parts[i] = fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Detail)
	}
	return "segment text: " + strings.Join(parts, "; ")
}

// fault returns a fault at a byte offset of text.
func fault(text string, at int, detail string) *Fault {
	line, column := position(text, at)
	return &Fault{Line: line, Column: column, Detail: detail}
}

// position returns line and column of a byte offset.
func position(text string, at int) (line, column int) {
	before := text[:at]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[start:]) + 1
}
