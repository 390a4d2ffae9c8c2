SELECT segment, countIf(profile_id != 0) AS members, countIf(here) AS both
FROM (
    SELECT profile_id, max(member) AS here, arrayJoin(groupArray(segment)) AS segment
    FROM (
        SELECT profile_id, true AS member, '' AS segment
        FROM (
            SELECT profile_id
            FROM (
                SELECT profile_id,
                        bitShiftLeft(toUInt64(leaf_0 >= {p4:Float64}), 0) AS mask
                FROM (
                    SELECT EventProfile(owner) AS profile_id,
                        sum(leaf_0_each) AS leaf_0
                    FROM (
                        SELECT EventOwner(anchor_id, time) AS owner,
                            count() AS leaf_0_each
                        FROM events
                            WHERE workspace = {workspace:String} AND anchor_id != 0 AND name = {p1:String} AND time > {p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}
                        GROUP BY owner
                    )
                    GROUP BY profile_id
                )
            )
            WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND bitTest(mask, 0))
        )
        UNION ALL
        SELECT profile_id, false AS member, toString(segment) AS segment
        FROM segment_changes
        WHERE workspace = {workspace:String} AND segment IN (
            SELECT segment FROM segment_definitions WHERE workspace = {workspace:String} AND segment != {self:String}
            GROUP BY segment HAVING NOT argMax(archived, revision)
        )
        GROUP BY segment, profile_id
        HAVING argMax(entered, block)
        UNION ALL
        SELECT toUInt64(0) AS profile_id, false AS member, toString(segment) AS segment
        FROM segment_definitions
        WHERE workspace = {workspace:String} AND segment != {self:String}
        GROUP BY segment
        HAVING NOT argMax(archived, revision)
    )
    GROUP BY profile_id
)
GROUP BY segment
ORDER BY segment
-- now = 2025-06-01 12:00:00.000
-- p1 = View
-- p2 = 2025-05-31 12:00:00.000
-- p4 = 1
-- self = loyal
-- workspace = main
