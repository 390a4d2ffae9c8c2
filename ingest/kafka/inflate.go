package kafka

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
)

const (
	// maxInflated bounds what one record batch may inflate to before it is read
	// as a stream. A mebibyte, which is what a broker accepts by default, can
	// hold gibibytes of zeros, and nobody but its producer vouches for it.
	maxInflated = 32 << 20
	// maxRecord bounds one record of a streamed batch; the rest of a longer one
	// is dropped. It is above what the decoder of events accepts, so that such a
	// record is refused there, with its reason.
	maxRecord = 8 << 20
)

// inflate returns the records of a batch. whole is false when they are more
// than maxInflated.
func inflate(attributes uint16, b []byte) (out []byte, whole bool, err error) {
	if attributes&7 == 0 {
		return b, true, nil
	}
	rc, err := inflater(attributes, b)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = rc.Close() }()
	// The records are copied out at their size: buffers that grow are up to
	// twice as large as what they hold, and records stay until they are stored.
	buf, ok := scratch.Get().(*bytes.Buffer)
	if !ok {
		buf = new(bytes.Buffer)
	}
	defer scratch.Put(buf)
	buf.Reset()
	n, err := buf.ReadFrom(io.LimitReader(rc, maxInflated+1))
	if err != nil {
		return nil, false, fmt.Errorf("decompress record batch: %w", err)
	}
	return bytes.Clone(buf.Bytes()), n <= maxInflated, nil
}

// scratch holds the buffers that batches are inflated into.
var scratch sync.Pool

func inflater(attributes uint16, b []byte) (io.ReadCloser, error) {
	codec := compress.Compression(attributes & 7).Codec()
	if codec == nil {
		return nil, fmt.Errorf("%w: unknown compression %d", errRecords, attributes&7)
	}
	return codec.NewReader(bytes.NewReader(b)), nil
}

// stream is records for a batch that inflates to more than memory should hold:
// it keeps only what it returns, and ends when the budget is spent. The caller
// comes back for the rest, which costs the inflation again and is meant to be
// rare.
func (d *decoder) stream(dst []kafka.Message, b *batch, from int64, left *int) ([]kafka.Message, int64) {
	rc, err := inflater(b.attributes, b.raw[batchHeader:])
	if err != nil {
		return d.unreadable(dst, b, from, b.base, b.raw[batchHeader:]), b.end
	}
	defer func() { _ = rc.Close() }()
	in := bufio.NewReaderSize(rc, 64<<10)
	at := b.base
	var scratch []byte
	for range b.count {
		if *left <= 0 && len(dst) > 0 {
			return dst, at
		}
		body, cut, err := nextRecord(in, scratch)
		m := kafka.Message{Topic: d.topic, Partition: d.partition}
		r := reader{b: body}
		var delta int64
		if err == nil {
			delta, _ = r.fields(&m, nil, d.names)
			if cut && r.bad {
				m.Value, r.bad = r.b, false
			}
		}
		m.Offset += b.base
		if err != nil || r.bad || m.Offset < at || m.Offset >= b.end {
			return d.unreadable(dst, b, from, at, body), b.end
		}
		at = m.Offset + 1
		if m.Offset < from {
			scratch = body
			continue
		}
		scratch = nil
		m.Time = b.time(delta)
		dst = append(dst, m)
		*left -= len(body)
	}
	return dst, b.end
}

// nextRecord reads the body of one record, in scratch when it fits. cut says
// that it was longer than maxRecord, and lacks its end.
func nextRecord(in *bufio.Reader, scratch []byte) (body []byte, cut bool, err error) {
	n, err := binary.ReadVarint(in)
	if err != nil || n < 1 {
		return nil, false, fmt.Errorf("%w: record of %d bytes", errRecords, n)
	}
	keep := min(n, maxRecord)
	if int64(cap(scratch)) < keep {
		scratch = make([]byte, keep)
	}
	body = scratch[:keep]
	if _, err := io.ReadFull(in, body); err != nil {
		return nil, false, fmt.Errorf("%w: %w", errRecords, err)
	}
	if n > keep {
		if _, err := io.CopyN(io.Discard, in, n-keep); err != nil {
			return nil, false, fmt.Errorf("%w: %w", errRecords, err)
		}
	}
	return body, n > keep, nil
}
