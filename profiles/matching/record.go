package matching

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/identity/linkage"
)

// Source and Rule name the evidence that ties the record of a user id to it.
const (
	Source = "linkage"
	Rule   = "record"
)

// userPrefix begins the records of user ids.
const userPrefix = string(identity.UserID) + "/"

// record is what one source says of a person.
type record struct {
	key identity.Key // of the identifier record:id
	id  string       // "<source>/<id>"
	// user is the user id that it is of, zero for records of sources.
	user identity.Member
	// values are by field; all "" where it says nothing.
	values []string
	// first and received are the least times of what it says, milliseconds.
	first, received int64
}

func (r *record) empty() bool {
	return !slices.ContainsFunc(r.values, func(v string) bool { return v != "" })
}

var seed = maphash.MakeSeed()

// print is a hash of what the record says, of this process.
func (r *record) print() uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, v := range r.values {
		_, _ = h.WriteString(v)
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// evidence ties the record of a user id to it.
func (r *record) evidence(workspace string, keyer identity.Keyer) identity.Evidence {
	members, _ := keyer.Members([]identity.Identifier{r.user.Identifier, {Namespace: identity.Record, Value: r.id}})
	first := min(r.first, r.received)
	return identity.Evidence{
		Workspace: workspace, Anchor: keyer.Anchor(members), Members: members, Source: Source,
		Period: identity.PeriodOfMillis(first), Rule: Rule,
		Span: identity.Span{
			FirstEvent: first, FirstReceived: r.received, LastEvent: identity.DayOfMillis(first), LastReceived: identity.DayOfMillis(r.received),
		},
		Witness: identity.Witness{Time: first, MessageID: Source}, // Not its id, which would show who it is of.
	}
}

// tableOf puts records into a table, with the columns that any of them fills, and
// says how each is compared. The records are sorted by id, so that what is learnt
// is a function of what they say.
func tableOf(fields []Field, records []*record) (*linkage.Table, map[string]linkage.Type) {
	slices.SortFunc(records, func(a, b *record) int { return cmp.Compare(a.id, b.id) })
	t, types := &linkage.Table{Rows: len(records)}, map[string]linkage.Type{}
	for f := range fields {
		c := linkage.Column{Name: fields[f].Column, Values: []string{""}, Codes: make([]uint32, len(records))}
		codes := map[string]uint32{"": 0}
		for i, r := range records {
			code, ok := codes[r.values[f]]
			if !ok {
				code = uint32(len(c.Values))
				codes[strings.Clone(r.values[f])] = code
				c.Values = append(c.Values, r.values[f])
			}
			c.Codes[i] = code
		}
		if len(c.Values) > 1 {
			t.Columns = append(t.Columns, c)
			types[c.Name] = fields[f].Type
		}
	}
	return t, types
}
