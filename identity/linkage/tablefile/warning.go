package tablefile

import (
	"fmt"
	"strings"
)

// Code says what a Warning is about.
type Code string

// The codes of warnings.
const (
	Encoding     Code = "encoding"      // values that are not of the file's encoding
	NULBytes     Code = "nul_bytes"     // removed
	StrayQuotes  Code = "stray_quotes"  // a quote that opens and never closes, read as a character
	ShortRows    Code = "short_rows"    // filled with missing values
	LongRows     Code = "long_rows"     // what stands beyond the header is dropped
	EmptyRows    Code = "empty_rows"    // delimiters only, left out
	HeaderAgain  Code = "header_again"  // the header once more among the records, left out
	ColumnName   Code = "column_name"   // empty or doubled in the header
	EmptyColumn  Code = "empty_column"  // no record has a value: ignored
	Constant     Code = "constant"      // all records that have a value have the same one
	AllDifferent Code = "all_different" // no two records share a value
	OneSided     Code = "one_sided"     // a column that only one of two files has: ignored
	ChosenID     Code = "chosen_id"     // the id column was found by its name
)

// Warning is something odd in a file that did not stop the reading, and what
// was done about it.
type Warning struct {
	Code   Code   `json:"code"`
	File   string `json:"file,omitempty"`
	Column string `json:"column,omitempty"`
	// Count is how often it happened, Lines are the first lines (at most 5)
	// where it did.
	Count int   `json:"count,omitempty"`
	Lines []int `json:"lines,omitempty"`
	// Text says it in words, without the file and the lines.
	Text string `json:"text"`
}

// String is the warning in one line.
func (w Warning) String() string {
	text := w.Text
	if w.File != "" {
		text = w.File + ": " + text
	}
	return text + at(w.Lines, w.Count)
}

// at words line numbers: " (line 3)", " (lines 3, 9 and 4 more)".
func at(lines []int, count int) string {
	if len(lines) == 0 {
		return ""
	}
	if count <= 1 {
		return fmt.Sprintf(" (line %d)", lines[0])
	}
	text := strings.Trim(strings.ReplaceAll(fmt.Sprint(lines), " ", ", "), "[]")
	if more := count - len(lines); more > 0 {
		return fmt.Sprintf(" (lines %s and %d more)", text, more)
	}
	return fmt.Sprintf(" (lines %s)", text)
}

// sightings counts a fault and keeps its first lines.
type sightings struct {
	count int
	lines []int
}

const keptLines = 5

func (s *sightings) add(line int) {
	s.count++
	if len(s.lines) < keptLines {
		s.lines = append(s.lines, line)
	}
}

// warn appends the warning of a fault that happened.
func (s *sightings) warn(all []Warning, code Code, file, format string, args ...any) []Warning {
	if s.count == 0 {
		return all
	}
	return append(all, Warning{Code: code, File: file, Count: s.count, Lines: s.lines, Text: fmt.Sprintf(format, args...)})
}
