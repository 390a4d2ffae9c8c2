package sql

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
)

// Tables of a query for some profiles, of one column id UInt64, that the caller sends
// along with it: the profiles, a superset of the anchors and identifiers that are or
// were theirs, and a superset of the ids that scores stand under, 0 for all. As arrays
// in the text of the query, thousands of ids were parsed and planned wherever it names
// them.
const (
	AskedProfiles = "asked_profiles"
	AskedAnchors  = "asked_anchors"
	AskedScored   = "asked_scored"
)

// A query has one bit for each leaf and for each definition, in words of 64: one word,
// or for some profiles up to MaxWords. There to read the rows costs more than to plan
// the query, which takes the server a millisecond a leaf on one core.
const (
	MaxWords = 2
	wordBits = 64
)

// Set is the query for several definitions at once. Its rows are
//
//	profile_id UInt64   no row twice
//	mask       UInt64   the bits of the leaves
//	due        Int64    milliseconds since 1970 when the passing of time may change
//	                    a leaf, math.MaxInt64 when it cannot
//	held       UInt64   one bit per definition that holds
//
// For some profiles there is no held, and behind these there is mask_1 of the second
// word, where there is one: a quarter of what it costs to plan such a query went into
// the trees of a hundred definitions, which Collected works out from the leaves.
//
// A profile without a row has the mask Nobody for its leaves and is in no segment;
// one whose processing is restricted has none.
type Set struct {
	Query
	// Leaves are, for each definition, the bits of its leaves in their order.
	// Definitions that ask the same share a bit.
	Leaves [][]int
	// Nobody are the bits of the leaves that are set where the leaf does not hold.
	Nobody Bits
	// Events is the query of the events of leaves that are counted here, which Collected
	// takes; without text there is none. Neither has the query text where all are counted.
	Events   Query
	counting counting
	most     int // events
	words    int
	trees    []segments.Node
}

// Groups divides definitions into sets that fit into one query of so many words each,
// in order: places in ds.
func Groups(ds []segments.Definition, words int) ([][]int, error) {
	var groups [][]int
	var group []int
	most, asked := words*wordBits, map[string]bool{}
	for i, d := range ds {
		names, err := leafNames(d)
		if err != nil {
			return nil, err
		}
		more := map[string]bool{}
		for _, name := range names {
			if !asked[name] {
				more[name] = true
			}
		}
		if len(group) > 0 && (len(asked)+len(more) > most || len(group) == most) {
			groups, group, asked = append(groups, group), nil, map[string]bool{}
			for _, name := range names {
				more[name] = true
			}
		}
		maps.Copy(asked, more)
		group = append(group, i)
	}
	if len(group) > 0 {
		groups = append(groups, group)
	}
	return groups, nil
}

// leafNames are texts that are equal for equal leaves.
func leafNames(d segments.Definition) ([]string, error) {
	leaves := d.Leaves()
	names := make([]string, len(leaves))
	for i, leaf := range leaves {
		text, err := json.Marshal(segments.Definition{Root: leaf})
		if err != nil {
			return nil, fmt.Errorf("compile segments: %w", err)
		}
		names[i] = string(text)
	}
	return names, nil
}

// CompileSet compiles definitions that fit into one query, as Groups says, for all
// profiles of a workspace at now, or for some: then the caller sends the tables
// AskedProfiles, AskedAnchors and AskedScored, and reads the rows of both queries by
// Collect. For reading see Compile.
func CompileSet(ds []segments.Definition, rules profiles.Rules, workspace string, now time.Time, of Extent, reading warehouse.Reading) (Set, error) {
	some := of.Some
	c := &compiler{reading: reading, rules: rules, now: now, parameters: map[string]string{}, outright: map[int]string{}, set: set{several: true, some: some}}
	c.parameters["workspace"] = textEscaper.Replace(workspace)
	reading.Bind(c.parameters)
	s := Set{Leaves: make([][]int, len(ds))}
	places := map[string]int{}
	for i, d := range ds {
		s.trees = append(s.trees, d.Root)
		names, err := leafNames(d)
		if err != nil {
			return Set{}, err
		}
		for n, leaf := range d.Leaves() {
			bit, ok := places[names[n]]
			if !ok {
				bit = len(places)
				places[names[n]] = bit
				if !some || of.Events == 0 || !c.count(bit, leaf) {
					c.leaf(bit, leaf)
				}
			}
			s.Leaves[i] = append(s.Leaves[i], bit)
		}
	}
	most := max(len(places), len(ds))
	c.set.words = max(1, (most+wordBits-1)/wordBits)
	if c.set.words > MaxWords || !some && c.set.words > 1 {
		return Set{}, fmt.Errorf("compile segments: %d leaves of %d definitions are too many for one query", len(places), len(ds))
	}
	s.words, s.most, s.counting = c.set.words, of.Events, c.counting
	for bit, opposite := range c.opposite {
		if opposite {
			s.Nobody[bit/wordBits] |= 1 << (bit % wordBits)
		}
	}
	held, everybody := c.held(ds, s.Leaves)
	if c.err != nil {
		return Set{}, c.err
	}
	s.Parameters = c.parameters
	if parts := c.scans(everybody); len(parts) > 0 {
		s.SQL = c.assembleSet(held, parts)
	}
	if len(c.counting.leaves) > 0 {
		s.Events = Query{SQL: c.countingSQL(of.Events), Parameters: c.parameters}
	}
	return s, nil
}

