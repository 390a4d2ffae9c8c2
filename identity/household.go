package identity

// HouseholdID is the key of a household's least (first seen, key) value, a
// landline or an address. Like a ProfileID it is the key of an identifier, so
// it never names anything else. Zero means no household.
type HouseholdID Key

// MarshalText implements encoding.TextMarshaler by String.
func (h HouseholdID) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// String returns the id as 16 lower-case hexadecimal digits.
func (h HouseholdID) String() string { return ProfileID(h).String() }
