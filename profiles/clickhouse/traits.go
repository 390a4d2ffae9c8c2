package clickhouse

import (
	"context"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/profiles"
)

// statementColumns are those of an observation. Hashes have a fixed width so that
// text order is their order.
const statementColumns = `trait, source, value, count() AS times,
    min((time, message_hash)).1, leftPad(hex(min((time, message_hash)).2), 32, '0'),
    max((time, message_hash)).1, leftPad(hex(max((time, message_hash)).2), 32, '0')`

// traitsSQL groups equal statements, so that the size of the answer depends on how
// many different things were said, not on how often.
const traitsSQL = `SELECT ` + statementColumns + `
FROM trait_observations` + ofProfile + `
GROUP BY trait, source, value` + keyOnly

// standingSQL is traitsSQL of the statements after the newest null of their trait.
// Few people have traits removed, and it takes twice as long.
const standingSQL = `SELECT ` + statementColumns + `
FROM (
    SELECT trait, source, value, time, message_hash,
        countIf(value = 'null') OVER statements AS removals,
        maxIf((time, message_hash), value = 'null') OVER statements AS removed
    FROM trait_observations` + ofProfile + `
    WINDOW statements AS (PARTITION BY trait)
)
WHERE value != 'null' AND (removals = 0 OR (time, message_hash) > removed)
GROUP BY trait, source, value`

func (r *reader) traits(ctx context.Context, p *profiles.Profile) error {
	observations, err := r.observations(ctx, traitsSQL)
	if slices.ContainsFunc(observations, func(o profiles.Observation) bool { return o.Value == "null" }) {
		observations, err = r.observations(ctx, standingSQL)
	}
	p.Traits = r.cfg.Rules.Reduce(observations)
	return err
}

func (r *reader) observations(ctx context.Context, query string) (observations []profiles.Observation, err error) {
	err = r.readEvents(ctx, "traits", query, func(rows driver.Rows) error {
		o, err := scanObservation(rows)
		observations = append(observations, o)
		return err
	})
	return observations, err
}

// scanObservation reads statementColumns, and what comes before them.
func scanObservation(rows driver.Rows, before ...any) (o profiles.Observation, err error) {
	err = rows.Scan(append(before, &o.Trait, &o.Source, &o.Value, &o.Count, &o.First.Time, &o.First.Message, &o.Last.Time, &o.Last.Message)...)
	o.First.Time, o.Last.Time = o.First.Time.UTC(), o.Last.Time.UTC()
	return o, err
}
