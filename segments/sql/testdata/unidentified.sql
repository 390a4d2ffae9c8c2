SELECT profile_id
FROM (
    SELECT profile_id, groupBitOr(mask) AS mask
    FROM (
        SELECT profile_id,
                bitShiftLeft(toUInt64(leaf_1 >= {p5:Float64}), 1) AS mask
        FROM (
            SELECT EventProfile(owner) AS profile_id,
                sum(leaf_1_each) AS leaf_1
            FROM (
                SELECT EventOwner(anchor_id, time) AS owner,
                    count() AS leaf_1_each
                FROM events
                    WHERE workspace = {workspace:String} AND anchor_id != 0 AND name = {p2:String} AND time > {p3:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}
                GROUP BY owner
            )
            GROUP BY profile_id
        )
        UNION ALL
        SELECT profile_id,
                bitShiftLeft(toUInt64(leaf_0 > 0), 0) AS mask
        FROM (
            SELECT AnchorProfile(identifier_id) AS profile_id,
                countIf(namespace = {p1:String}) AS leaf_0
            FROM identifiers
            WHERE workspace = {workspace:String}
            GROUP BY profile_id
        )
    )
    GROUP BY profile_id
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (NOT bitTest(mask, 0) AND NOT bitTest(mask, 1)))
-- now = 2025-06-01 12:00:00.000
-- p1 = email
-- p2 = Order Completed
-- p3 = 2025-05-02 12:00:00.000
-- p5 = 1
-- workspace = main
