package files

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Input is a file that can be read more than once: an import reads it to know
// its content hash, then to survey it, then to convert it.
type Input struct {
	// Name is the file name without its folder; it appears in the positions
	// of rejected lines.
	Name string
	// Open returns a reader of the content from its start. Content that starts
	// with the magic number of gzip, zstd, bzip2 or xz is decompressed.
	Open func() (io.ReadCloser, error)
	// Path is that of a regular file, when the input is one.
	Path string
}

// ErrChanged reports an input whose content changed while it was read.
var ErrChanged = errors.New("the file changed while it was being read")

// FileInput returns the input of the file at path.
func FileInput(path string) Input {
	return Input{Name: filepath.Base(path), Path: path, Open: func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		if info, err := f.Stat(); err == nil && info.IsDir() {
			_ = f.Close()
			return nil, fmt.Errorf("%s is a folder, not a file", path)
		}
		return f, nil
	}}
}

// StringInput returns an input over content held in memory.
func StringInput(name, content string) Input {
	return Input{Name: name, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

// content is an opened input: decompressed, and hashed as it is read.
type content struct {
	io.Reader
	name string
	file io.Closer
	sum  hash.Hash

	compressed bool
}

// open opens the input and decompresses it.
func (in Input) open() (*content, error) {
	f, err := in.Open()
	if err != nil {
		return nil, fmt.Errorf("open input: %w", err)
	}
	b := bufio.NewReaderSize(f, 1<<16)
	r, compressed, err := decompress(b)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("read %s: %w", in.Name, err)
	}
	sum := sha256.New()
	return &content{Reader: io.TeeReader(r, sum), name: in.Name, file: f, sum: sum, compressed: compressed}, nil
}

// Read names the input in errors: a damaged gzip stream has no other hint.
func (c *content) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err != nil && err != io.EOF {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("read %s: the compressed file is cut off: %w", c.name, err)
		} else {
			err = fmt.Errorf("read %s: %w", c.name, err)
		}
	}
	return n, err
}

func (c *content) Close() error { return c.file.Close() }

// hash returns the SHA-256 of what was read, in hexadecimal.
func (c *content) hash() string { return hex.EncodeToString(c.sum.Sum(nil)) }

// with opens the input, calls read, reads what read left, and returns the
// SHA-256 of the decompressed content.
func (in Input) with(read func(io.Reader) error) (string, error) {
	c, err := in.open()
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	if err := read(c); err != nil {
		return "", err
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		return "", err
	}
	return c.hash(), nil
}

// SHA256 returns the hash of the decompressed content in hexadecimal: the
// identity of an input, whatever its name and its compression.
func (in Input) SHA256() (string, error) {
	return in.with(func(io.Reader) error { return nil })
}

// plainPath returns the path of an input that is a regular file and is not
// compressed, so that it can be read out of order.
func (in Input) plainPath() string {
	if in.Path == "" {
		return ""
	}
	c, err := in.open()
	if err != nil {
		return ""
	}
	defer func() { _ = c.Close() }()
	if info, err := os.Stat(in.Path); err != nil || !info.Mode().IsRegular() || c.compressed {
		return ""
	}
	return in.Path
}
