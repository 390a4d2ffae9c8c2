package api

import (
	"bytes"
	"compress/gzip"
	"strconv"
	"strings"
	"sync"
)

// leastPacked is the size of a body from which on packing it is worth the time:
// below it fits into a packet or two as it is.
const leastPacked = 1400

// packedTag tells the ETag of an answer in gzip from that of the same one as it is.
const packedTag = "-gzip"

// acceptsGzip reads Accept-Encoding as RFC 9110 §12.5.3 has it.
func acceptsGzip(header string) bool {
	if header == "" {
		return false
	}
	accepted := false
	for part := range strings.SplitSeq(header, ",") {
		coding, parameters, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "x-gzip" && coding != "*" {
			continue
		}
		weight, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(parameters), " ", ""), "q=")
		if found {
			if q, err := strconv.ParseFloat(weight, 64); err != nil || q <= 0 {
				if coding != "*" {
					return false
				}
				continue
			}
		}
		accepted = true
	}
	return accepted
}

// packers are kept, because each holds some 800 KB of tables.
var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // Only an unknown level is an error.
	return w
}}

func pack(body []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(body) / 3)
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	_, _ = w.Write(body) // A buffer takes everything.
	_ = w.Close()
	return b.Bytes()
}
