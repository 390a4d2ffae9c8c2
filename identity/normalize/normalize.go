package normalize

import (
	"errors"
	"strings"

	"github.com/kindred-cdp/kindred/identity"
)

// MaxLength is the greatest length of a normalised value in bytes.
const MaxLength = 512

// maxRaw bounds the work on one raw value; folding rarely shortens text.
const maxRaw = 8 * MaxLength

// The reasons why text is no identifier. They never carry the text.
var (
	// ErrEmpty reports what is empty by the fixed list: the event says nothing
	// here, and the caller goes on without a report.
	ErrEmpty = errors.New("identifier is empty")
	// ErrTooLong reports a value beyond MaxLength.
	ErrTooLong = errors.New("identifier is longer than 512 bytes")
	// ErrInvalid reports text that is not UTF-8 or was damaged by a decoder.
	ErrInvalid = errors.New("identifier is not valid text")
)

// Options are what an installation declares about its raw values, in its
// settings. The zero value assumes nothing. Another value gives other
// identifiers, and so other keys, to what arrives from then on; stored ones stay
// as they are, because events and evidence never change. Two forms of one address
// are then two identifiers, which are one profile where other evidence joins them.
type Options struct {
	// Region is the ISO 3166 code, such as "PT", by which phone numbers
	// without a country code are read. Empty: they are kept as their digits.
	Region string
	// StripPlusTags drops "+tag" from the local part of every e-mail address,
	// also where the provider would deliver it to another mailbox.
	StripPlusTags bool
	// ProviderRules applies what large mail providers publish of their own
	// addresses: plus tags, and at Gmail dots and the second domain.
	ProviderRules bool
}

// Normalizer normalises by Options. The zero value is ready to use; it is safe
// for concurrent use.
type Normalizer Options

// New returns the Normalizer of o.
func New(o Options) Normalizer { return Normalizer(o) }

// Identifier normalises a raw value without a default region.
func Identifier(ns identity.Namespace, raw string) (identity.Identifier, error) {
	return Normalizer{}.Identifier(ns, raw)
}

// Identifier returns the canonical form of a raw value, or ErrEmpty, ErrTooLong,
// ErrInvalid or identity.ErrNamespace.
func (n Normalizer) Identifier(ns identity.Namespace, raw string) (identity.Identifier, error) {
	if err := ns.Validate(); err != nil {
		return identity.Identifier{}, err
	}
	value, err := n.value(ns, raw)
	if err != nil {
		return identity.Identifier{}, err
	}
	return identity.Identifier{Namespace: ns, Value: value}, nil
}

// value folds raw until nothing changes, which makes it idempotent by
// construction: one form may uncover another, as a final dot hides a quote.
func (n *Normalizer) value(ns identity.Namespace, raw string) (string, error) {
	v := raw
	for range passes {
		next, err := n.fold(ns, v)
		switch {
		case err != nil:
			return "", err
		case next != v:
			v = next
		case isEmpty(v):
			return "", ErrEmpty
		case len(v) > MaxLength:
			return "", ErrTooLong
		default:
			return v, nil
		}
	}
	return "", ErrInvalid // No known text needs more than three passes.
}

// fold is one pass over a value.
func (n *Normalizer) fold(ns identity.Namespace, raw string) (string, error) {
	v, err := clean(raw)
	if err != nil {
		return "", err
	}
	switch ns {
	case identity.Email:
		return n.email(v), nil
	case identity.Phone, identity.Landline:
		return phone(v, n.Region), nil
	case identity.Social:
		return social(v), nil
	case identity.Address:
		return singleSpaced(strings.ToLower(v)), nil
	case identity.RFID:
		return strings.ToLower(v), nil
	}
	if isUUID(v) {
		return strings.ToLower(v), nil
	}
	return v, nil
}

// Email normalises an e-mail address.
func Email(raw string) (string, error) {
	return (&Normalizer{}).value(identity.Email, raw)
}

// Phone normalises a phone number; region is as in Normalizer.
func Phone(raw, region string) (string, error) {
	return (&Normalizer{Region: region}).value(identity.Phone, raw)
}

// social folds the case of networks and handles, and drops a handle's @.
func social(v string) string {
	v = strings.ToLower(v)
	network, handle, ok := strings.Cut(v, "/")
	if !ok {
		return strings.TrimLeft(v, "@ ")
	}
	if bare := strings.TrimLeft(handle, "@ "); bare != handle {
		return network + "/" + bare
	}
	return v
}

// singleSpaced writes runs of spaces as one.
func singleSpaced(v string) string {
	if !strings.Contains(v, "  ") {
		return v
	}
	return strings.Join(strings.Fields(v), " ")
}

// isUUID reports whether v has the textual form of RFC 9562, in any case.
func isUUID(v string) bool {
	return len(v) == 36 && v[8] == '-' && v[13] == '-' && v[18] == '-' && v[23] == '-' &&
		isHex(v[:8]) && isHex(v[9:13]) && isHex(v[14:18]) && isHex(v[19:23]) && isHex(v[24:])
}

// isHex reports whether v is hexadecimal digits only.
func isHex(v string) bool {
	for i := range len(v) {
		if c := v[i] | 0x20; v[i]-'0' > 9 && c-'a' > 5 { // below the range wraps to above it
			return false
		}
	}
	return true
}
