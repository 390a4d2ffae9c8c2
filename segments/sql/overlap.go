package sql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
)

// overlapSQL counts the members of %s in each live segment. The members of these are
// those that the store has: evaluating hundreds of definitions for one preview would
// cost hundreds of times as much, and what is stored is that very evaluation, of a
// moment ago. The row of no name has the members themselves, and profile 0, which is
// nobody, is in all segments, so that those without members are told of, too.
const overlapSQL = `SELECT segment, countIf(profile_id != 0) AS members, countIf(here) AS both
FROM (
    SELECT profile_id, max(member) AS here, arrayJoin(groupArray(segment)) AS segment
    FROM (
        SELECT profile_id, true AS member, '' AS segment
        FROM (
%s
        )
        UNION ALL
        SELECT profile_id, false AS member, toString(segment) AS segment
        FROM segment_changes
        WHERE workspace = {workspace:String} AND segment IN (
            SELECT segment FROM segment_definitions WHERE workspace = {workspace:String} AND segment != {self:String}
            GROUP BY segment HAVING NOT argMax(archived, revision)
        )
        GROUP BY segment, profile_id
        HAVING argMax(entered, block)
        UNION ALL
        SELECT toUInt64(0) AS profile_id, false AS member, toString(segment) AS segment
        FROM segment_definitions
        WHERE workspace = {workspace:String} AND segment != {self:String}
        GROUP BY segment
        HAVING NOT argMax(archived, revision)
    )
    GROUP BY profile_id
)
GROUP BY segment
ORDER BY segment`

// overlap compares the members with those of every live segment, the most alike first.
func (a asked) overlap(ctx context.Context, self segments.ID) ([]segments.SegmentOverlap, error) {
	q, err := a.overlapQuery(self)
	if err != nil {
		return nil, err
	}
	list := []segments.SegmentOverlap{}
	var of uint64
	err = a.read(ctx, q, func(rows driver.Rows) error {
		var name string
		var o segments.SegmentOverlap
		err := rows.Scan(&name, &o.Members, &o.Both)
		if o.Segment = segments.ID(name); name != "" {
			list = append(list, o)
		} else {
			of = o.Members
		}
		return err
	})
	for i := range list {
		list[i].Of = of
	}
	slices.SortStableFunc(list, func(a, b segments.SegmentOverlap) int { return cmp.Compare(b.Jaccard(), a.Jaccard()) })
	return list, err
}

func (a asked) overlapQuery(self segments.ID) (Query, error) {
	q, err := Compile(a.d, a.cfg.Rules, a.workspace, a.now, a.reading)
	if err != nil {
		return Query{}, err
	}
	q.SQL = fmt.Sprintf(overlapSQL, indent(indent(indent(q.SQL))))
	q.Parameters["self"] = string(self) // Of an alphabet without escapes.
	return q, nil
}

