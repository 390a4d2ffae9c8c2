SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(leaf_0 >= {p4:Float64}), 0)
            + bitShiftLeft(toUInt64(has_1 > 0 AND leaf_1 < {p5:Float64}), 1)
            + bitShiftLeft(toUInt64(leaf_2 >= {p9:Float64}), 2)
            + bitShiftLeft(toUInt64(((startsWith(JSONExtractRaw(leaf_3, {p11:String}), '"') AND JSONExtractString(JSONExtractRaw(leaf_3, {p11:String})) = {p12:String}) AND (arrayExists(each -> startsWith(JSONExtractRaw(each, {p14:String}), '"') AND JSONExtractString(JSONExtractRaw(each, {p14:String})) = {p15:String}, JSONExtractArrayRaw(JSONExtractRaw(leaf_3, {p13:String})))))), 3) AS mask
    FROM (
        SELECT EventProfile(anchor_id, time) AS profile_id,
            toFloat64(sumIf(toInt128(round(if(abs(number_revenue) <= 1e15, number_revenue, 0) * 10000)), name = {p1:String} AND time >= {p2:DateTime64(3, 'UTC')} AND time < {p3:DateTime64(3, 'UTC')})) / 10000 AS leaf_0,
            countIf(name = {p1:String} AND abs(number_revenue) <= 1e15) AS has_1,
            toFloat64(sumIf(toInt128(round(if(abs(number_revenue) <= 1e15, number_revenue, 0) * 10000)), name = {p1:String})) / 10000 AS sum_1,
            uniqExactIf(toDate32(time, 'UTC'), name = {p6:String} AND time > {p7:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_2,
            argMaxIf(properties, bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), name = {p10:String}) AS leaf_3,
            sum_1 / has_1 AS leaf_1
        FROM events
        WHERE workspace = {workspace:String} AND anchor_id != 0 AND name IN ({p1:String}, {p6:String}, {p10:String})
        GROUP BY profile_id
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) AND bitTest(mask, 1) AND bitTest(mask, 2) AND bitTest(mask, 3)))
-- now = 2025-06-01 12:00:00.000
-- p1 = Order Completed
-- p10 = Plan Chosen
-- p11 = plan
-- p12 = gold
-- p13 = items
-- p14 = sku
-- p15 = s1
-- p2 = 2025-01-01 00:00:00.000
-- p3 = 2025-03-31 23:00:00.000
-- p4 = 100
-- p5 = 50
-- p6 = Product Viewed
-- p7 = 2025-05-02 12:00:00.000
-- p9 = 3
-- workspace = main
