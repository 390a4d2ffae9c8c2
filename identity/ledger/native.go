package ledger

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
)

// names are the values of a column of type LowCardinality(String).
type names []string

// native fills columns from their native form. The driver takes a column value
// by value, and for some types with a look-up in a map of interfaces and an
// allocation for each, which was a fifth of all that new evidence cost this
// process; but it can read a whole column as a server would send it, and sends
// what it read.
type native struct {
	body   bytes.Buffer
	reader *proto.Reader
}

func newNative() *native {
	n := &native{}
	n.reader = proto.NewReader(&n.body)
	return n
}

// fill sets column i of batch, which is empty, to values.
func (n *native) fill(batch driver.Batch, i int, values any) error {
	n.body.Reset()
	rows := 0
	switch v := values.(type) {
	case names:
		rows = len(v)
		n.names(v)
	case []uint64:
		rows = len(v)
		put64(n, v)
	case []int64: // DateTime64(3): milliseconds.
		rows = len(v)
		put64(n, v)
	case []int32:
		rows = len(v)
		put32(n, v)
	case []identity.Day: // Date32: days.
		rows = len(v)
		put32(n, v)
	case []bool:
		rows = len(v)
		for _, is := range v {
			b := byte(0)
			if is {
				b = 1
			}
			_ = n.body.WriteByte(b) // A buffer takes everything.
		}
	case [][]uint64:
		rows = len(v)
		n.lists(v)
	default:
		return batch.Column(i).Append(values)
	}
	return batch.Columns()[i].Decode(n.reader, rows)
}

func put64[T ~uint64 | ~int64](n *native, values []T) {
	n.body.Grow(8 * len(values))
	for _, v := range values {
		n.number(uint64(v))
	}
}

func put32[T ~int32](n *native, values []T) {
	n.body.Grow(4 * len(values))
	for _, v := range values {
		n.put(binary.LittleEndian.AppendUint32(n.body.AvailableBuffer(), uint32(v)))
	}
}

func (n *native) put(b []byte) { _, _ = n.body.Write(b) } // A buffer takes everything.

func (n *native) number(v uint64) {
	n.put(binary.LittleEndian.AppendUint64(n.body.AvailableBuffer(), v))
}

// The head of a block of LowCardinality: that it brings its own dictionary, and
// how wide the positions in it are.
const (
	ownDictionary = 1 << 9
	positions16   = 1
	positions32   = 2
)

// names writes a dictionary, which begins with the default value, and the
// position of each value in it.
func (n *native) names(values []string) {
	dictionary := []string{""}
	place := map[string]uint32{"": 0}
	at := make([]uint32, len(values))
	for i, v := range values {
		if i > 0 && v == values[i-1] {
			at[i] = at[i-1]
			continue
		}
		p, ok := place[v]
		if !ok {
			p = uint32(len(dictionary))
			dictionary, place[v] = append(dictionary, v), p
		}
		at[i] = p
	}
	width := uint64(positions16)
	if len(dictionary) > math.MaxUint16 {
		width = positions32
	}
	n.number(ownDictionary | width)
	n.number(uint64(len(dictionary)))
	for _, v := range dictionary {
		n.put(binary.AppendUvarint(n.body.AvailableBuffer(), uint64(len(v))))
		n.put([]byte(v))
	}
	n.number(uint64(len(at)))
	n.body.Grow(4 * len(at))
	for _, p := range at {
		if width == positions16 {
			n.put(binary.LittleEndian.AppendUint16(n.body.AvailableBuffer(), uint16(p)))
		} else {
			n.put(binary.LittleEndian.AppendUint32(n.body.AvailableBuffer(), p))
		}
	}
}

// lists writes Array(UInt64): where each list ends, and all their elements.
func (n *native) lists(values [][]uint64) {
	end := uint64(0)
	for _, v := range values {
		end += uint64(len(v))
		n.number(end)
	}
	for _, v := range values {
		put64(n, v)
	}
}
