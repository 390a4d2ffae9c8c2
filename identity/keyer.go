package identity

import (
	"encoding/binary"
	"slices"

	"github.com/kindred-cdp/kindred/identity/siphash"
)

// MaxMembers is the number of identifiers of one event that count towards its
// anchor and its evidence; further ones stay in the event only.
const MaxMembers = 8

// Secret is the installation's hash key: made once in the data folder or given
// as KINDRED_ID_KEY, and never rotated, because every stored key depends on it.
type Secret [16]byte

// Keyer turns the identifiers of one workspace into keys and anchors. It is
// immutable and safe for concurrent use.
type Keyer struct {
	identifier, set, message siphash.Key
}

// NewKeyer derives the hash keys of workspace from the installation's secret.
func NewKeyer(secret Secret, workspace string) Keyer {
	derive := func(label string) (k siphash.Key) {
		lo, hi := siphash.Sum128(siphash.Key(secret), []byte(label+"\x00"+workspace))
		binary.LittleEndian.PutUint64(k[0:8], lo)
		binary.LittleEndian.PutUint64(k[8:16], hi)
		return k
	}
	return Keyer{identifier: derive("identifier"), set: derive("set"), message: derive("message")}
}

// Key returns the key of one normalised identifier. Equal values of different
// namespaces have different keys.
func (k Keyer) Key(id Identifier) Key {
	var room [128]byte
	b := append(room[:0], id.Namespace...)
	b = append(b, 0)
	b = append(b, id.Value...)
	h := siphash.Sum64(k.identifier, b) &^ setBit
	if h == 0 {
		h = 1 // Zero means "no identifier" everywhere.
	}
	return Key(h)
}

// Message returns the 128-bit hash of a message's deduplication key. The parts
// are joined with their lengths, so that no two different tuples are equal.
func (k Keyer) Message(parts ...string) (lo, hi uint64) {
	var room [256]byte
	b := room[:0]
	for _, p := range parts {
		b = binary.AppendUvarint(b, uint64(len(p)))
		b = append(b, p...)
	}
	return siphash.Sum128(k.message, b)
}

// Member is one identifier of an anchor, with its key.
type Member struct {
	Identifier
	Key Key
}

// Members keys ids and returns the distinct ones that count: the MaxMembers
// least by (fixed namespace order, key), in that order, and how many were left
// out. It is a function of the set alone: the order of ids does not matter.
func (k Keyer) Members(ids []Identifier) (members []Member, over int) {
	members = make([]Member, 0, len(ids))
	for _, id := range ids {
		members = append(members, Member{Identifier: id, Key: k.Key(id)})
	}
	slices.SortFunc(members, func(a, b Member) int {
		if d := namespaceOrder(a.Namespace) - namespaceOrder(b.Namespace); d != 0 {
			return d
		}
		switch {
		case a.Key < b.Key:
			return -1
		case a.Key > b.Key:
			return 1
		}
		return 0
	})
	members = slices.CompactFunc(members, func(a, b Member) bool { return a.Key == b.Key })
	if len(members) > MaxMembers {
		over = len(members) - MaxMembers
		members = members[:MaxMembers]
	}
	return members, over
}

// Anchor returns the anchor of a set as returned by Members.
func (k Keyer) Anchor(members []Member) AnchorID {
	switch len(members) {
	case 0:
		return 0
	case 1:
		return AnchorID(members[0].Key)
	}
	var room [MaxMembers * 8]byte
	keys := make([]Key, 0, MaxMembers)
	for _, m := range members {
		keys = append(keys, m.Key)
	}
	slices.Sort(keys)
	b := room[:0]
	for _, key := range keys {
		b = binary.BigEndian.AppendUint64(b, uint64(key))
	}
	return AnchorID(siphash.Sum64(k.set, b) | setBit)
}

// namespaceOrder is fixed in code, never configured: the choice of the members
// that count must stay a function of the event alone when rules change.
func namespaceOrder(n Namespace) int {
	if i := slices.Index(fixedOrder, n); i >= 0 {
		return i
	}
	return len(fixedOrder)
}

var fixedOrder = []Namespace{
	UserID, CustomerNo, Loyalty, CRMID, Email, Phone, Social, Card, Device,
	PushToken, AnonymousID, RFID, Landline, Address,
}
