SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(leaf_0 > 0), 0)
            + bitShiftLeft(toUInt64(leaf_1 > 0), 1) AS mask
    FROM (
        SELECT AnchorProfile(identifier_id) AS profile_id,
            countIf(namespace = {p1:String}) AS leaf_0,
            countIf(namespace = {p2:String}) AS leaf_1
        FROM identifiers
        WHERE workspace = {workspace:String} AND namespace IN ({p1:String}, {p2:String})
        GROUP BY profile_id
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) AND NOT bitTest(mask, 1)))
-- p1 = email
-- p2 = phone
-- workspace = main
