SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64((notEmpty(leaf_0_2_0_reached) OR notEmpty(leaf_0_2_1_reached))), 0) AS mask
    FROM (
        SELECT *,
            arrayMap(z -> ((z.1.1, z.1.3), z.2.7), arrayMap(x -> arrayFilter(z -> z.1.4 = 0 AND z.2.4 = 1 AND z.2.6 >= z.1.5 AND z.1.1 - z.2.6.1 <= {p7:Int64} AND z.1.1 - z.2.7 <= {p8:Int64}, arrayZip(x, arrayFill(e -> e.4 = 1, x))), [arraySort(arrayConcat(arrayMap(e -> (e.1.1, toUInt8(0), e.1.2, toUInt8(0), e.2, (toInt64(-9000000000000000000), toUInt128(0)), toInt64(0)), leaf_0_2_barred), arrayMap(p -> (p.1.1, toUInt8(0), p.1.2, toUInt8(1), (toInt64(-9000000000000000000), toUInt128(0)), p.1, p.2), leaf_0_0_reached)))])[1]) AS leaf_0_2_0_reached,
            arrayMap(z -> ((z.1.1, z.1.3), z.2.7), arrayMap(x -> arrayFilter(z -> z.1.4 = 0 AND z.2.4 = 1 AND z.2.6 >= z.1.5 AND z.1.1 - z.2.6.1 <= {p7:Int64} AND z.1.1 - z.2.7 <= {p8:Int64}, arrayZip(x, arrayFill(e -> e.4 = 1, x))), [arraySort(arrayConcat(arrayMap(e -> (e.1.1, toUInt8(0), e.1.2, toUInt8(0), e.2, (toInt64(-9000000000000000000), toUInt128(0)), toInt64(0)), leaf_0_2_barred), arrayMap(p -> (p.1.1, toUInt8(0), p.1.2, toUInt8(1), (toInt64(-9000000000000000000), toUInt128(0)), p.1, p.2), leaf_0_1_0_reached)))])[1]) AS leaf_0_2_1_reached
        FROM (
            SELECT *,
                arrayMap(z -> ((z.1.1, z.1.3), z.2.7), arrayMap(x -> arrayFilter(z -> z.1.4 = 0 AND z.2.4 = 1 AND z.2.6 >= z.1.5, arrayZip(x, arrayFill(e -> e.4 = 1, x))), [arraySort(arrayConcat(arrayMap(e -> (e.1.1, toUInt8(0), e.1.2, toUInt8(0), e.2, (toInt64(-9000000000000000000), toUInt128(0)), toInt64(0)), leaf_0_1_barred), arrayMap(p -> (p.1.1, toUInt8(0), p.1.2, toUInt8(1), (toInt64(-9000000000000000000), toUInt128(0)), p.1, p.2), leaf_0_0_reached)))])[1]) AS leaf_0_1_0_reached
            FROM (
                SELECT *,
                    arrayMap(e -> (e, e.1), leaf_0_0) AS leaf_0_0_reached,
                    arrayMap(e -> (e, (toInt64(-9000000000000000000), toUInt128(0))), leaf_0_1) AS leaf_0_1_barred,
                    arrayMap(z -> ((z.1.1, z.1.2), if(z.2.3 = 1, (z.2.1, z.2.2), (toInt64(-9000000000000000000), toUInt128(0)))), arrayMap(x -> arrayFilter(z -> z.1.3 = 0, arrayZip(x, arrayFill(e -> e.3 = 1, x))), [arraySort(arrayConcat(arrayMap(e -> (e.1, e.2, toUInt8(0)), leaf_0_2), arrayMap(e -> (e.1, e.2, toUInt8(1)), leaf_0_2_without)))])[1]) AS leaf_0_2_barred
                FROM (
                    SELECT *,
                        arrayMap(m -> (toInt64(bitShiftRight(m, 128)), toUInt128(m)), arraySort(leaf_0_0_at)) AS leaf_0_0,
                        arrayMap(m -> (toInt64(bitShiftRight(m, 128)), toUInt128(m)), arraySort(leaf_0_1_at)) AS leaf_0_1,
                        arrayMap(m -> (toInt64(bitShiftRight(m, 128)), toUInt128(m)), arraySort(leaf_0_2_at)) AS leaf_0_2,
                        arrayMap(m -> (toInt64(bitShiftRight(m, 128)), toUInt128(m)), arraySort(leaf_0_2_without_at)) AS leaf_0_2_without
                    FROM (
                        SELECT EventProfile(anchor_id, time) AS profile_id,
                            groupArrayIf(bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), name = {p1:String} AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_0_0_at,
                            groupArrayIf(bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), name = {p4:String} AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_0_1_at,
                            groupArrayIf(bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), name = {p5:String} AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_0_2_at,
                            groupArrayIf(bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), name = {p6:String} AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_0_2_without_at
                        FROM events
                        WHERE workspace = {workspace:String} AND anchor_id != 0 AND name IN ({p1:String}, {p4:String}, {p5:String}, {p6:String}) AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}
                        GROUP BY profile_id
                        HAVING notEmpty(leaf_0_0_at) AND notEmpty(leaf_0_2_at) AND arrayMin(leaf_0_0_at) < arrayMax(leaf_0_2_at)
                    )
                )
            )
        )
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND bitTest(mask, 0))
-- now = 2025-06-01 12:00:00.000
-- p1 = Product Viewed
-- p2 = 2025-05-25 12:00:00.000
-- p4 = Searched
-- p5 = Cart Abandoned
-- p6 = Order Completed
-- p7 = 3600000
-- p8 = 86400000
-- workspace = main
