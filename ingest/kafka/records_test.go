package kafka

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"
)

// record encodes one record of a batch.
func record(delta int, value []byte, headers ...string) []byte {
	body := binary.AppendVarint([]byte{0}, 5)
	body = binary.AppendVarint(body, int64(delta))
	body = append(binary.AppendVarint(body, 1), 'k')
	body = append(binary.AppendVarint(body, int64(len(value))), value...)
	body = binary.AppendVarint(body, int64(len(headers)))
	for _, h := range headers {
		body = append(binary.AppendVarint(body, int64(len(h))), h...)
		body = append(binary.AppendVarint(body, 2), 'h', 'v')
	}
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

// recordBatch encodes a batch of count offsets with payload as its records.
func recordBatch(t testing.TB, base int64, count int, codec compress.Compression, payload []byte) []byte {
	t.Helper()
	if codec != 0 {
		var out bytes.Buffer
		w := codec.Codec().NewWriter(&out)
		if _, err := w.Write(payload); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		payload = out.Bytes()
	}
	b := make([]byte, batchHeader, batchHeader+len(payload))
	b = append(b, payload...)
	binary.BigEndian.PutUint64(b, uint64(base))
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-batchOverhead))
	b[16] = 2
	binary.BigEndian.PutUint16(b[21:], uint16(codec))
	binary.BigEndian.PutUint32(b[23:], uint32(count-1))
	binary.BigEndian.PutUint32(b[57:], uint32(count))
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], castagnoli))
	return b
}

// decodeAll reads set as a partition does: from where the last decode ended.
func decodeAll(t *testing.T, d *decoder, set []byte, end int64) (got []kafka.Message, decodes int) {
	t.Helper()
	for next := int64(0); next < end; decodes++ {
		out, n, err := d.decode(nil, set, next, nil)
		if err != nil || n <= next {
			t.Fatalf("from %d on: next %d, %v", next, n, err)
		}
		got, next = append(got, out...), n
	}
	return got, decodes
}

// A mebibyte of zeros on the wire is gibibytes of records. They are read, in
// pieces that memory has room for, and none twice.
func TestInflatedBatchIsReadInPieces(t *testing.T) {
	var payload []byte
	const n, size = 60, 1 << 20
	for i := range n {
		payload = append(payload, record(i, bytes.Repeat([]byte{0}, size+i), "a")...)
	}
	set := recordBatch(t, 0, n, compress.Zstd, payload)
	set = append(set, recordBatch(t, n, 1, compress.Gzip, record(0, []byte("after")))...)
	got, decodes := decodeAll(t, &decoder{topic: "t", budget: 8 << 20}, set, n+1)
	if len(got) != n+1 || decodes < n/9 {
		t.Errorf("%d records in %d decodes of %d bytes", len(got), decodes, len(set))
	}
	for i, m := range got[:n] {
		if m.Offset != int64(i) || len(m.Value) != size+i {
			t.Fatalf("record %d has offset %d and %d bytes", i, m.Offset, len(m.Value))
		}
	}
}

// A record larger than any bound arrives cut: it is refused by its size later,
// and its partition goes on.
func TestHugeRecordIsCut(t *testing.T) {
	payload := append(record(0, make([]byte, maxInflated+5)), record(1, []byte("after"))...)
	got, _ := decodeAll(t, &decoder{topic: "t", budget: 8 << 20}, recordBatch(t, 0, 2, compress.Lz4, payload), 2)
	if len(got) != 2 || len(got[0].Value) > maxRecord || len(got[0].Value) < maxRecord-100 || string(got[1].Value) != "after" {
		t.Errorf("read %d records", len(got))
	}
}

