SELECT groupArrayIf(profile_id, member), groupArrayIf(profile_id, NOT member)
FROM (
    SELECT profile_id, max(is_member) AS member
    FROM (
        SELECT profile_id, true AS is_member
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
        WHERE sipHash64(profile_id) <= {below:UInt64}
        UNION ALL
        SELECT profile_id, false AS is_member
        FROM (
            SELECT AnchorProfile(identifier_id) AS profile_id, toUInt64(0) AS mask
            FROM identifiers
            WHERE workspace = {workspace:String}
            GROUP BY profile_id
            HAVING if(profile_id = 0, 0, count() > 0)
        )
        WHERE sipHash64(profile_id) <= {below:UInt64} AND profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String})
    )
    GROUP BY profile_id
    HAVING sipHash64(profile_id) <= if(member, {members_below:UInt64}, {others_below:UInt64})
)
-- below = 9223372036854775808
-- members_below = 9223372036854775808
-- now = 2025-06-01 12:00:00.000
-- others_below = 1844674407370955264
-- p1 = View
-- p2 = 2025-05-31 12:00:00.000
-- p4 = 1
-- workspace = main
