package sql

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/insights"
)

// maxFeatures is how many features of a kind are told.
const maxFeatures = 10

// lot orders profiles by a hash of the id, the same for ever: the sample of a share
// are those whose lot is at most that share of all numbers.
const lot = "sipHash64(profile_id)"

// sampleSQL gives the ids of the members and of the others who are looked at. Where %[1]s
// is the query of the members, all who are looked at on either side are within {below},
// so that whoever is no member there is none at all.
var sampleSQL = `SELECT groupArrayIf(profile_id, member), groupArrayIf(profile_id, NOT member)
FROM (
    SELECT profile_id, max(is_member) AS member
    FROM (
        SELECT profile_id, true AS is_member
        FROM (
%[1]s
        )
        WHERE ` + lot + ` <= {below:UInt64}
        UNION ALL
        SELECT profile_id, false AS is_member
        FROM (
%[2]s
        )
        WHERE ` + lot + ` <= {below:UInt64} AND %[3]s
    )
    GROUP BY profile_id
    HAVING ` + lot + ` <= if(member, {members_below:UInt64}, {others_below:UInt64})
)`

// below is up to which lot profiles are looked at, where there are so many.
func below(looked int, all uint64) uint64 {
	if all <= uint64(looked) {
		return math.MaxUint64
	}
	return uint64(float64(looked) / float64(all) * math.MaxUint64)
}

// looked are the profiles that insights are of.
type looked struct{ members, others []uint64 }

func (l looked) counts() insights.Counts {
	return insights.Counts{Members: uint64(len(l.members)), Others: uint64(len(l.others))}
}

func (a asked) sampleQuery(of *segments.Preview) (Query, error) {
	q, err := Compile(a.d, a.cfg.Rules, a.workspace, a.now, a.reading)
	if err != nil {
		return Query{}, err
	}
	members, others := below(a.cfg.Looked, of.Count), below(a.cfg.Looked, of.Profiles-of.Count)
	q.SQL = fmt.Sprintf(sampleSQL, indent(indent(indent(q.SQL))), indent(indent(indent(everybodySQL(a.reading)))), a.reading.Unrestricted("profile_id"))
	for name, value := range map[string]uint64{"members_below": members, "others_below": others, "below": max(members, others)} {
		q.Parameters[name] = strconv.FormatUint(value, 10)
	}
	return q, nil
}

// insights tells what distinguishes the members from the others.
func (a asked) insights(ctx context.Context, of *segments.Preview) (*segments.Insights, error) {
	q, err := a.sampleQuery(of)
	if err != nil {
		return nil, err
	}
	var who looked
	err = a.read(ctx, q, func(rows driver.Rows) error { return rows.Scan(&who.members, &who.others) })
	if err != nil {
		return nil, err
	}
	out := &segments.Insights{
		Members:  segments.Sampled{Looked: uint64(len(who.members)), All: of.Count},
		Others:   segments.Sampled{Looked: uint64(len(who.others)), All: of.Profiles - of.Count},
		Features: []segments.Feature{},
	}
	if len(who.members) < segments.MinInsight || len(who.others) < segments.MinInsight {
		return out, nil
	}
	found, err := a.features(ctx, who)
	if err != nil {
		return nil, err
	}
	asks := asksFor(a.d)
	for i := range found {
		found[i].Defining = asks[feature{found[i].Kind, found[i].Name}]
	}
	out.Features = insights.Rank(found, who.counts(), maxFeatures)
	return out, nil
}

// features counts all that could distinguish the members.
func (a asked) features(ctx context.Context, who looked) ([]segments.Feature, error) {
	var mu sync.Mutex // Protects all.
	var all []segments.Feature
	group, ctx := errgroup.WithContext(ctx)
	for _, find := range []func(context.Context, looked) ([]segments.Feature, error){a.traitFeatures, a.scoreFeatures, a.eventFeatures, a.goodsFeatures} {
		group.Go(func() error {
			list, err := find(ctx, who)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, list...)
			return err
		})
	}
	return all, group.Wait()
}

// feature is what a definition can ask for.
type feature struct {
	kind segments.FeatureKind
	name string
}

// asksFor lists what a definition asks for by name.
func asksFor(d segments.Definition) map[feature]bool {
	asks := map[feature]bool{}
	for _, leaf := range d.Leaves() {
		switch leaf := leaf.(type) {
		case segments.Trait:
			asks[feature{segments.FeatureTrait, leaf.Name}] = true
		case segments.Score:
			asks[feature{segments.FeatureScore, leaf.Name}] = true
		case segments.Event:
			asks[feature{segments.FeatureEvent, leaf.Name}] = true
		case segments.Sequence:
			for _, step := range leaf.Steps {
				asks[feature{segments.FeatureEvent, step.Name}] = true
			}
		case segments.Bought:
			asks[feature{segments.FeatureProduct, leaf.Product}] = true
			asks[feature{segments.FeatureCategory, leaf.Category}] = true
		}
	}
	return asks
}

// windows of events and orders that features are of.
const (
	recent = 30 * 24 * time.Hour
	longer = 90 * 24 * time.Hour
)
