package embedded

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AppendTimeBit marks, among the attribute bits that Kafka leaves unused, a record batch whose maximum time is when
// the embedded broker took it.
//
// A real broker sets bit 3 for that (message.timestamp.type=LogAppendTime). kfake follows bit 3 only where a client
// sets it, and then stores the batch with the checksum of the client's times, which fails when the log is read again.
const AppendTimeBit = 1 << 14

// Where a record batch of format version 2 keeps what is changed (Kafka protocol guide, "Record Batch").
const (
	batchCRC        = 17
	batchAttributes = 21
	batchFirstTime  = 27
	batchMaxTime    = 35
	batchLeast      = 61
)

// stampAppendTimes makes the broker note when it takes each batch, whatever time its producer claims.
func stampAppendTimes(cluster *kfake.Cluster, clock func() time.Time) {
	table := crc32.MakeTable(crc32.Castagnoli)
	cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		req, ok := r.(*kmsg.ProduceRequest)
		if !ok {
			return nil, nil, false
		}
		now := uint64(clock().UnixMilli())
		for i := range req.Topics {
			for j := range req.Topics[i].Partitions {
				stampBatch(req.Topics[i].Partitions[j].Records, now, table)
			}
		}
		return nil, nil, false
	})
}

// stampBatch changes a batch whose checksum is right; the broker refuses the others itself.
func stampBatch(b []byte, now uint64, table *crc32.Table) {
	if len(b) < batchLeast || b[16] != 2 || binary.BigEndian.Uint32(b[batchCRC:]) != crc32.Checksum(b[batchAttributes:], table) {
		return
	}
	attributes := binary.BigEndian.Uint16(b[batchAttributes:])
	binary.BigEndian.PutUint16(b[batchAttributes:], attributes&^(1<<3)|AppendTimeBit)
	binary.BigEndian.PutUint64(b[batchFirstTime:], now)
	binary.BigEndian.PutUint64(b[batchMaxTime:], now)
	binary.BigEndian.PutUint32(b[batchCRC:], crc32.Checksum(b[batchAttributes:], table))
}
