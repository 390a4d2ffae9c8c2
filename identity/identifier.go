package identity

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Namespace names a kind of identifier, such as "user_id" or "email". It is
// lower case, starts with a letter, and holds letters, digits and underscores.
type Namespace string

// The namespaces with declared default rules; others may be used freely and
// get the rules of Rules.Default.
const (
	UserID      Namespace = "user_id"
	CustomerNo  Namespace = "customer_no"
	Loyalty     Namespace = "loyalty"
	CRMID       Namespace = "crm_id"
	Email       Namespace = "email"
	Phone       Namespace = "phone"
	Social      Namespace = "social"
	Card        Namespace = "card"
	Device      Namespace = "device"
	PushToken   Namespace = "push_token"
	AnonymousID Namespace = "anonymous_id"
	RFID        Namespace = "rfid"
	Record      Namespace = "record" // "<source>/<id>", what linkage scores
	Landline    Namespace = "landline"
	Address     Namespace = "address"
)

// ErrNamespace reports a namespace that breaks the rule of Namespace.
var ErrNamespace = errors.New("namespace must be 1 to 64 of a-z, 0-9 and _, starting with a letter")

// Validate returns ErrNamespace when n is not a well-formed namespace.
func (n Namespace) Validate() error {
	if n == "" || len(n) > 64 || n[0] < 'a' || n[0] > 'z' {
		return ErrNamespace
	}
	for i := 1; i < len(n); i++ {
		if c := n[i]; c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return ErrNamespace
		}
	}
	return nil
}

// Identifier is a normalised (namespace, value) pair. Values are personal
// data: they are never logged; log a Key or a ProfileID.
type Identifier struct {
	Namespace Namespace
	Value     string
}

// String returns "namespace:value", the form used in paths and tables.
func (i Identifier) String() string { return string(i.Namespace) + ":" + i.Value }

// ParseIdentifier splits "namespace:value" at the first colon. The value is
// taken as it is; normalise it (identity/normalize) before taking its key.
func ParseIdentifier(s string) (Identifier, error) {
	ns, value, ok := strings.Cut(s, ":")
	if !ok {
		return Identifier{}, errors.New("identifier must have the form namespace:value")
	}
	n := Namespace(ns)
	if err := n.Validate(); err != nil {
		return Identifier{}, err
	}
	if value == "" {
		return Identifier{}, errors.New("identifier has an empty value")
	}
	return Identifier{Namespace: n, Value: value}, nil
}

// Key is the keyed 64-bit hash of an identifier (Keyer.Key). Bit 63 is never
// set and zero is never a key, so keys, profile ids and anchors of sets can
// share one column without confusion.
type Key uint64

// ProfileID is the key of a profile's founding identifier: the one of least
// (first seen, key). Because it is an identifier's key, every id ever given
// out resolves for ever by looking that identifier up. Zero means no profile.
type ProfileID Key

// String returns the id as 16 lower-case hexadecimal digits.
func (p ProfileID) String() string {
	s := strconv.FormatUint(uint64(p), 16)
	return "0000000000000000"[len(s):] + s
}

// MarshalText implements encoding.TextMarshaler.
func (p ProfileID) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// ParseProfileID reads what ProfileID.String writes.
func ParseProfileID(s string) (ProfileID, error) {
	if len(s) != 16 {
		return 0, errors.New("profile id must be 16 hexadecimal digits")
	}
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil || n == 0 || n>>63 != 0 {
		return 0, fmt.Errorf("profile id %q is not 16 hexadecimal digits of an id", s)
	}
	return ProfileID(n), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *ProfileID) UnmarshalText(b []byte) error {
	v, err := ParseProfileID(string(b))
	if err == nil {
		*p = v
	}
	return err
}

// AnchorID is the keyed hash of an event's normalised identifier set: zero for
// the empty set (unattributed for good), the identifier's own Key for a set of
// one, and a hash with bit 63 set for a set of two or more.
type AnchorID uint64

const setBit = 1 << 63

// IsSet reports whether the anchor stands for two or more identifiers.
func (a AnchorID) IsSet() bool { return a&setBit != 0 }