// held is the expression of the bits of the definitions.
func (c *compiler) held(ds []segments.Definition, leaves [][]int) (expression string, everybody bool) {
	terms := make([]string, len(ds))
	for i, d := range ds {
		bits := func() func() int {
			n := inOrder()
			return func() int { return leaves[i][n()] }
		}
		terms[i] = fmt.Sprintf("bitShiftLeft(toUInt64(%s), %d)", c.condition(d.Root, bits()), i)
		holds, _ := c.withoutRows(d.Root, bits())
		everybody = holds || everybody
	}
	return strings.Join(terms, "\n    + "), everybody
}

// assembleSet joins the scans.
func (c *compiler) assembleSet(held string, parts []string) string {
	// Asking for more than the profile, as chosen does.
	who := "if(profile_id = 0, 0, told.due >= 0 AND " + c.unrestricted() + ")" + c.only("profile_id", AskedProfiles)
	masks := make([]string, c.set.words)
	for w := range masks {
		masks[w] = "groupBitOr(" + worded("mask", w) + ")"
	}
	for _, leaf := range slices.Sorted(maps.Keys(c.outright)) {
		masks[leaf/wordBits] += fmt.Sprintf(" + bitShiftLeft(toUInt64(%s), %d)", c.outright[leaf], leaf%wordBits)
	}
	columns, gathered := "mask, due", ""
	for w, mask := range masks {
		gathered += mask + " AS " + worded("mask", w) + ", "
		if w > 0 {
			columns += ", " + worded("mask", w)
		}
	}
	if !c.set.some {
		columns += ",\n    " + held + " AS held"
	}
	return "SELECT profile_id, " + columns + "\nFROM (\n    SELECT profile_id, " + gathered + "min(due) AS due\n    FROM (\n" +
		indent(indent(strings.Join(parts, "\nUNION ALL\n"))) +
		"\n    ) AS told\n    WHERE " + who + "\n    GROUP BY profile_id\n)"
}

// set is what a compiler needs for several definitions.
type set struct {
	several, some bool
	words         int // of bits
	// Of the scans over events, transactions, locations, answers and sentiments.
	happened, placed, located, answered, said times
}

// times are what the passing of time changes in a scan.
type times struct {
	// windows are the windows of leaves, with the parameters of the names of events;
	// "" stands for all.
	windows map[time.Duration][]string
	// coming are the names of events that count from their time on, in every window
	// and in none.
	coming []string
	// older are due times, as expressions, of what grows with time.
	older []string
}

// until notes that what a leaf asks of a name changes when a window has passed.
func (t *times) until(window time.Duration, name string) {
	if window == 0 {
		return
	}
	if t.windows == nil {
		t.windows = map[time.Duration][]string{}
	}
	t.windows[window] = append(t.windows[window], name)
	t.comes(name)
}

// comes notes that events of a name count from their time on.
func (t *times) comes(name string) { t.coming = append(t.coming, name) }

// ages notes that a leaf asks for the whole units from at to now, in milliseconds,
// unless count is 0.
func (t *times) ages(count, at, now string, unit time.Duration) {
	t.older = append(t.older, fmt.Sprintf("if(%s = 0, %s, %s + %d - greatest(toInt64(0), %s - %s) %% %[4]d)", count, never, now, unit.Milliseconds(), now, at))
}

// never is the due time of what the passing of time does not change.
const never = "toInt64(9223372036854775807)"

// dueColumn is the column of dated.
const dueColumn = "due_at"

// dated are the columns of a scan, and one of when the first row leaves a window or
// comes into one: what has happened leaves it when the window has passed, and what
// is of the future comes in at its time.
func (c *compiler) dated(s scan, t times, column string) []string {
	if c.due(t) != dueNow {
		return s.columns
	}
	milliseconds := "toUnixTimestamp64Milli(" + column + ")"
	var terms []string
	for _, window := range slices.Sorted(maps.Keys(t.windows)) {
		terms = append(terms, fmt.Sprintf("ifNull(minOrNullIf(%s, %s%s) + %d, %s)", milliseconds, named(t.windows[window]), c.within(column, window), window.Milliseconds(), never))
	}
	terms = append(terms, fmt.Sprintf("ifNull(minOrNullIf(%s, %s AND %s > %s), %s)", milliseconds, named(t.coming), column, c.nowMoment(), never))
	terms = append(terms, t.older...)
	return append(slices.Clone(s.columns), "least("+strings.Join(terms, ",\n            ")+") AS "+dueColumn)
}

// named is the condition that an event has one of the names; "" stands for any.
func named(parameters []string) string {
	parameters = slices.Compact(slices.Sorted(slices.Values(parameters)))
	if parameters[0] == "" {
		return "1"
	}
	return "name IN (" + strings.Join(parameters, ", ") + ")"
}

const dueNow = ", " + dueColumn + " AS due"

// due is the column of a scan's rows that says when time may change them, with the
// comma before it; a query for one definition has none.
func (c *compiler) due(t times) string {
	switch {
	case !c.set.several:
		return ""
	case len(t.coming) > 0:
		return dueNow
	}
	return ", " + never + " AS due"
}

// only restricts a column to a table that the caller sends, when the query is for some
// profiles.
func (c *compiler) only(column, table string) string {
	if !c.set.some {
		return ""
	}
	return " AND " + column + " IN (SELECT id FROM " + table + ")"
}

// lasting is the condition that a row of events lies in a window, or, where due
// times are asked for, will: what is of the future comes in at its time.
func (c *compiler) lasting(window time.Duration) string {
	if c.set.several {
		return " AND time > " + c.moment(c.now.Add(-window))
	}
	return c.within("time", window)
}
