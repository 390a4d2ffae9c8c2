package grouping

import "github.com/kindred-cdp/kindred/profiles/warehouse"

// latest is one row per id that stands by itself, as of the newest row or of a time.
func latest(condition string) string {
	return `SELECT profile_id AS grouped_id, argMax((toString(stage), toString(persona), recency, frequency, money, toString(model_version)), time) AS newest, max(time) AS since
    FROM profile_groups
    WHERE workspace = {workspace:String} AND profile_id != 0` + condition + `
    GROUP BY profile_id
    HAVING newest.1 != ''`
}

// Standing returns the SELECT of what stands for each profile, by the reading that the
// expression profile makes of the id grouped_id: its own row, and where it has none
// the newest of those that are a part of it. Its columns are profile_id, stage,
// persona, recency, frequency, money, model_version and since. It binds
// {workspace:String} and is made to be a subquery; condition narrows the rows down,
// beginning with AND, and may be empty.
func Standing(profile, condition string) string {
	return `SELECT profile_id, best.1 AS stage, best.2 AS persona, best.3 AS recency, best.4 AS frequency, best.5 AS money, best.6 AS model_version, best_since AS since
FROM (
    SELECT ` + profile + ` AS profile_id, argMax(newest, (grouped_id = profile_id, since, grouped_id)) AS best, argMax(since, (grouped_id = profile_id, since, grouped_id)) AS best_since
    FROM (
    ` + latest(condition) + `
    )
    GROUP BY profile_id
)`
}

// Current is Standing for all profiles in the present reading, but those whose
// processing is restricted.
func Current() string {
	return `SELECT * FROM (` + Standing(warehouse.IdentifierProfile("grouped_id"), "") + `) WHERE ` + warehouse.Unrestricted("profile_id")
}

// Transitions returns the SELECT of how many profiles went from which stage to which in
// each month from {from:String} to {to:String}, dates of which the months count: the
// columns month, of its first day, from_stage, to_stage and profiles, and share, of those
// who were in from_stage when the month began. Who was in none before has the from_stage
// ” and no share, and who is in none after it the to_stage ”. It binds
// {workspace:String}, too.
func Transitions() string {
	return `SELECT month, from_stage, to_stage, profiles, if(from_stage = '', nan, profiles / sum(profiles) OVER (PARTITION BY month, from_stage)) AS share
FROM (
    SELECT month, from_stage, to_stage, count() AS profiles
    FROM (
        SELECT profile_id, arrayJoin(arrayMap(n -> addMonths(toStartOfMonth(toDate({from:String})), n),
                range(toUInt64(dateDiff('month', toDate({from:String}), toDate({to:String})) + 1)))) AS month,
            arrayFilter(c -> c.1 < toDateTime64(month, 3, 'UTC'), changes) AS before,
            arrayFilter(c -> c.1 < toDateTime64(addMonths(month, 1), 3, 'UTC'), changes) AS after,
            if(empty(before), '', before[-1].2) AS from_stage, if(empty(after), '', after[-1].2) AS to_stage
        FROM (
            SELECT profile_id, arraySort(groupArray((time, toString(stage)))) AS changes
            FROM profile_groups
            WHERE workspace = {workspace:String} AND profile_id != 0
            GROUP BY profile_id
        )
    )
    WHERE from_stage != '' OR to_stage != ''
    GROUP BY month, from_stage, to_stage
)
ORDER BY month, from_stage, to_stage`
}
