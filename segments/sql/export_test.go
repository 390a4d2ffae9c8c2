package sql

import (
	"time"

	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// ExplainQueries are the queries that explain a definition, by what they are for.
func ExplainQueries(d segments.Definition, rules profiles.Rules, now time.Time) (map[string]Query, error) {
	a := asked{Previewer: &Previewer{cfg: Config{Rules: rules, Looked: 10}}, workspace: "main", d: d, now: now}
	list := map[string]Query{
		"events": a.eventsQuery(), "goods": a.goodsQuery(), "scores": a.scoresQuery(), "traits": a.traitsQuery([]string{"newest", "it's", "oldest", "source_priority"}),
	}
	var err error
	if list["overlap"], err = a.overlapQuery("loyal"); err != nil {
		return nil, err
	}
	if list["sample"], err = a.sampleQuery(&segments.Preview{Count: 20, Profiles: 120}); err != nil {
		return nil, err
	}
	list["sizes"] = sizesQuery("main", []string{"events", "identifiers"})
	list["regions"], err = compileRegions([]segments.Definition{d, {Root: segments.Not{Node: d.Root}}}, a)
	return list, err
}
