SELECT profile_id
FROM (
    SELECT profile_id, groupBitOr(mask) AS mask
    FROM (
        SELECT profile_id,
                bitShiftLeft(toUInt64(NOT (leaf_0 < {p2:Float64})), 0) AS mask
        FROM (
            SELECT EventProfile(owner) AS profile_id,
                sum(leaf_0_each) AS leaf_0
            FROM (
                SELECT EventOwner(anchor_id, time) AS owner,
                    count() AS leaf_0_each
                FROM events
                    WHERE workspace = {workspace:String} AND anchor_id != 0 AND name = {p1:String}
                GROUP BY owner
            )
            GROUP BY profile_id
        )
        UNION ALL
        SELECT AnchorProfile(identifier_id) AS profile_id, toUInt64(0) AS mask
        FROM identifiers
        WHERE workspace = {workspace:String}
        GROUP BY profile_id
        HAVING if(profile_id = 0, 0, count() > 0)
    )
    GROUP BY profile_id
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND NOT bitTest(mask, 0))
-- p1 = Page
-- p2 = 3
-- workspace = main
