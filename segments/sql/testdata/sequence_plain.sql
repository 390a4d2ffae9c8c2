SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(notEmpty(leaf_0_2_reached)), 0) AS mask
    FROM (
        SELECT *,
            arrayMap(m -> bitShiftRight(m, 2), arrayMap(x -> arrayFilter((m, p) -> NOT bitTest(toUInt8(m), 0) AND bitTest(toUInt8(p), 0) AND toInt64(bitShiftRight(bitShiftRight(m, 2), 128)) - toInt64(bitShiftRight(bitShiftRight(p, 2), 128)) + {p10:Int64} <= {p11:Int64}, x, arrayFill(m -> bitTest(toUInt8(m), 0), x)), [arraySort(arrayConcat(arrayMap(m -> bitShiftLeft(m, 2) + 2, leaf_0_2_at), arrayMap(m -> bitShiftLeft(toInt256(toInt64(bitShiftRight(m, 128)) + {p10:Int64}), 130) + 1, leaf_0_1_or_not)))])[1]) AS leaf_0_2_reached
        FROM (
            SELECT *,
                arrayFilter(m -> notEmpty(leaf_0_0_at) AND toInt64(bitShiftRight(m, 128)) - toInt64(bitShiftRight(arrayMin(leaf_0_0_at), 128)) >= {p7:Int64}, leaf_0_1_at) AS leaf_0_1_reached,
                arrayConcat(leaf_0_0_at, leaf_0_1_reached) AS leaf_0_1_or_not
            FROM (
                SELECT EventProfile(anchor_id, time) AS profile_id,
                    groupArrayIf(bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), name = {p1:String} AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')} AND (number_price > {p5:Float64})) AS leaf_0_0_at,
                    groupArrayIf(bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), name = {p6:String} AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_0_1_at,
                    groupArrayIf(bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), name = {p1:String} AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')} AND (if(indexOf(mapKeys(numbers), {p8:String}) > 0, mapValues(numbers)[indexOf(mapKeys(numbers), {p8:String})], nan) < {p9:Float64})) AS leaf_0_2_at
                FROM events
                WHERE workspace = {workspace:String} AND anchor_id != 0 AND name IN ({p1:String}, {p6:String}) AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}
                GROUP BY profile_id
                HAVING notEmpty(leaf_0_0_at) AND notEmpty(leaf_0_2_at) AND arrayMin(leaf_0_0_at) < arrayMax(leaf_0_2_at)
            )
        )
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND bitTest(mask, 0))
-- now = 2025-06-01 12:00:00.000
-- p1 = Product Viewed
-- p10 = 60000
-- p11 = 3600000
-- p2 = 2025-05-02 12:00:00.000
-- p4 = price
-- p5 = 80
-- p6 = Searched
-- p7 = 300000
-- p8 = rating
-- p9 = 3
-- workspace = main
