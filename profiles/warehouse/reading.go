package warehouse

import "strings"

// AnchorProfile returns the SQL expression of the profile that the current
// reading of the ledger gives to an anchor. anchor is an SQL expression of type
// UInt64, such as "anchor_id"; the result is a UInt64: 0 for anchor 0
// (unattributed) and for a set without a row yet (pending).
//
// The expression works in any query whose connection has Kindred's database as
// its default. All uses in one query, through views as well, see one published
// version: a query that starts after PublishReading returned sees the whole
// flush, one that started before it sees none of it.
//
// For rows with a time use EventProfile, which also asks past tenures.
func AnchorProfile(anchor string) string { return expressions{}.anchorProfile(anchor) }

// EventProfile is AnchorProfile for something that happened at a time, an SQL
// expression of type DateTime64: where the deciding identifier is a moving one
// (a phone), the owner of its tenure at that time decides.
func EventProfile(anchor, time string) string { return expressions{}.eventProfile(anchor, time) }

// IdentifierProfile returns the SQL expression of the profile of an identifier,
// or of any profile id ever given out, under the conditions of AnchorProfile:
// itself where no row says otherwise.
func IdentifierProfile(id string) string { return expressions{}.identifierProfile(id) }

// expressions writes the reading into SQL; prefix qualifies names in views,
// which must not depend on the default database of whoever reads them.
type expressions struct{ prefix string }

// The reading has two layers. A dictionary per hop holds the base: the reading
// at a version that every running query has passed. The scalar subquery holds
// every later change up to the published version, read once per query: scalars
// of equal text are evaluated once, across views too, and that is what makes a
// query see one version however many hops it takes.
func (e expressions) layered(key, keys, values, dictionary, attribute, missing string) string {
	recent := "(SELECT recent FROM " + e.prefix + "reading)"
	return "transform(" + key + ", " + recent + "." + keys + ", " + recent + "." + values +
		", dictGetOrDefault('" + e.prefix + dictionary + "', '" + attribute + "', " + key + ", " + missing + "))"
}

// owner is the first hop with the tenure flag in bit 63, which no key has.
func (e expressions) owner(anchor string) string {
	anchor = "toUInt64(" + anchor + ")"
	return e.layered(anchor, "1", "2", "reading_owners", "owner_id", "if(bitTest("+anchor+", 63), toUInt64(0), "+anchor+")")
}

func (e expressions) identifierProfile(id string) string {
	id = "toUInt64(" + id + ")"
	return e.layered(id, "3", "4", "reading_profiles", "profile_id", id)
}

func (e expressions) anchorProfile(anchor string) string {
	return e.identifierProfile("bitAnd(" + e.owner(anchor) + ", 0x7fffffffffffffff)")
}

// eventProfile needs no look-up by time yet: no rows of identifier_tenures are
// written, so the flag is never set.
func (e expressions) eventProfile(anchor, time string) string {
	_ = time
	return e.anchorProfile(anchor)
}

func (f form) expressions() expressions {
	return expressions{prefix: strings.TrimSuffix(f.database, ".") + "."}
}
