package native

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// freeBytes may be decompressed whatever the ratio: short bodies compress well.
const freeBytes = 1 << 20

// zstdWindow bounds the memory of one decompression.
const zstdWindow = 8 << 20

// damage ends a body before its time.
type damage struct{ code, detail string }

func (d *damage) Error() string { return d.detail }

// counter counts the compressed bytes.
type counter struct {
	r   io.Reader
	n   int64
	err error // of the reader below, which is no damage
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

// decompressed reads a body through its encoding and refuses bombs.
type decompressed struct {
	r     io.Reader
	in    *counter
	out   int64
	ratio int64
	plain bool
	end   func()
}

func (in *Intake) decompress(body io.Reader, encoding string) (*decompressed, error) {
	d := &decompressed{in: &counter{r: body}, ratio: int64(in.cfg.Ratio), end: func() {}}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		d.r, d.plain = d.in, true
	case "gzip", "x-gzip":
		d.r = &lazyGzip{src: d.in}
	case "zstd":
		z, err := zstd.NewReader(d.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, fmt.Errorf("begin zstd: %w", err)
		}
		d.r, d.end = z, z.Close
	default:
		return nil, ErrEncoding
	}
	return d, nil
}

func (d *decompressed) close() { d.end() }

// Read implements io.Reader. Its error is io.EOF, *damage, or that of the body.
func (d *decompressed) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.out += int64(n)
	switch {
	case d.plain:
		return n, err
	case d.in.err != nil:
		return n, d.in.err
	case d.out > freeBytes && d.out > d.ratio*d.in.n:
		return 0, &damage{code: wire.CodeTooLarge, detail: fmt.Sprintf("the body decompresses to more than %d times its size", d.ratio)}
	case err != nil && !errors.Is(err, io.EOF):
		return n, &damage{code: "invalid_encoding", detail: "the compressed body is damaged or cut off"}
	}
	return n, err
}

// lazyGzip reads the header with the first byte asked for, so that a body that
// is no gzip is damage like any other.
type lazyGzip struct {
	src io.Reader
	z   *gzip.Reader
}

func (l *lazyGzip) Read(p []byte) (int, error) {
	if l.z == nil {
		z, err := gzip.NewReader(l.src)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		l.z = z
	}
	return l.z.Read(p)
}
