package tablefile

import (
	"bytes"
)

// delimiters are those that are looked for, the likelier ones first.
var delimiters = []byte{',', ';', '\t', '|'}

// lineEnd returns the byte that ends lines: a line feed, or the carriage return
// of old systems where there is no line feed at all.
func lineEnd(head []byte) byte {
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		return '\r'
	}
	return '\n'
}

// sniffedLines is the number of records that decide on the delimiter.
const sniffedLines = 100

// delimiterOf finds the delimiter of a file: the one by which most of the first
// lines have as many fields as the header, and among equals the one that makes
// more fields. Whole tells that head is the file, else its last line is cut.
func delimiterOf(head []byte, eol byte, whole bool) byte {
	lines := bytes.Split(head, []byte{eol})
	if !whole && len(lines) > 1 {
		lines = lines[:len(lines)-1]
	}
	best, bestFit, bestColumns := byte(','), 0., 1
	for _, d := range delimiters {
		fit, columns := fitOf(lines, d)
		if columns < 2 {
			continue
		}
		if bestColumns < 2 || fit > bestFit+.05 || fit > bestFit-.05 && columns > bestColumns {
			best, bestFit, bestColumns = d, fit, columns
		}
	}
	return best
}

// fitOf returns the share of the records that have as many fields as the first.
func fitOf(lines [][]byte, delimiter byte) (fit float64, columns int) {
	s := splitter{comma: delimiter}
	records, fits := 0, 0
	var text []byte
	for _, l := range lines {
		if text = append(text, l...); len(bytes.TrimSpace(text)) == 0 {
			text = text[:0]
			continue
		}
		fields, open := s.split(bytes.TrimSuffix(text, []byte{'\r'}), greedy)
		if open && len(text) < 1024 {
			text = append(text, '\n')
			continue
		}
		text = text[:0]
		if columns == 0 {
			columns = len(fields)
		}
		records++
		if len(fields) == columns {
			fits++
		}
		if records == sniffedLines {
			break
		}
	}
	if records == 0 {
		return 0, 0
	}
	return float64(fits) / float64(records), columns
}

// declared reads the line "sep=;" that spreadsheets write before the header.
func declared(line []byte) (delimiter byte, ok bool) {
	line = bytes.Trim(line, "\r \"")
	if len(line) == 5 && bytes.EqualFold(line[:4], []byte("sep=")) {
		return line[4], true
	}
	return 0, false
}