// What a producer wrote wrong becomes one message that stands for the rest of
// its batch, wherever reading begins, and what comes after is read.
func TestUnreadableBatchBecomesAMessage(t *testing.T) {
	good := append(record(0, []byte("one")), record(1, []byte("two"))...)
	for _, c := range []struct {
		name    string
		set     []byte
		from    int64
		offsets []int64
	}{
		{"overruns", recordBatch(t, 0, 4, 0, append(good[:len(good):len(good)], 99, 1, 2)), 0, []int64{0, 1, 2, 4}},
		{"overruns, from the middle", recordBatch(t, 0, 4, 0, append(good[:len(good):len(good)], 99, 1, 2)), 2, []int64{2, 4}},
		{"overruns, from after it", recordBatch(t, 0, 4, 0, append(good[:len(good):len(good)], 99, 1, 2)), 3, []int64{4}},
		{"too few", recordBatch(t, 0, 4, compress.Snappy, good), 0, []int64{0, 1, 2, 4}},
		{"repeats an offset", recordBatch(t, 0, 4, 0, append(good[:len(good):len(good)], good...)), 0, []int64{0, 1, 2, 4}},
		{"offset beyond the batch", recordBatch(t, 0, 4, 0, record(7, []byte("x"))), 0, []int64{0, 4}},
		{"not compressed", recordBatch(t, 0, 4, 0, nil), 0, []int64{0, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := append(c.set[:len(c.set):len(c.set)], recordBatch(t, 4, 1, 0, record(0, []byte("after")))...)
			d := &decoder{topic: "t", budget: 1 << 20}
			got, next, err := d.decode(nil, set, c.from, nil)
			if err != nil || next != 5 {
				t.Fatalf("next %d, %v", next, err)
			}
			var offsets []int64
			for _, m := range got {
				offsets = append(offsets, m.Offset)
			}
			if diff := cmp.Diff(c.offsets, offsets); diff != "" {
				t.Errorf("offsets, -want +got:\n%s", diff)
			}
		})
	}
	lies := recordBatch(t, 0, 4, 0, good)
	binary.BigEndian.PutUint16(lies[21:], 4) // says zstd
	binary.BigEndian.PutUint32(lies[17:], crc32.Checksum(lies[21:], castagnoli))
	if got, next, err := (&decoder{budget: 1}).decode(nil, lies, 0, nil); err != nil || len(got) != 1 || next != 4 {
		t.Errorf("wrong codec: %d records, next %d, %v", len(got), next, err)
	}
	// A checksum that differs is the transport's fault: asking again may help.
	lies[70]++
	if _, _, err := (&decoder{budget: 1}).decode(nil, lies, 0, nil); err == nil {
		t.Error("a wrong checksum is no error")
	}
}

// typical is a batch as the intake writes it: 750 bytes and five headers each.
func typical(t testing.TB, n int) []byte {
	var payload []byte
	value := []byte(strings.Repeat(`{"name":"Product Viewed","properties":{}}`, 18))
	for i := range n {
		payload = append(payload, record(i, value, "workspace", "source", "schema", "position", "trace")...)
	}
	return recordBatch(t, 0, n, compress.Lz4, payload)
}

// Decoding allocates for a batch, not for a record.
func TestDecodeAllocatesByBatch(t *testing.T) {
	if testing.Short() {
		t.Skip("under the race detector pools forget, and allocate again")
	}
	set := typical(t, 1000)
	d := &decoder{topic: "t", budget: 1 << 30}
	decode := func() {
		if got, _, err := d.decode(nil, set, 0, nil); err != nil || len(got) != 1000 || len(got[9].Headers) != 5 {
			t.Fatalf("%d records, %v", len(got), err)
		}
	}
	decode()
	if n := testing.AllocsPerRun(20, decode); n > 30 {
		t.Errorf("%v allocations for 1000 records", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	set := typical(b, 1000)
	d := &decoder{topic: "t", budget: 1 << 30}
	b.ReportAllocs()
	begun := time.Now()
	for b.Loop() {
		if _, _, err := d.decode(nil, set, 0, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(1000*b.N)/time.Since(begun).Seconds(), "records/s")
}

// Headers of one record are its own, also where their number changes.
func TestHeadersOfRecords(t *testing.T) {
	var payload []byte
	for i := range 20 {
		var names []string
		for j := range i % 4 {
			names = append(names, fmt.Sprint("h", j*(i%3)))
		}
		payload = append(payload, record(i, nil, names...)...)
	}
	got, _, err := (&decoder{budget: 1 << 20}).decode(nil, recordBatch(t, 0, 20, 0, payload), 0, nil)
	if err != nil || len(got) != 20 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	for i, m := range got {
		if len(m.Headers) != i%4 {
			t.Errorf("record %d has %d headers", i, len(m.Headers))
		}
		for j, h := range m.Headers {
			if h.Key != fmt.Sprint("h", j*(i%3)) || string(h.Value) != "hv" {
				t.Errorf("record %d header %d is %s=%q", i, j, h.Key, h.Value)
			}
		}
	}
}
