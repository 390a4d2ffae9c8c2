package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
)

// errRecords reports a record set that breaks the format. The broker checks
// what it stores, so this means a broken transport or an unsupported format.
var errRecords = errors.New("malformed record batch")

// Layout of a record batch, magic 2: Kafka protocol guide, "Record Batch".
const (
	batchOverhead  = 12 // base offset and length precede what the length counts
	batchHeader    = 61
	attrTimeAppend = 1<<3 | 1<<14 // LogAppendTime; bit 14 is what the embedded broker sets instead
	attrControl    = 1 << 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecords decodes the record batches in set and appends the records at or
// after offset from to dst. Keys and values alias set (or its decompressed
// form). A batch cut off at the end of set is left out, as the protocol allows.
// next is the offset after the last whole batch seen, records or not.
func appendRecords(dst []kafka.Message, topic string, partition int, set []byte, from int64) (out []kafka.Message, next int64, err error) {
	next = from
	for len(set) >= batchOverhead {
		length := int(binary.BigEndian.Uint32(set[8:]))
		if length < 0 || batchOverhead+length > len(set) {
			break
		}
		b := set[:batchOverhead+length]
		set = set[batchOverhead+length:]
		var end int64
		if dst, end, err = appendBatch(dst, topic, partition, b, from); err != nil {
			return dst, next, fmt.Errorf("%s/%d near offset %d: %w", topic, partition, next, err)
		}
		next = max(next, end)
	}
	return dst, next, nil
}

func appendBatch(dst []kafka.Message, topic string, partition int, b []byte, from int64) ([]kafka.Message, int64, error) {
	if len(b) < batchHeader || b[16] != 2 {
		return dst, 0, fmt.Errorf("%w: not of format version 2", errRecords)
	}
	if crc32.Checksum(b[21:], castagnoli) != binary.BigEndian.Uint32(b[17:]) {
		return dst, 0, fmt.Errorf("%w: checksum differs", errRecords)
	}
	base := int64(binary.BigEndian.Uint64(b))
	attributes := binary.BigEndian.Uint16(b[21:])
	end := base + int64(binary.BigEndian.Uint32(b[23:])) + 1
	if end <= from || attributes&attrControl != 0 {
		return dst, end, nil
	}
	first := int64(binary.BigEndian.Uint64(b[27:]))
	appended := int64(binary.BigEndian.Uint64(b[35:]))
	count := int(binary.BigEndian.Uint32(b[57:]))
	payload, err := decompress(attributes, b[batchHeader:])
	if err != nil {
		return dst, 0, err
	}
	r := reader{b: payload}
	for range count {
		m := kafka.Message{Topic: topic, Partition: partition}
		delta := r.record(&m)
		if r.bad {
			return dst, 0, fmt.Errorf("%w: record overruns its batch", errRecords)
		}
		m.Offset += base
		if m.Offset < from {
			continue
		}
		if attributes&attrTimeAppend != 0 {
			m.Time = time.UnixMilli(appended).UTC()
		} else {
			m.Time = time.UnixMilli(first + delta).UTC()
		}
		dst = append(dst, m)
	}
	return dst, end, nil
}

func decompress(attributes uint16, b []byte) ([]byte, error) {
	codec := compress.Compression(attributes & 7).Codec()
	if attributes&7 == 0 {
		return b, nil
	}
	if codec == nil {
		return nil, fmt.Errorf("%w: unknown compression %d", errRecords, attributes&7)
	}
	rc := codec.NewReader(newBytesReader(b))
	defer func() { _ = rc.Close() }()
	out, err := io.ReadAll(io.LimitReader(rc, maxInflated+1))
	if err != nil {
		return nil, fmt.Errorf("decompress record batch: %w", err)
	}
	if len(out) > maxInflated {
		return nil, fmt.Errorf("%w: inflates to more than %d bytes", errRecords, maxInflated)
	}
	return out, nil
}

// maxInflated bounds one record batch after decompression, in bytes: far above
// what a broker accepts by default (1 MiB compressed), far below memory.
const maxInflated = 256 << 20

// reader walks the varint-framed records of a batch. After bad is set its
// results mean nothing.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// bytes reads a length and that many bytes; a negative length is null.
func (r *reader) bytes() []byte {
	n := r.varint()
	if n < 0 {
		return nil
	}
	if n > int64(len(r.b)) {
		r.bad = true
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// record reads one record into m, with the offset relative to the batch, and
// returns its time relative to the batch's first.
func (r *reader) record(m *kafka.Message) (delta int64) {
	body := reader{b: r.bytes()}
	if r.bad || len(body.b) == 0 {
		r.bad = true
		return 0
	}
	body.b = body.b[1:] // attributes, unused
	delta = body.varint()
	m.Offset = body.varint()
	m.Key = body.bytes()
	m.Value = body.bytes()
	n := body.varint()
	if n < 0 || n > int64(len(body.b)) {
		r.bad = true
		return 0
	}
	for range n {
		key := string(body.bytes())
		m.Headers = append(m.Headers, kafka.Header{Key: key, Value: body.bytes()})
	}
	r.bad = r.bad || body.bad
	return delta
}
