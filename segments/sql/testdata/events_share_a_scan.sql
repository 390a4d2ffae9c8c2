SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(leaf_0 >= {p4:Float64}), 0)
            + bitShiftLeft(toUInt64(leaf_1 = {p7:Float64}), 1)
            + bitShiftLeft(toUInt64(leaf_2 >= {p4:Float64}), 2)
            + bitShiftLeft(toUInt64(leaf_3 >= {p4:Float64}), 3) AS mask
    FROM (
        SELECT EventProfile(owner) AS profile_id,
            sum(leaf_0_each) AS leaf_0,
            sum(leaf_1_each) AS leaf_1,
            sum(leaf_2_each) AS leaf_2,
            sum(leaf_3_each) AS leaf_3
        FROM (
            SELECT EventOwner(anchor_id, time) AS owner,
                countIf(name = {p1:String} AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_0_each,
                countIf(name = {p5:String} AND time > {p6:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_1_each,
                countIf(name = {p8:String} AND time > {p9:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_2_each,
                countIf(name = {p1:String} AND time > {p10:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_3_each
            FROM events
                WHERE workspace = {workspace:String} AND anchor_id != 0 AND name IN ({p1:String}, {p5:String}, {p8:String}) AND time > {p10:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}
            GROUP BY owner
        )
        GROUP BY profile_id
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) OR bitTest(mask, 1) OR (bitTest(mask, 2) AND bitTest(mask, 3))))
-- now = 2025-06-01 12:00:00.000
-- p1 = A
-- p10 = 2025-05-18 12:00:00.000
-- p2 = 2025-05-31 12:00:00.000
-- p4 = 1
-- p5 = B
-- p6 = 2025-05-25 12:00:00.000
-- p7 = 2
-- p8 = C
-- p9 = 2025-06-01 11:00:00.000
-- workspace = main
