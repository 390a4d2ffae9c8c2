SELECT score, latest, countIf(profile_id IN {members:Array(UInt64)}), countIf(profile_id IN {others:Array(UInt64)})
FROM (
    SELECT profile_id, score, argMax(value, (computed_at, scored_id = profile_id, scored_id)) AS latest
    FROM (
        SELECT IdentifierProfile(scores.profile_id) AS profile_id, profile_id AS scored_id, toString(score) AS score, value, computed_at,
            maxIf(computed_at, profile_id = 0) OVER (PARTITION BY score) AS standing_since
        FROM scores
        WHERE workspace = {workspace:String}
    )
    WHERE scored_id != 0 AND computed_at >= standing_since AND (profile_id IN {members:Array(UInt64)} OR profile_id IN {others:Array(UInt64)})
    GROUP BY profile_id, score
)
WHERE isFinite(latest)
GROUP BY score, latest
-- members = [1,2]
-- others = [3]
-- workspace = main
