SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(notEmpty(leaf_0_2_reached)), 0) AS mask
    FROM (
        SELECT *,
            arrayMap(e -> (e, e.1), leaf_0_0) AS leaf_0_0_reached,
            arrayMap(e -> (e, (toInt64(-9000000000000000000), toUInt128(0))), leaf_0_1) AS leaf_0_1_barred,
            arrayFilter(r -> r.2 != ((toInt64(-9000000000000000000), toUInt128(0))).1, arrayMap(e -> (e.1, arrayMax(arrayPushBack(arrayMap(p -> if(p.1 < e.1 AND p.1 >= e.2, p.2, ((toInt64(-9000000000000000000), toUInt128(0))).1), leaf_0_0_reached), ((toInt64(-9000000000000000000), toUInt128(0))).1))), leaf_0_1_barred)) AS leaf_0_1_reached,
            arrayConcat(leaf_0_0_reached, leaf_0_1_reached) AS leaf_0_1_or_not,
            arrayMap(e -> (e, arrayLast(x -> x < e, arrayPushFront(leaf_0_2_without, (toInt64(-9000000000000000000), toUInt128(0))))), leaf_0_2) AS leaf_0_2_barred,
            arrayFilter(r -> r.2 != ((toInt64(-9000000000000000000), toUInt128(0))).1, arrayMap(e -> (e.1, arrayMax(arrayPushBack(arrayMap(p -> if(p.1 < e.1 AND p.1 >= e.2 AND e.1.1 - p.1.1 <= {p10:Int64} AND e.1.1 - p.2 <= {p11:Int64}, p.2, ((toInt64(-9000000000000000000), toUInt128(0))).1), leaf_0_1_or_not), ((toInt64(-9000000000000000000), toUInt128(0))).1))), leaf_0_2_barred)) AS leaf_0_2_reached
        FROM (
            SELECT EventProfile(anchor_id, time) AS profile_id,
                arraySort(groupArrayIf((toUnixTimestamp64Milli(time), message_hash), name = {p1:String} AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')})) AS leaf_0_0,
                arraySort(groupArrayIf((toUnixTimestamp64Milli(time), message_hash), name = {p4:String} AND time > {p5:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')})) AS leaf_0_1,
                arraySort(groupArrayIf((toUnixTimestamp64Milli(time), message_hash), name = {p6:String} AND time > {p7:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')})) AS leaf_0_2,
                arraySort(groupArrayIf((toUnixTimestamp64Milli(time), message_hash), name = {p8:String} AND time > {p9:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')})) AS leaf_0_2_without
            FROM events
            WHERE workspace = {workspace:String} AND anchor_id != 0 AND name IN ({p1:String}, {p4:String}, {p6:String}, {p8:String}) AND time > {p12:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}
            GROUP BY profile_id
        )
    )
)
WHERE profile_id != 0 AND profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND bitTest(mask, 0)
-- now = 2025-06-01 12:00:00.000
-- p1 = Product Viewed
-- p10 = 3600000
-- p11 = 86400000
-- p12 = 2025-05-25 12:00:00.000
-- p2 = 2025-05-25 12:00:00.000
-- p4 = Searched
-- p5 = 2025-05-25 12:00:00.000
-- p6 = Cart Abandoned
-- p7 = 2025-05-25 12:00:00.000
-- p8 = Order Completed
-- p9 = 2025-05-25 12:00:00.000
-- workspace = main
