package sql

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
)

// Query is SQL with its parameters, by name, in the text form that the server
// reads for the type that the SQL names.
type Query struct {
	SQL        string
	Parameters map[string]string
}

// Compile returns the query whose rows are the ids of the profiles of workspace
// for which d holds at now, but those whose processing is restricted: one column
// profile_id, no row twice, no order. d must come from segments.Parse. reading says at
// which version of identity; its parameters are among those of the query.
func Compile(d segments.Definition, rules profiles.Rules, workspace string, now time.Time, reading warehouse.Reading) (Query, error) {
	c := &compiler{reading: reading, rules: rules, now: now, parameters: map[string]string{}, outright: map[int]string{}}
	c.parameters["workspace"] = textEscaper.Replace(workspace)
	reading.Bind(c.parameters)
	for i, leaf := range d.Leaves() {
		c.leaf(i, leaf)
	}
	bits := inOrder
	condition := c.condition(d.Root, bits())
	if c.err != nil {
		return Query{}, c.err
	}
	everybody, _ := c.withoutRows(d.Root, bits())
	return Query{SQL: c.assemble(condition, everybody), Parameters: c.parameters}, nil
}

// compiler collects the scans that the leaves need.
type compiler struct {
	reading    warehouse.Reading
	rules      profiles.Rules
	now        time.Time
	parameters map[string]string
	bound      map[string]string // places of parameters by type and value
	err        error

	events       scan
	aggregates   []aggregate     // of events
	derived      [][]string      // columns of results, level by level, each from those before
	windows      []time.Duration // of the event leaves; 0 is all time
	eventNames   []string        // parameters
	everyName    bool            // some leaf counts events of any name
	computing    bool            // some leaf is a computed trait, of all events of its name
	occurrences  []occurrence    // that other leaves mean
	required     []string        // columns of the steps that must be of a sequence
	transactions scan
	state        []string // of a transaction, besides whether it stands
	lines        []string // what the lines of a message of a transaction say, as columns
	traits       scan
	traitNames   []string // parameters
	identifiers  scan
	scores       scan
	scoreNames   []string // parameters
	namespaces   []string // parameters
	consents     scan
	purposes     []string // parameters
	households   scan
	accounts     scan
	accountState []string // columns of an account
	groups       scan     // personas and stages
	locations    scan
	answers      scan // of customers to surveys
	moods        scan

	// outright are the conditions of leaves that the id of a profile decides.
	outright map[int]string

	// opposite tells for each leaf that its bit is set where it does not hold.
	opposite []bool

	set      set // of a query for several definitions
	counting counting
}

// scan is one grouped query: its columns, and conditions on them that set bits.
type scan struct {
	columns []string
	bits    []bitOf
	named   map[string]string // the names of columns by their expressions
}

// column adds a column under a name, unless one of the same expression is there, and
// returns the name that it has: leaves that compare the same number, or the same trait,
// read it once.
func (s *scan) column(name, expression string) string {
	if there, ok := s.named[expression]; ok {
		return there
	}
	if s.named == nil {
		s.named = map[string]string{}
	}
	s.named[expression] = name
	s.columns = append(s.columns, expression+" AS "+name)
	return name
}

