package tablefile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/text/encoding/unicode"
)

// headBytes is how much of a file is looked at before it is read.
const headBytes = 64 << 10

// formats are files that are no text, by their magic numbers.
var formats = []struct{ magic, what string }{
	{"PK\x03\x04", "a zip archive or an Excel workbook: save the sheet as CSV (UTF-8)"},
	{"\xd0\xcf\x11\xe0", "an Excel workbook: save the sheet as CSV (UTF-8)"},
	{"PAR1", "a Parquet file: write it as CSV"},
	{"SQLite format 3", "an SQLite database: write the table as CSV"},
	{"%PDF", "a PDF document"},
	{"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it, or use gzip"},
	{"\xfd7zXZ\x00", "compressed with xz: unpack it, or use gzip"},
	{"BZh", "compressed with bzip2: unpack it, or use gzip"},
}

// counter counts the bytes that were read of a file.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// openText opens a file as UTF-8 text, or what should be. The encoding is
// "utf-8" wherever no byte says otherwise.
func openText(path string) (text *bufio.Reader, read *counter, file *os.File, encoding string, err error) {
	file, err = os.Open(path)
	if err != nil {
		return nil, nil, nil, "", err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close()
		return nil, nil, nil, "", fmt.Errorf("%s is a folder", path)
	}
	read = &counter{r: file}
	text, encoding, err = decoded(read)
	if err != nil {
		_ = file.Close()
		return nil, nil, nil, "", fmt.Errorf("%s %w", path, err)
	}
	return text, read, file, encoding, nil
}

// decoded unpacks and decodes a stream. Its errors continue "FILE …".
func decoded(r io.Reader) (*bufio.Reader, string, error) {
	b := bufio.NewReaderSize(r, 2*headBytes)
	if magic, _ := b.Peek(2); bytes.Equal(magic, []byte("\x1f\x8b")) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, "", fmt.Errorf("is no gzip file: %w", err)
		}
		b = bufio.NewReaderSize(z, 2*headBytes)
	}
	head, err := b.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return nil, "", fmt.Errorf("cannot be read: %w", err)
	}
	if len(head) == 0 {
		return nil, "", errors.New("is empty")
	}
	for _, f := range formats {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return nil, "", fmt.Errorf("is %s", f.what)
		}
	}
	order, mark, wide := utf16Of(head)
	if wide {
		_, _ = b.Discard(mark)
		text := bufio.NewReaderSize(unicode.UTF16(order, unicode.IgnoreBOM).NewDecoder().Reader(b), 2*headBytes)
		if order == unicode.BigEndian {
			return text, "utf-16be", nil
		}
		return text, "utf-16le", nil
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = b.Discard(3)
	}
	return b, "utf-8", nil
}

// utf16Of recognises UTF-16 by its mark, or by the zeros that ASCII has in it:
// every second byte of nearly all of a table, and never the other ones.
func utf16Of(head []byte) (order unicode.Endianness, mark int, is bool) {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return unicode.LittleEndian, 2, true
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return unicode.BigEndian, 2, true
	}
	var zeros [2]int
	for i, c := range head {
		if c == 0 {
			zeros[i&1]++
		}
	}
	half := len(head) / 2
	switch {
	case half < 2:
	case zeros[0] == 0 && zeros[1] > half/2:
		return unicode.LittleEndian, 0, true
	case zeros[1] == 0 && zeros[0] > half/2:
		return unicode.BigEndian, 0, true
	}
	return unicode.LittleEndian, 0, false
}
