package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
)

// fetchRequest is kafka-go's fetch request with a response that keeps the
// record batches as bytes. It travels on kafka-go's connections, whose
// negotiated versions it learns in Required.
type fetchRequest struct {
	fetch.Request
	version int16
}

var (
	_ protocol.RawExchanger  = (*fetchRequest)(nil)
	_ protocol.BrokerMessage = (*fetchRequest)(nil)
)

// fetchResponse is one partition's part of a fetch response. It implements
// protocol.Message only because a response must.
type fetchResponse struct {
	fetch.Response
	code          int16
	highWatermark int64
	// lastStable is the offset below which every transaction has ended.
	lastStable int64
	aborted    []aborted
	records    []byte
}

// newFetch asks for the records of one partition from offset on, waiting up to
// wait for at least one byte.
func newFetch(topic string, partition int, offset int64, maxBytes int, wait time.Duration) *fetchRequest {
	return &fetchRequest{Request: fetch.Request{
		ReplicaID:   -1,
		MaxWaitTime: int32(wait.Milliseconds()),
		MinBytes:    1,
		MaxBytes:    int32(maxBytes),
		// Read committed: nothing of a transaction that has not ended is given,
		// and what was rolled back is listed.
		IsolationLevel: 1,
		SessionEpoch:   -1, // no fetch session
		Topics: []fetch.RequestTopic{{
			Topic: topic,
			Partitions: []fetch.RequestPartition{{
				Partition:          int32(partition),
				CurrentLeaderEpoch: -1,
				FetchOffset:        offset,
				LogStartOffset:     -1,
				PartitionMaxBytes:  int32(maxBytes),
			}},
		}},
	}}
}

// Required implements protocol.RawExchanger.
func (r *fetchRequest) Required(versions map[protocol.ApiKey]int16) bool {
	r.version = versions[protocol.Fetch]
	return true
}

const (
	fetchCorrelation = 1
	maxFrame         = 512 << 20 // far above what was asked for: a broker gives one batch whole
)

// RawExchange implements protocol.RawExchanger.
func (r *fetchRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if r.version < 4 {
		return nil, fmt.Errorf("fetch: the broker speaks version %d only; Apache Kafka 0.11 or later is needed", r.version)
	}
	if err := protocol.WriteRequest(rw, r.version, fetchCorrelation, "kindred", &r.Request); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(rw, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > maxFrame {
		return nil, fmt.Errorf("fetch: response of %d bytes", n)
	}
	frame := make([]byte, n)
	if _, err := io.ReadFull(rw, frame); err != nil {
		return nil, err
	}
	return parseFetch(frame, r.version)
}

// parseFetch reads a fetch response of version 4 to 11 that holds at most one
// partition (Kafka protocol guide, "Fetch API").
func parseFetch(frame []byte, version int16) (*fetchResponse, error) {
	f := fields{b: frame}
	if f.int32() != fetchCorrelation {
		return nil, errors.New("fetch: correlation id differs")
	}
	f.int32() // throttle time
	res := new(fetchResponse)
	if version >= 7 {
		res.code = f.int16()
		f.int32() // session id
	}
	if topics := f.int32(); topics != 1 || res.code != 0 {
		return res, f.err()
	}
	f.skip(int(f.int16())) // topic name
	if partitions := f.int32(); partitions != 1 {
		return res, f.err()
	}
	f.int32() // partition
	res.code = f.int16()
	res.highWatermark = f.int64()
	if res.lastStable = f.int64(); res.lastStable < 0 {
		res.lastStable = res.highWatermark
	}
	if version >= 5 {
		f.int64() // log start offset
	}
	if n := int(f.int32()); n > 0 && n <= len(f.b)/16 {
		res.aborted = make([]aborted, n)
		for i := range res.aborted {
			res.aborted[i] = aborted{producer: f.int64(), first: f.int64()}
		}
	}
	if version >= 11 {
		f.int32() // preferred read replica
	}
	if n := int(f.int32()); n > 0 {
		res.records = f.skip(n)
	}
	return res, f.err()
}

// partitionError returns the broker's error of the response, if any.
func (r *fetchResponse) partitionError() error {
	if r.code == 0 {
		return nil
	}
	return kafka.Error(r.code)
}

// fields reads big-endian fields; past the end it yields zeros and err fails.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) skip(n int) []byte {
	if n < 0 || n > len(f.b) {
		f.bad = true
		f.b = nil
		return nil
	}
	v := f.b[:n]
	f.b = f.b[n:]
	return v
}

func (f *fields) int16() int16 {
	if v := f.skip(2); v != nil {
		return int16(binary.BigEndian.Uint16(v))
	}
	return 0
}

func (f *fields) int32() int32 {
	if v := f.skip(4); v != nil {
		return int32(binary.BigEndian.Uint32(v))
	}
	return 0
}

func (f *fields) int64() int64 {
	if v := f.skip(8); v != nil {
		return int64(binary.BigEndian.Uint64(v))
	}
	return 0
}

func (f *fields) err() error {
	if f.bad {
		return errors.New("fetch: response is cut short")
	}
	return nil
}
