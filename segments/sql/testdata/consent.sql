SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(arrayExists(a -> NOT arrayMax(arrayFilter(s -> s.5 IN (a, 0), said_0)).2, arrayFilter(a -> a != 0 OR NOT arrayExists(s -> s.5 != 0, said_0), arrayDistinct(arrayMap(s -> s.5, said_0))))), 0)
            + bitShiftLeft(toUInt64(notEmpty(said_1) AND NOT arrayExists(c -> arrayExists(a -> NOT arrayMax(arrayFilter(s -> s.5 IN (a, 0), arrayFilter(s -> s.4 = c OR s.4 = '', said_1))).2, arrayFilter(a -> a != 0 OR NOT arrayExists(s -> s.5 != 0, arrayFilter(s -> s.4 = c OR s.4 = '', said_1)), arrayDistinct(arrayMap(s -> s.5, arrayFilter(s -> s.4 = c OR s.4 = '', said_1))))), arrayFilter(c -> c != '' OR NOT arrayExists(s -> s.4 != '', said_1), arrayDistinct(arrayMap(s -> s.4, said_1))))), 1) AS mask
    FROM (
        SELECT EventProfile(anchor_id, time) AS profile_id,
            groupArrayIf((toUnixTimestamp64Milli(time), NOT granted, message_hash, toString(channel), address_id), purpose = {p1:String} AND channel IN ('', {p2:String})) AS said_0,
            groupArrayIf((toUnixTimestamp64Milli(time), NOT granted, message_hash, toString(channel), address_id), purpose = {p3:String}) AS said_1
        FROM consents
        WHERE workspace = {workspace:String} AND anchor_id != 0 AND purpose IN ({p1:String}, {p3:String})
        GROUP BY profile_id
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) AND NOT bitTest(mask, 1)))
-- p1 = marketing
-- p2 = email
-- p3 = profiling
-- workspace = main
