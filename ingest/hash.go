package ingest

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/siphash"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// bodyHash covers what the sender said happened, as it was written, but not when
// it was sent: a client that tries again sends the same message with a new
// sending time, and one that names no time gets a new one from the intake.
func (d *Decoder) bodyHash(msg *message, b []byte) uint64 {
	add := func(s []byte) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.AppendUvarint(b, uint64(len(msg.Name)))
	b = append(b, msg.Name...)
	b = binary.AppendUvarint(b, uint64(len(msg.Type)))
	b = append(b, msg.Type...)
	var when int64
	switch {
	case msg.Undated:
	case msg.OriginalTime.IsZero():
		when = msg.Time.UnixMilli()
	default:
		when = msg.OriginalTime.UnixMilli()
	}
	b = binary.BigEndian.AppendUint64(b, uint64(when))
	add(msg.identifiers)
	add(msg.Properties)
	add(msg.Traits)
	add(msg.part)
	return siphash.Sum64(siphash.Key(d.secret), b)
}

// reject builds the dead letter of a record. Its hash makes it once only: a
// rejected input line by its place and bytes, any other record by its position.
func (d *Decoder) reject(keyer *identity.Keyer, kind wire.Kind, m *kafka.Message, h headers, id, source string, f *fault) *DeadLetter {
	dl := &DeadLetter{
		Workspace: h.workspace, Received: m.Time.UnixMilli(), Source: truncate(source, maxSource), Reason: f.reason, Detail: f.detail,
		Place: h.place, MessageID: truncate(id, maxID), Value: m.Value, Headers: map[string]string{},
		Position: Position{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset},
	}
	for _, x := range m.Headers {
		dl.Headers[x.Key] = strings.ToValidUTF8(string(x.Value), "?")
	}
	place := h.place
	if place == "" {
		place = fmt.Sprintf("%s/%d/%d", m.Topic, m.Partition, m.Offset)
	}
	dl.BodyHash = siphash.Sum64(siphash.Key(d.secret), m.Value)
	lo, hi := keyer.Message("rejected", string(kind), source, place, fmt.Sprint(dl.BodyHash))
	dl.Hash = Hash{lo, hi}
	return dl
}
