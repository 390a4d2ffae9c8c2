SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(startsWith(leaf_0, '"') AND has({p2:Array(String)}, JSONExtractString(leaf_0))), 0) AS mask
    FROM (
        SELECT EventProfile(anchor_id, time) AS profile_id,
            argMaxIf(value, bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), trait = {p1:String}) AS leaf_0
        FROM trait_observations
        WHERE workspace = {workspace:String} AND anchor_id != 0 AND trait IN ({p1:String})
        GROUP BY profile_id
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND bitTest(mask, 0))
-- p1 = country
-- p2 = ['PT','BR']
-- workspace = main
