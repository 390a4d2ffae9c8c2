package embedded

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// lastLines is how much of a log an error carries.
const lastLines = 8

// lastWords quotes the ends of what the engine printed and logged, and names the files.
func (c *ClickHouse) lastWords() string {
	var b strings.Builder
	fmt.Fprintf(&b, "its log is %s", c.logPath())
	for _, path := range []string{c.outputPath(), c.logPath()} {
		if tail := tailOf(path, lastLines); tail != "" {
			fmt.Fprintf(&b, "\nlast lines of %s:\n%s", path, tail)
		}
	}
	return b.String()
}

// tailOf is the last n lines of a file, or nothing when it cannot be read.
func tailOf(path string, n int) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // Only read.
	const window = 16 << 10
	if end, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, end-window), io.SeekStart)
	}
	text, err := io.ReadAll(io.LimitReader(f, window))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
