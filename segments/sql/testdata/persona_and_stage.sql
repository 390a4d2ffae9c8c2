SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(persona = {p1:String}), 0)
            + bitShiftLeft(toUInt64(stage = {p2:String}), 1)
            + bitShiftLeft(toUInt64(persona = {p3:String}), 2) AS mask
    FROM (
        SELECT profile_id, best.1 AS stage, best.2 AS persona, best.3 AS recency, best.4 AS frequency, best.5 AS money, best.6 AS model_version, best_since AS since
    FROM (
        SELECT IdentifierProfile(grouped_id) AS profile_id, argMax(newest, (grouped_id = profile_id, since, grouped_id)) AS best, argMax(since, (grouped_id = profile_id, since, grouped_id)) AS best_since
        FROM (
        SELECT profile_id AS grouped_id, argMax((toString(stage), toString(persona), recency, frequency, money, toString(model_version)), time) AS newest, max(time) AS since
        FROM profile_groups
        WHERE workspace = {workspace:String} AND profile_id != 0
        GROUP BY profile_id
        HAVING newest.1 != ''
        )
        GROUP BY profile_id
    )
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) OR (bitTest(mask, 1) AND NOT bitTest(mask, 2))))
-- p1 = p3
-- p2 = at_risk
-- p3 = p1
-- workspace = main
