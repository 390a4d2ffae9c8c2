package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
)

// errRecords reports a record set that breaks the format. The broker checks
// what it stores, so this means a broken transport or an unsupported format.
var errRecords = errors.New("malformed record batch")

// Layout of a record batch, magic 2: Kafka protocol guide, "Record Batch".
const (
	batchOverhead     = 12 // base offset and length precede what the length counts
	batchHeader       = 61
	attrTimeAppend    = 1<<3 | 1<<14 // LogAppendTime; bit 14 is what the embedded broker sets instead
	attrTransactional = 1 << 4
	attrControl       = 1 << 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// aborted is a transaction that was rolled back: every transactional batch of
// producer from offset first on, up to the marker that ends it.
type aborted struct{ producer, first int64 }

// decoder turns record batches into messages. One goroutine uses it.
type decoder struct {
	topic     string
	partition int
	// budget is the sum of record bytes after which a decode ends at the next
	// record, whatever the batches inflate to.
	budget int
	// names are the header names of the last record, which the next one shares
	// in nearly every case.
	names []string
}

// batch is one record batch and its header.
type batch struct {
	raw        []byte
	attributes uint16
	base, end  int64 // offsets: of the first record, after the last
	first      int64 // time of the first record, ms
	appended   int64 // greatest or append time, ms
	producer   int64
	count      int
}

func parseBatch(b []byte) (batch, error) {
	if len(b) < batchHeader || b[16] != 2 {
		return batch{}, fmt.Errorf("%w: not of format version 2", errRecords)
	}
	if crc32.Checksum(b[21:], castagnoli) != binary.BigEndian.Uint32(b[17:]) {
		return batch{}, fmt.Errorf("%w: checksum differs", errRecords)
	}
	base := int64(binary.BigEndian.Uint64(b))
	return batch{
		raw: b, attributes: binary.BigEndian.Uint16(b[21:]), base: base, end: base + int64(binary.BigEndian.Uint32(b[23:])) + 1,
		first: int64(binary.BigEndian.Uint64(b[27:])), appended: int64(binary.BigEndian.Uint64(b[35:])),
		producer: int64(binary.BigEndian.Uint64(b[43:])), count: int(binary.BigEndian.Uint32(b[57:])),
	}, nil
}

// time is that of a record whose own time is delta after the batch's first.
func (b *batch) time(delta int64) time.Time {
	if b.attributes&attrTimeAppend != 0 {
		return time.UnixMilli(b.appended).UTC()
	}
	return time.UnixMilli(b.first + delta).UTC()
}

// decode appends the records of set at or after offset from to dst. Keys and
// values alias set (or its decompressed form). Control batches and the records
// of rolled back transactions are left out, and so is a batch cut off at the
// end of set, as the protocol allows. next is where to read on: the offset
// after the last batch or record seen, returned or not.
func (d *decoder) decode(dst []kafka.Message, set []byte, from int64, rolledBack []aborted) (out []kafka.Message, next int64, err error) {
	next = from
	slices.SortFunc(rolledBack, func(a, b aborted) int { return int(min(max(a.first-b.first, -1), 1)) })
	var active map[int64]bool
	left := d.budget
	dst = slices.Grow(dst, d.expect(set))
	for len(set) >= batchOverhead && (left > 0 || len(dst) == 0) {
		length := int(binary.BigEndian.Uint32(set[8:]))
		if batchOverhead+length > len(set) {
			break
		}
		b, err := parseBatch(set[:batchOverhead+length])
		if err != nil {
			return dst, next, fmt.Errorf("%s/%d near offset %d: %w", d.topic, d.partition, next, err)
		}
		set = set[batchOverhead+length:]
		// The broker lists a rolled back transaction by the producer and its
		// first offset; the producer's abort marker ends it.
		for len(rolledBack) > 0 && rolledBack[0].first < b.end {
			if active == nil {
				active = map[int64]bool{}
			}
			active[rolledBack[0].producer], rolledBack = true, rolledBack[1:]
		}
		end := b.end
		switch {
		case b.attributes&attrControl != 0:
			if isAbort(&b) {
				delete(active, b.producer)
			}
		case b.attributes&attrTransactional != 0 && active[b.producer]:
		case b.end > from:
			dst, end = d.records(dst, &b, from, &left)
		}
		next = max(next, end)
	}
	return dst, next, nil
}

// expect guesses how many records a decode of set returns, from the headers of
// its batches, so that room is made once. Headers may lie; the guess is bounded
// by what the bytes could hold at the usual compression.
func (d *decoder) expect(set []byte) (n int) {
	const inflation = 16
	most := min(len(set)*inflation, d.budget) / leastRecord
	for len(set) >= batchHeader && n < most {
		n += int(binary.BigEndian.Uint32(set[57:]))
		length := batchOverhead + int(binary.BigEndian.Uint32(set[8:]))
		if length > len(set) {
			break
		}
		set = set[length:]
	}
	return max(0, min(n, most, maxExpected))
}

// maxExpected bounds the room that is made before records are seen: 10 MB.
const maxExpected = 1 << 16

// isAbort reports whether a control batch rolls its transaction back: the key
// of its record is a version and a type, 0 for abort.
func isAbort(b *batch) bool {
	var m kafka.Message
	r := reader{b: b.raw[batchHeader:]}
	r.record(&m, nil, nil)
	return !r.bad && len(m.Key) >= 4 && binary.BigEndian.Uint16(m.Key[2:]) == 0
}

// leastRecord is the size of the smallest record, with its length.
const leastRecord = 7

// records appends the records of one batch and returns where to read on, which
// is inside the batch when the budget is spent there.
func (d *decoder) records(dst []kafka.Message, b *batch, from int64, left *int) ([]kafka.Message, int64) {
	payload, whole, err := inflate(b.attributes, b.raw[batchHeader:])
	switch {
	case err != nil:
		return d.unreadable(dst, b, from, b.base, b.raw[batchHeader:]), b.end
	case !whole:
		return d.stream(dst, b, from, left)
	}
	count := min(b.count, len(payload)/leastRecord+1)
	dst = slices.Grow(dst, count)
	headers := make([]kafka.Header, 0, count*len(d.names))
	r := reader{b: payload}
	at := b.base
	for range b.count {
		rest := r.b
		m := kafka.Message{Topic: d.topic, Partition: d.partition}
		var delta int64
		delta, headers = r.record(&m, headers, d.names)
		m.Offset += b.base
		if r.bad || m.Offset < at || m.Offset >= b.end {
			return d.unreadable(dst, b, from, at, rest), b.end
		}
		at = m.Offset + 1
		d.remember(m.Headers)
		if m.Offset < from {
			continue
		}
		m.Time = b.time(delta)
		dst = append(dst, m)
		*left -= len(rest) - len(r.b)
	}
	return dst, b.end
}

// remember keeps the names of a record's headers.
func (d *decoder) remember(headers []kafka.Header) {
	if len(headers) > maxNames {
		return
	}
	for i := len(d.names); i < len(headers); i++ {
		d.names = append(d.names, "")
	}
	for i := range headers {
		d.names[i] = headers[i].Key
	}
}

const (
	maxNames      = 32
	maxUnreadable = 64 << 10
)

// unreadable appends one message that stands for the rest of a batch which its
// checksum vouches for but whose producer wrote it wrong. Asking the broker
// again would give the same bytes for ever; as a message they become a dead
// letter, and the partition goes on.
func (d *decoder) unreadable(dst []kafka.Message, b *batch, from, at int64, rest []byte) []kafka.Message {
	if at < from {
		return dst // given before
	}
	return append(dst, kafka.Message{
		Topic: d.topic, Partition: d.partition, Offset: at, Time: b.time(0), Value: rest[:min(len(rest), maxUnreadable)],
	})
}

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
// returns its time relative to the batch's first. The record's headers stand at
// the end of headers, which it returns; names spares the making of strings.
func (r *reader) record(m *kafka.Message, headers []kafka.Header, names []string) (delta int64, _ []kafka.Header) {
	body := reader{b: r.bytes()}
	if r.bad || len(body.b) == 0 {
		r.bad = true
		return 0, headers
	}
	delta, headers = body.fields(m, headers, names)
	r.bad = body.bad
	return delta, headers
}

// fields reads the body of a record.
func (r *reader) fields(m *kafka.Message, headers []kafka.Header, names []string) (delta int64, _ []kafka.Header) {
	r.b = r.b[1:] // attributes, unused
	delta = r.varint()
	m.Offset = r.varint()
	if m.Key = r.bytes(); r.bad {
		return delta, headers
	}
	if m.Value = r.bytes(); r.bad {
		return delta, headers // r.b is at the value of a record that was cut
	}
	n := r.varint()
	if n < 0 || n > int64(len(r.b)) {
		r.bad = true
		return 0, headers
	}
	start := len(headers)
	for i := range int(n) {
		raw := r.bytes()
		var key string
		if i < len(names) && names[i] == string(raw) {
			key = names[i]
		} else {
			key = string(raw)
		}
		headers = append(headers, kafka.Header{Key: key, Value: r.bytes()})
	}
	if n > 0 {
		m.Headers = headers[start:len(headers):len(headers)]
	}
	return delta, headers
}
