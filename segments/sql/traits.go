package sql

import (
	"fmt"
	"strings"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// trait tests the surviving value in the scan over trait_observations.
func (c *compiler) trait(i int, leaf segments.Trait) {
	for _, t := range c.rules.Computed {
		if t.Name == leaf.Name {
			c.computed(i, t, leaf.Test)
			return
		}
	}
	name := c.text(leaf.Name)
	column := fmt.Sprintf("leaf_%d", i)
	column = c.traits.column(column, c.surviving(name, leaf.Name))
	c.note(&c.traits, i, c.test(column, leaf.Test), false)
	c.traitNames = append(c.traitNames, name)
}

func (c *compiler) traitsSQL() string {
	return fmt.Sprintf(`SELECT profile_id,
        %s AS mask%s
FROM (
    SELECT %s AS profile_id,
        %s
    FROM trait_observations
    WHERE workspace = {workspace:String} AND anchor_id != 0 AND trait IN (%s)%s
    GROUP BY profile_id
)`, c.traits.mask(0), c.rest(c.traits, times{}), c.reading.EventProfile("anchor_id", "time"), strings.Join(c.traits.columns, ",\n        "), strings.Join(distinct(c.traitNames), ", "), c.only("anchor_id", AskedAnchors))
}

// surviving is the aggregate of a trait's value by its survivorship rule, as
// JSON text; ” or null when nothing survives. It says the same as
// profiles.Rules.Reduce, which tests hold it against.
func (c *compiler) surviving(name, trait string) string {
	return c.survivor("trait = "+name, c.rules.Rule(trait))
}

// survivor is the aggregate of the value of the observations of which a condition
// holds, by a rule.
func (c *compiler) survivor(condition string, rule profiles.TraitRule) string {
	if rule.Rule == profiles.Newest {
		// A null that is the newest removes, and is the value then.
		return "argMaxIf(value, " + moment + ", " + condition + ")"
	}
	// All statements by moment, from behind the last null.
	all := "arraySort(groupArrayIf((time, message_hash, source, value), " + condition + "))"
	standing := "arraySlice(" + all + ", arrayLastIndex(s -> s.4 = 'null', " + all + ") + 1)"
	values := "arrayMap(s -> s.4, " + standing + ")"
	switch rule.Rule {
	case profiles.Oldest:
		return values + "[1]"
	case profiles.MostFrequent:
		return heaviest(values, "countEqual("+values+", v)", "1")
	case profiles.Longest:
		return heaviest(values, "lengthUTF8(JSONExtractString(v))", isText("v"))
	case profiles.SourcePriority:
		sources := c.bind("Array(String)", textArray(rule.Sources))
		// indexOf is 0 for the sources that are not named: they come last.
		rank := fmt.Sprintf("-if(indexOf(%s, %s[i].3) = 0, %d, indexOf(%s, %s[i].3))", sources, standing, len(rule.Sources)+1, sources, standing)
		return heaviest(values, rank, "1")
	case profiles.Union:
		elements := "arrayFlatten(arrayMap(v -> if(startsWith(v, '['), JSONExtractArrayRaw(v), [v]), " + values + "))"
		// Repeated elements may stay: no test can tell.
		usable := "arrayFilter(v -> v != 'null', " + elements + ")"
		return "if(empty(" + standing + "), '', '[' || arrayStringConcat(" + usable + ", ',') || ']')"
	}
	numbers := "arrayFilter(x -> NOT isNaN(x), arrayMap(v -> " + asNumber("v") + ", " + values + "))"
	aggregate := map[profiles.Rule]string{profiles.Sum: "arraySum", profiles.Max: "arrayMax"}[rule.Rule]
	return "if(empty(" + numbers + "), '', toString(" + aggregate + "(" + numbers + ")))"
}

// heaviest picks the newest of the values v of greatest weight, among those
// that are eligible; v and its index i may stand in both expressions.
func heaviest(values, weight, eligible string) string {
	ranked := "arrayMap((v, i) -> (toInt64(" + weight + "), i), " + values + ", arrayEnumerate(" + values + "))"
	usable := "arrayFilter((w, v) -> " + eligible + ", " + ranked + ", " + values + ")"
	return "if(empty(" + usable + "), '', " + values + "[arrayMax(" + usable + ").2])"
}
