SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(leaf_0 >= {p11:Float64}), 0) AS mask
    FROM (
        SELECT EventProfile(anchor_id, time) AS profile_id,
            count() AS leaf_0
        FROM events
        WHERE workspace = {workspace:String} AND anchor_id != 0 AND name = {p1:String} AND kind = {p2:String} AND time > {p3:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')} AND (number_revenue > {p6:Float64}) AND ((JSONExtractRaw(properties, {p7:String}, {p8:String}) = 'true' OR startsWith(JSONExtractRaw(properties, {p7:String}, {p8:String}), '"') AND has({p9:Array(String)}, JSONExtractString(JSONExtractRaw(properties, {p7:String}, {p8:String}))) OR has({p10:Array(Float64)}, toFloat64OrDefault(JSONExtractRaw(properties, {p7:String}, {p8:String}), nan))))
        GROUP BY profile_id
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND bitTest(mask, 0))
-- now = 2025-06-01 12:00:00.000
-- p1 = Order Completed
-- p10 = [7]
-- p11 = 2
-- p2 = transaction
-- p3 = 2025-05-02 12:00:00.000
-- p5 = revenue
-- p6 = 50
-- p7 = cart
-- p8 = coupon
-- p9 = ['SPRING']
-- workspace = main