// distinct leaves out what is there before.
func distinct(texts []string) []string {
	var list []string
	for _, text := range texts {
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

type bitOf struct {
	leaf      int
	condition string
}

// mask returns the expression of a word of the scan's bits.
func (s scan) mask(word int) string {
	var terms []string
	for _, b := range s.bits {
		if b.leaf/wordBits == word {
			terms = append(terms, fmt.Sprintf("bitShiftLeft(toUInt64(%s), %d)", b.condition, b.leaf%wordBits))
		}
	}
	if len(terms) == 0 {
		return "toUInt64(0)"
	}
	return strings.Join(terms, "\n        + ")
}

// rest are the columns of a scan behind its first word of bits, with the comma before
// them: the other words, and when time may change them.
func (c *compiler) rest(s scan, t times) string {
	more := ""
	for w := 1; w < c.set.words; w++ {
		more += ",\n        " + s.mask(w) + " AS " + worded("mask", w)
	}
	return more + c.due(t)
}

// worded is the name of a column of bits.
func worded(name string, word int) string {
	if word == 0 {
		return name
	}
	return fmt.Sprintf("%s_%d", name, word)
}

// set notes the condition of a leaf, or its opposite where it holds for a
// profile without rows.
func (c *compiler) note(s *scan, leaf int, condition string, holdsForNobody bool) {
	if holdsForNobody {
		condition = "NOT (" + condition + ")"
	}
	c.standsOpposite(leaf, holdsForNobody)
	s.bits = append(s.bits, bitOf{leaf: leaf, condition: condition})
}

// standsOpposite notes whether the bit of a leaf is set where it does not hold.
func (c *compiler) standsOpposite(leaf int, opposite bool) {
	for len(c.opposite) <= leaf {
		c.opposite = append(c.opposite, false)
	}
	c.opposite[leaf] = opposite
}

func (c *compiler) leaf(i int, leaf segments.Node) {
	switch leaf := leaf.(type) {
	case segments.Event:
		c.event(i, leaf)
	case segments.Sequence:
		c.sequence(i, leaf)
	case segments.Transactions:
		c.transaction(i, leaf)
	case segments.Bought:
		c.bought(i, leaf)
	case segments.Trait:
		c.trait(i, leaf)
	case segments.HasIdentifier:
		c.identifier(i, leaf)
	case segments.Score:
		c.score(i, leaf)
	default:
		c.person(i, leaf)
	}
}

// person compiles the leaves of what a profile is, beside its events and traits.
func (c *compiler) person(i int, leaf segments.Node) {
	switch leaf := leaf.(type) {
	case segments.Consent:
		c.consent(i, leaf)
	case segments.Holdout:
		c.holdout(i, leaf)
	case segments.Household:
		c.household(i, leaf)
	case segments.Accounts:
		c.account(i, leaf)
	case segments.InPersona:
		c.inGroup(i, "persona", leaf.ID)
	case segments.InStage:
		c.inGroup(i, "stage", string(leaf.Stage))
	case segments.Location:
		c.location(i, leaf)
	case segments.Recommendation:
		c.recommendation(i, leaf)
	case segments.Mood:
		c.mood(i, leaf)
	case segments.InSegment:
		c.err = fmt.Errorf("compile segment: leaf %d names segment %q, which was not resolved", i, leaf.ID)
	default:
		c.err = fmt.Errorf("compile segment: leaf %d of type %T is not known", i, leaf)
	}
}

// inOrder returns a function that gives the leaves of a tree their bits, from left
// to right, as Leaves does.
func inOrder() func() int {
	bit := -1
	return func() int {
		bit++
		return bit
	}
}

// condition returns the boolean tree over the mask; next gives the bit of each
// leaf from left to right.
func (c *compiler) condition(n segments.Node, next func() int) string {
	join := func(parts []segments.Node, with string) string {
		out := make([]string, len(parts))
		for i, part := range parts {
			out[i] = c.condition(part, next)
		}
		if len(out) == 1 {
			return out[0]
		}
		return "(" + strings.Join(out, with) + ")"
	}
	switch n := n.(type) {
	case segments.All:
		return join(n, " AND ")
	case segments.Any:
		return join(n, " OR ")
	case segments.Not:
		return "NOT " + c.condition(n.Node, next)
	}
	i := next()
	if outright, ok := c.outright[i]; ok {
		return "(" + outright + ")"
	}
	if i < len(c.opposite) && c.opposite[i] {
		return "NOT " + bit(i)
	}
	return bit(i)
}

// bit is the condition that the bit of a leaf is set.
func bit(leaf int) string {
	return fmt.Sprintf("bitTest(%s, %d)", worded("mask", leaf/wordBits), leaf%wordBits)
}

// withoutRows tells whether the tree can hold, and can fail, for a profile without
// any row. Where it can hold the query must start from all profiles.
func (c *compiler) withoutRows(n segments.Node, next func() int) (holds, fails bool) {
	// Every leaf must be counted, also behind one that decides.
	switch n := n.(type) {
	case segments.All:
		holds = true
		for _, part := range n {
			h, f := c.withoutRows(part, next)
			holds, fails = holds && h, fails || f
		}
		return holds, fails
	case segments.Any:
		fails = true
		for _, part := range n {
			h, f := c.withoutRows(part, next)
			holds, fails = holds || h, fails && f
		}
		return holds, fails
	case segments.Not:
		fails, holds = c.withoutRows(n.Node, next)
		return holds, fails
	}
	i := next()
	if _, ok := c.outright[i]; ok {
		return true, true
	}
	holds = i < len(c.opposite) && c.opposite[i]
	return holds, !holds
}

// assemble joins the scans. One scan alone needs no second grouping.
func (c *compiler) assemble(condition string, everybody bool) string {
	parts := c.scans(everybody)
	if len(parts) == 1 {
		return "SELECT profile_id\nFROM (\n" + indent(parts[0]) + "\n)\nWHERE " + c.chosen(condition)
	}
	return "SELECT profile_id\nFROM (\n    SELECT profile_id, groupBitOr(mask) AS mask\n    FROM (\n" +
		indent(indent(strings.Join(parts, "\nUNION ALL\n"))) +
		"\n    )\n    GROUP BY profile_id\n)\nWHERE " + c.chosen(condition)
}

// chosen is the condition of who is of a definition, in one piece: what asks for nothing
// but the profile, the server would move to before the grouping, and look for the profile
// of each event once more than it does to group them. That was half of what it costs to
// count the events of everybody.
func (c *compiler) chosen(condition string) string {
	return "if(profile_id = 0, 0, " + c.unrestricted() + " AND " + condition + ")"
}

// scans are the queries that the leaves need, and one of all profiles where the
// tree holds for a profile without rows.
func (c *compiler) scans(everybody bool) (parts []string) {
	for _, s := range []struct {
		scan scan
		sql  func() string
	}{
		{c.events, c.eventsSQL},
		{c.transactions, c.transactionsSQL},
		{c.traits, c.traitsSQL},
		{c.identifiers, func() string { return c.identifiersSQL(everybody) }},
		{c.scores, c.scoresSQL},
		{c.consents, c.consentsSQL},
		{c.households, c.householdsSQL},
		{c.accounts, c.accountsSQL},
		{c.groups, c.groupsSQL},
		{c.locations, c.locationsSQL},
		{c.answers, c.answersSQL},
		{c.moods, c.moodsSQL},
	} {
		if len(s.scan.bits) > 0 {
			parts = append(parts, s.sql())
		}
	}
	if everybody && len(c.identifiers.bits) == 0 { // Which have a row for everybody.
		parts = append(parts, c.everybody())
	}
	return parts
}

// unrestricted leaves out whose data may be stored and not used.
func (c *compiler) unrestricted() string { return c.reading.Unrestricted("profile_id") }

func indent(s string) string { return "    " + strings.ReplaceAll(s, "\n", "\n    ") }
