package warehouse

import (
	"fmt"
	"hash/fnv"
	"strings"
)

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
func AnchorProfile(anchor string) string { return Reading{}.AnchorProfile(anchor) }

// EventProfile is AnchorProfile for something that happened at a time, an SQL
// expression of type DateTime64: where the deciding identifier is a moving one
// (a phone), the owner of its tenure at that time decides.
func EventProfile(anchor, time string) string { return Reading{}.EventProfile(anchor, time) }

// EventOwner is EventProfile in two parts, for queries that group events before they look
// for profiles: owner is an expression of an event, and profile one of owner under a name.
func EventOwner(anchor, time, name string) (owner, profile string) {
	return Reading{}.EventOwner(anchor, time, name)
}

// IdentifierProfile returns the SQL expression of the profile of an identifier,
// or of any profile id ever given out, under the conditions of AnchorProfile:
// itself where no row says otherwise.
func IdentifierProfile(id string) string { return Reading{}.IdentifierProfile(id) }

// Unrestricted returns the SQL condition that processing of a profile, an expression
// of its present id, is not restricted, under the conditions of AnchorProfile. It binds
// {workspace:String}.
func Unrestricted(profile string) string { return Reading{}.Unrestricted(profile) }

// expressions writes the reading into SQL; prefix qualifies names in views,
// which must not depend on the default database of whoever reads them.
type expressions struct {
	prefix string
	at     Reading
}

// The reading has two layers. A dictionary per hop holds the base: the reading
// at a version that every running query has passed. The scalar subquery holds
// every later change up to the published version, read once per query: scalars
// of equal text are evaluated once, across views too, and that is what makes a
// query see one version however many hops it takes.
func (e expressions) layered(key, keys, values, dictionary, attribute, missing string) string {
	if e.at.bound && !e.at.recent {
		return "dictGetOrDefault('" + e.prefix + dictionary + "', '" + attribute + "', " + key + ", " + missing + ")"
	}
	return "transform(" + key + ", " + recent + "." + keys + ", " + recent + "." + values +
		", dictGetOrDefault('" + e.prefix + dictionary + "', '" + attribute + "', " + key + ", " + missing + "))"
}

// recent is the name of the scalar within an expression; see read.
const recent = "_recent"

// read puts the scalar behind its name where the text needs it first. The server
// takes a subquery that stands there again to be another one until it has worked
// out what it is, the views in it as well, and that is what a small query costs.
func (e expressions) read(text string) string {
	from := "SELECT recent FROM " + e.prefix + "reading"
	if e.at.bound {
		from = boundRecent
	}
	return strings.Replace(text, recent, "(("+from+") AS "+recent+")", 1)
}

// owner is the first hop, with bit 63, which no key has, where the deciding
// identifier is one that moves between people.
func (e expressions) owner(anchor string) string {
	anchor = "toUInt64(" + anchor + ")"
	return e.layered(anchor, "1", "2", "reading_owners", "owner_id", "if(bitTest("+anchor+", 63), toUInt64(0), "+anchor+")")
}

func (e expressions) profile(id string) string {
	return e.layered(id, "3", "4", "reading_profiles", "profile_id", id)
}

func (e expressions) identifierProfile(id string) string {
	return e.read(e.profile("toUInt64(" + id + ")"))
}

func (e expressions) anchorProfile(anchor string) string {
	return e.read(e.profile("toUInt64(" + unflagged(e.owner(anchor)) + ")"))
}

func unflagged(id string) string { return "bitAnd(" + id + ", 0x7fffffffffffffff)" }

// eventProfile asks for a tenure only where the flag says that there may be one:
// the server evaluates a branch of if for the rows that take it. What the text
// needs again has a name, or it would grow with every level; the name is of what
// it stands for, so that several expressions fit into one query.
func (e expressions) eventProfile(anchor, time string) string {
	if e.at.bound && !e.at.tenures {
		return e.anchorProfile(anchor)
	}
	owner, then := e.ownerThen(anchor, time)
	return e.read(strings.Replace(e.profile(then), then, "("+owner+" AS "+then+")", 1))
}

// ownerThen is the first hop at a time, with a name for it that is free.
func (e expressions) ownerThen(anchor, time string) (owner, then string) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(anchor + "\x00" + time))
	name := func(of string) string { return fmt.Sprintf("_%s_%x", of, h.Sum64()) }
	owner, decider, then := name("owner"), name("decider"), name("then")
	first := "(" + e.owner(anchor) + " AS " + owner + ")"
	// A comparison, because it costs less than a test of the bit.
	return "if(" + first + " >= 0x8000000000000000, " + e.tenureOwner(unflagged(owner), decider, time) + ", " + owner + ")", then
}

// eventOwner does what the time decides for each event, and the rest for each group: both
// hops where it decides nothing.
func (e expressions) eventOwner(anchor, time, name string) (owner, profile string) {
	if e.at.bound && !e.at.tenures {
		return anchor, e.anchorProfile(name)
	}
	owner, _ = e.ownerThen(anchor, time)
	return e.read(owner), e.identifierProfile(name)
}

// tenureOwner is to whom an identifier belonged at a time: the owner of the first
// of its tenures that ended later, the last of a list being the present one,
// which has no end; itself where it has no list. name is free to stand for id.
func (e expressions) tenureOwner(id, name, time string) string {
	place := "transform((" + id + " AS " + name + "), " + recent + ".5, arrayEnumerate(" + recent + ".5), toUInt32(0))"
	at, told := name+"_at", name+"_told"
	dictionary := "'" + e.prefix + "reading_tenures', "
	tenures := "(if(" + at + " > 0, " + recent + ".6[" + at + "], dictGet(" + dictionary + "('untils', 'owners'), " + name + ")) AS " + told + ")"
	if e.at.bound && !e.at.recent {
		return "if(dictHas(" + dictionary + "(" + id + " AS " + name + ")), arrayFirst((o, u) -> toUnixTimestamp64Milli(" + time + ") < u, " +
			"(dictGet(" + dictionary + "('untils', 'owners'), " + name + ") AS " + told + ").2, " + told + ".1), " + name + ")"
	}
	return "if((" + place + " AS " + at + ") > 0 OR dictHas(" + dictionary + name + "), " +
		"arrayFirst((o, u) -> toUnixTimestamp64Milli(" + time + ") < u, " + tenures + ".2, " + told + ".1), " + name + ")"
}

func (f form) expressions() expressions {
	return expressions{prefix: strings.TrimSuffix(f.database, ".") + "."}
}
