package files

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Bounds of the memory that a decompression may take.
const (
	zstdWindow = 128 << 20
	xzDict     = 28 // code of 64 MiB, what xz -9 writes
)

// decompress returns the content of a stream by its magic number, whatever its
// name is. Compressed says whether it was one.
func decompress(b *bufio.Reader) (r io.Reader, compressed bool, err error) {
	magic, _ := b.Peek(18)
	has := func(prefix string) bool { return bytes.HasPrefix(magic, []byte(prefix)) }
	switch {
	case has("\x1f\x8b"):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, true, fmt.Errorf("gzip header: %w", err)
		}
		return z, true, nil
	case has("\x28\xb5\x2f\xfd"):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, true, fmt.Errorf("zstd: %w", err)
		}
		return z.IOReadCloser(), true, nil
	case has("BZh"):
		return bzip2.NewReader(b), true, nil
	case has("\xfd7zXZ\x00"):
		// Stream header of 12 bytes, then the block header: its size, flags, and
		// the LZMA2 filter (id 0x21, one byte) with the code of its dictionary.
		if len(magic) >= 17 && magic[14] == 0x21 && magic[16] > xzDict {
			return nil, true, errors.New("xz: the dictionary is over 64 MiB")
		}
		z, err := xz.NewReader(b)
		if err != nil {
			return nil, true, fmt.Errorf("xz header: %w", err)
		}
		return z, true, nil
	}
	return b, false, nil
}
