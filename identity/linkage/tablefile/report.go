package tablefile

import "fmt"

// Delimiter returns the byte between the fields.
func (r *Rows) Delimiter() byte { return r.splitter.comma }

func delimiterName(d byte) string {
	switch d {
	case ',':
		return "comma"
	case ';':
		return "semicolon"
	case '\t':
		return "tab"
	case '|':
		return "bar"
	}
	return fmt.Sprintf("%q", d)
}

// Encoding returns the encoding of what was read so far: utf-8 (ASCII
// included), utf-16le, utf-16be, windows-1252, or mixed.
func (r *Rows) Encoding() string {
	switch {
	case r.foreign.count == 0:
		return r.encoding
	case r.utf8Lines == 0:
		return "windows-1252"
	}
	return "mixed"
}

// Warnings returns what was odd in the rows read so far.
func (r *Rows) Warnings() []Warning {
	var all []Warning
	switch r.Encoding() {
	case "mixed":
		all = r.foreign.warn(all, Encoding, r.path, "lines mix encodings: UTF-8 in %d lines, and %d lines with values that are not UTF-8 and were read as windows-1252", r.utf8Lines, r.foreign.count)
	case "windows-1252":
		all = r.foreign.warn(all, Encoding, r.path, "text is not UTF-8 and was read as windows-1252 (latin-1)")
	}
	if r.undefined > 0 {
		all = append(all, Warning{Code: Encoding, File: r.path, Count: r.undefined, Text: "bytes that are no character of windows-1252: the encoding is another one; write the file as UTF-8"})
	}
	all = r.nuls.warn(all, NULBytes, r.path, "NUL bytes were removed")
	all = r.stray.warn(all, StrayQuotes, r.path, "a quote opens a value and does not close it: it was read as a character")
	if r.plain {
		all = append(all, Warning{Code: StrayQuotes, File: r.path, Text: "so many quotes do not close that none was taken to span lines after the first hundred"})
	}
	all = r.short.warn(all, ShortRows, r.path, "records have fewer fields than the header: those at the end are taken as missing")
	all = r.long.warn(all, LongRows, r.path, "records have more fields than the header: what stands beyond it was dropped, and what stands before it may be shifted")
	all = r.empty.warn(all, EmptyRows, r.path, "rows without any value were left out")
	return r.again.warn(all, HeaderAgain, r.path, "the header stands again among the records and was left out")
}