// Intersect implements segments.Explainer.
func (p *Previewer) Intersect(ctx context.Context, workspace string, ds []segments.Definition) (*segments.Intersections, error) {
	now := p.now().UTC().Truncate(time.Millisecond)
	if len(ds) < 2 || len(ds) > segments.MaxIntersected {
		return nil, fmt.Errorf("intersect %d definitions: 2 to %d can be", len(ds), segments.MaxIntersected)
	}
	resolved := make([]segments.Definition, len(ds))
	for i, d := range ds {
		var err error
		if resolved[i], err = segments.Resolve(ctx, p.cfg.Library, workspace, "", d); err == nil {
			_, err = p.estimate(ctx, workspace, d, resolved[i])
		}
		if err != nil {
			return nil, within(i, err)
		}
	}
	reading, err := warehouse.ReadingNow(p.bound(ctx), p.conn, workspace)
	if err != nil {
		return nil, fmt.Errorf("intersect segments: %w", failure(err))
	}
	q, err := compileRegions(resolved, asked{Previewer: p, workspace: workspace, now: now, reading: reading})
	if err != nil {
		return nil, err
	}
	only := map[uint64]uint64{}
	err = p.read(ctx, q, func(rows driver.Rows) error {
		var held, n uint64
		err := rows.Scan(&held, &n)
		only[held] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("intersect segments: %w", err)
	}
	out := &segments.Intersections{AsOf: now, Counts: make([]uint64, len(ds)), Regions: regions(only)}
	for _, r := range out.Regions {
		if bits.OnesCount64(r.In) == 1 {
			out.Counts[bits.TrailingZeros64(r.In)] = r.Members
		}
	}
	p.forget(workspace) // The number of all is to be of the same time.
	if out.Profiles, err = p.total(ctx, workspace, reading); err != nil {
		return nil, fmt.Errorf("intersect segments: %w", err)
	}
	return out, nil
}

// within moves what an error points at to the place of one of several definitions.
func within(i int, err error) error {
	at := fmt.Sprintf("/%d", i)
	var invalid *segments.Invalid
	var large *segments.TooLarge
	switch {
	case errors.As(err, &invalid):
		for n := range invalid.Faults {
			invalid.Faults[n].Pointer = at + invalid.Faults[n].Pointer
		}
	case errors.As(err, &large):
		for n := range large.Leaves {
			large.Leaves[n].Pointer = at + large.Leaves[n].Pointer
		}
	}
	return err
}

// compileRegions counts profiles by the definitions that they are in.
func compileRegions(ds []segments.Definition, a asked) (Query, error) {
	groups, err := Groups(ds, 1)
	if err != nil {
		return Query{}, err
	}
	all := Query{Parameters: map[string]string{}}
	parts := make([]string, len(groups))
	place := 0
	for g, group := range groups { // Groups keep the order.
		set, err := CompileSet(ds[place:place+len(group)], a.cfg.Rules, a.workspace, a.now, Extent{}, a.reading)
		if err != nil {
			return Query{}, err
		}
		part := prefixed(set.Query, fmt.Sprintf("g%d_", g))
		maps.Copy(all.Parameters, part.Parameters)
		parts[g] = fmt.Sprintf("SELECT profile_id, bitShiftLeft(held, %d) AS held\nFROM (\n%s\n)\nWHERE held != 0", place, indent(part.SQL))
		place += len(group)
	}
	all.SQL = "SELECT held, count()\nFROM (\n    SELECT groupBitOr(held) AS held\n    FROM (\n" + indent(indent(strings.Join(parts, "\nUNION ALL\n"))) +
		"\n    )\n    GROUP BY profile_id\n)\nGROUP BY held"
	return all, nil
}

// numbered are the parameters that a compilation numbers. Its text holds no value that
// could look like one.
var numbered = regexp.MustCompile(`\{p([0-9]+):`)

// prefixed gives the numbered parameters of a query other names, so that several
// queries fit into one.
func prefixed(q Query, prefix string) Query {
	out := Query{SQL: numbered.ReplaceAllString(q.SQL, "{"+prefix+"p$1:"), Parameters: map[string]string{}}
	for name, value := range q.Parameters {
		if numbered.MatchString("{" + name + ":") {
			name = prefix + name
		}
		out.Parameters[name] = value
	}
	return out
}

// regions makes all intersections of how many are in exactly which definitions.
func regions(only map[uint64]uint64) []segments.Region {
	members := map[uint64]uint64{}
	for held, n := range only {
		for in := held; in != 0; in = (in - 1) & held { // Every part of held.
			members[in] += n
		}
	}
	list := make([]segments.Region, 0, len(members))
	for in, n := range members {
		list = append(list, segments.Region{In: in, Members: n, Only: only[in]})
	}
	slices.SortFunc(list, func(a, b segments.Region) int {
		return cmp.Or(cmp.Compare(b.Members, a.Members), cmp.Compare(bits.OnesCount64(a.In), bits.OnesCount64(b.In)), cmp.Compare(a.In, b.In))
	})
	return list
}
