package tablefile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Bounds of one record.
const (
	maxRecordBytes = 1 << 20
	maxRecordLines = 200 // physical lines of a record with quoted line breaks
)

// line is one physical line of a file without its end.
type line struct {
	text   []byte
	number int  // from 1
	clean  bool // is UTF-8 without NUL bytes, and counted
}

// lines reads the physical lines of a file, and can take some back.
type lines struct {
	r       *bufio.Reader
	eol     byte
	number  int
	long    []byte
	waiting []line
}

// next returns the next line. Its text is valid until the next call.
func (l *lines) next() (line, error) {
	if len(l.waiting) > 0 {
		first := l.waiting[0]
		l.waiting = l.waiting[1:]
		return first, nil
	}
	text, err := l.r.ReadSlice(l.eol)
	if err != nil {
		l.long = l.long[:0]
		for errors.Is(err, bufio.ErrBufferFull) && len(l.long) <= maxRecordBytes {
			l.long = append(l.long, text...)
			text, err = l.r.ReadSlice(l.eol)
		}
		if l.long = append(l.long, text...); len(l.long) > maxRecordBytes {
			return line{}, fmt.Errorf("line %d is longer than %d bytes, which no record is", l.number+1, maxRecordBytes)
		}
		if errors.Is(err, io.EOF) && len(l.long) == 0 {
			return line{}, io.EOF
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return line{}, fmt.Errorf("line %d: %w", l.number+1, err)
		}
		text = l.long
	}
	l.number++
	text = bytes.TrimSuffix(text, []byte{l.eol})
	return line{text: bytes.TrimSuffix(text, []byte{'\r'}), number: l.number}, nil
}

// back gives lines back, to be read next.
func (l *lines) back(some []line) { l.waiting = append(some, l.waiting...) }
