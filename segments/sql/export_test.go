package sql

import (
	"time"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// ExplainQueries are the queries that explain a definition, by what they are for.
func ExplainQueries(d segments.Definition, rules profiles.Rules, now time.Time) (map[string]Query, error) {
	a := asked{Previewer: &Previewer{cfg: Config{Rules: rules, Looked: 10}}, workspace: "main", d: d, now: now}
	who := looked{members: []uint64{1, 2}, others: []uint64{3}}
	list := map[string]Query{
		"events": a.eventsQuery(who), "goods": a.goodsQuery(who), "scores": a.scoresQuery(who), "traits": a.traitsQuery(who, []string{"newest", "it's", "oldest", "source_priority"}),
	}
	var err error
	if list["overlap"], err = a.overlapQuery("loyal"); err != nil {
		return nil, err
	}
	if list["sample"], err = a.sampleQuery(&segments.Preview{Count: 20, Profiles: 120}); err != nil {
		return nil, err
	}
	list["regions"], err = compileRegions([]segments.Definition{d, {Root: segments.Not{Node: d.Root}}}, a)
	return list, err
}
