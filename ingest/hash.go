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

// bodyHash covers what the sender said happened, but not when it was sent: a
// client that tries again sends the same message with a new sending time.
func (d *Decoder) bodyHash(msg *wire.Message) uint64 {
	b := make([]byte, 0, 1024)
	add := func(s []byte) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	add([]byte(msg.Name))
	add([]byte(msg.Type))
	when := msg.OriginalTime
	if when.IsZero() {
		when = msg.Time
	}
	b = binary.BigEndian.AppendUint64(b, uint64(when.UnixMilli()))
	for _, id := range msg.Identifiers {
		add([]byte(id.Namespace))
		add([]byte(id.Value))
	}
	add(msg.Properties)
	add(msg.Traits)
	if t := msg.Transaction; t != nil {
		for _, s := range []string{t.Type, t.OrderID, t.Status, t.Currency, string(t.Amount), string(t.Tax), string(t.Shipping), string(t.Discount)} {
			add([]byte(s))
		}
		for _, x := range t.Items {
			for _, s := range []string{x.ProductID, x.Name, x.Category, string(x.Quantity), string(x.Price), string(x.Cost)} {
				add([]byte(s))
			}
		}
	}
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
