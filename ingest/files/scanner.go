package files

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Bounds of one CSV record. A longer one is no line of an invoice.
const (
	maxLineBytes   = 256 << 10 // also the most of a rejected line that is kept
	maxRecordLines = 64        // physical lines of a record with quoted newlines
)

// physicalLine is one line of the file without its line feed.
type physicalLine struct {
	text   []byte
	number int // from 1
	cut    bool
}

// csvRecord is one record, or the reason why there is none.
type csvRecord struct {
	raw    []byte   // the physical lines as they stood, joined by line feeds
	fields [][]byte // unquoted; valid until the next call of next
	line   int      // number of the first physical line
	fault  string   // why the record cannot be split, or empty
	column int      // the column that fault is about, or -1
}

// scanner splits CSV (RFC 4180) into records and survives corrupt lines: a
// quote that never closes, closes wrongly, or would swallow a line that is a
// record by itself costs its own physical line and nothing after it.
type scanner struct {
	r       *bufio.Reader
	comma   byte // between fields
	quote   byte // around fields; 0 for none
	blanks  bool // any run of blanks stands between fields
	columns int
	// plausible reports whether fields are a record by themselves: such a line
	// inside a quoted field means that the quote before it was corrupt.
	plausible func(fields [][]byte) bool

	number  int            // of the last physical line read from r
	waiting []physicalLine // read ahead for a quote that did not close
	fields  [][]byte
	scratch []byte
	probe   [][]byte
	long    []byte
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: bufio.NewReaderSize(r, 1<<18), comma: ',', quote: '"'}
}

// next returns the next record that is not an empty line, or io.EOF.
func (s *scanner) next() (csvRecord, error) {
	for {
		l, err := s.read()
		if err != nil {
			return csvRecord{}, err
		}
		text := bytes.TrimSuffix(l.text, []byte{'\r'})
		if len(text) == 0 {
			continue
		}
		rec := csvRecord{raw: l.text, line: l.number, column: -1}
		if l.cut {
			rec.fault = "line: longer than 262144 bytes, kept as far as that"
			return rec, nil
		}
		var end splitEnd
		s.fields, end = s.split(text, s.fields[:0])
		switch {
		case end == quoteOpen:
			return s.joined(l)
		case end != splitOK:
			rec.fault, rec.column = end.fault(), len(s.fields)
		case s.columns > 0 && len(s.fields) != s.columns:
			rec.fault = "line: wrong number of columns"
		}
		rec.fields = s.fields
		return rec, nil
	}
}

// joined continues a record whose first line ends inside a quoted field. When
// no further line closes it, the first line alone is rejected.
func (s *scanner) joined(first physicalLine) (csvRecord, error) {
	column := len(s.fields)
	text := bytes.Clone(first.text)
	first.text = text[:len(text):len(text)]
	var ahead []physicalLine
	for len(ahead)+1 < maxRecordLines {
		l, err := s.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return csvRecord{}, err
		}
		l.text = bytes.Clone(l.text)
		ahead = append(ahead, l)
		if l.cut || len(text)+len(l.text) >= maxLineBytes || s.standsAlone(l.text) {
			break
		}
		text = append(append(text, '\n'), l.text...)
		if bytes.IndexByte(l.text, s.quote) < 0 {
			continue
		}
		var end splitEnd
		s.fields, end = s.split(bytes.TrimSuffix(text, []byte{'\r'}), s.fields[:0])
		if end == splitOK && len(s.fields) == s.columns {
			return csvRecord{raw: text, fields: s.fields, line: first.number, column: -1}, nil
		}
		if end != quoteOpen {
			break
		}
	}
	s.waiting = append(ahead, s.waiting...)
	return csvRecord{raw: first.text, line: first.number, fault: quoteOpen.fault(), column: column}, nil
}

// standsAlone reports whether a line is a plausible record by itself, with its
// quotes read strictly or taken as ordinary characters.
func (s *scanner) standsAlone(text []byte) bool {
	if s.plausible == nil {
		return false
	}
	text = bytes.TrimSuffix(text, []byte{'\r'})
	var end splitEnd
	s.probe, end = s.split(text, s.probe[:0])
	if end == splitOK && len(s.probe) == s.columns && s.plausible(s.probe) {
		return true
	}
	plain := bytes.Split(text, []byte{s.comma})
	return len(plain) == s.columns && s.plausible(plain)
}

// read returns the next physical line. Its text is valid until the next call.
func (s *scanner) read() (physicalLine, error) {
	if len(s.waiting) > 0 {
		l := s.waiting[0]
		s.waiting = s.waiting[1:]
		return l, nil
	}
	text, err := s.r.ReadSlice('\n')
	if err == nil {
		s.number++
		return physicalLine{text: text[:len(text)-1], number: s.number}, nil
	}
	s.long = s.long[:0]
	cut := false
	for errors.Is(err, bufio.ErrBufferFull) || err == nil {
		s.long, cut = appendUpTo(s.long, text, cut)
		if err == nil {
			break
		}
		text, err = s.r.ReadSlice('\n')
	}
	switch {
	case err == nil:
		s.long = bytes.TrimSuffix(s.long, []byte{'\n'})
	case errors.Is(err, io.EOF):
		if s.long, cut = appendUpTo(s.long, text, cut); len(s.long) == 0 {
			return physicalLine{}, io.EOF
		}
	default:
		return physicalLine{}, err
	}
	s.number++
	return physicalLine{text: s.long, number: s.number, cut: cut}, nil
}

func appendUpTo(b, more []byte, cut bool) ([]byte, bool) {
	if room := maxLineBytes - len(b); len(more) > room {
		return append(b, more[:room]...), true
	}
	return append(b, more...), cut
}
