package files

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// charsets are the encodings that a mapping may name; UTF-8 passes as it is.
var charsets = map[string]encoding.Encoding{
	"latin-1":      charmap.ISO8859_1,
	"windows-1252": charmap.Windows1252,
	"utf-16le":     unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	"utf-16be":     unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
}

// utf8Text returns text as UTF-8. A byte order mark stands above the name.
func utf8Text(r io.Reader, charset string) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	head, _ := b.Peek(3)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, _ = b.Discard(3)
		return b, nil
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		_, _ = b.Discard(2)
		charset = "utf-16le"
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		_, _ = b.Discard(2)
		charset = "utf-16be"
	}
	if charset == "" || charset == "utf-8" {
		return b, nil
	}
	e, ok := charsets[charset]
	if !ok {
		return nil, fmt.Errorf("encoding %q is not known", charset)
	}
	return e.NewDecoder().Reader(b), nil
}
