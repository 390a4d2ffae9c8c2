SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(has_0 AND leaf_0 >= {p2:Float64}), 0) AS mask
    FROM (
        SELECT profile_id,
            argMaxIf(value, (computed_at, scored_id = profile_id, scored_id), score = {p1:String}) AS leaf_0,
            countIf(score = {p1:String}) > 0 AS has_0
        FROM (
            SELECT IdentifierProfile(scores.profile_id) AS profile_id, profile_id AS scored_id, score, value, lower, upper, computed_at,
                maxIf(computed_at, profile_id = 0) OVER (PARTITION BY score) AS standing_since
            FROM scores
            WHERE workspace = {workspace:String} AND score IN ({p1:String})
        )
        WHERE scored_id != 0 AND computed_at >= standing_since
        GROUP BY profile_id
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND bitTest(mask, 0))
-- p1 = churn
-- p2 = 0.7
-- workspace = main
