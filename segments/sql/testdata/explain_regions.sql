SELECT held, count()
FROM (
    SELECT groupBitOr(held) AS held
    FROM (
        SELECT profile_id, bitShiftLeft(held, 0) AS held
        FROM (
            SELECT profile_id, mask, due,
                bitShiftLeft(toUInt64(bitTest(mask, 0)), 0)
                + bitShiftLeft(toUInt64(NOT bitTest(mask, 0)), 1) AS held
            FROM (
                SELECT profile_id, groupBitOr(mask) AS mask, min(due) AS due
                FROM (
                    SELECT profile_id,
                            bitShiftLeft(toUInt64(leaf_0 >= {g0_p4:Float64}), 0) AS mask, due_at AS due
                    FROM (
                        SELECT EventProfile(anchor_id, time) AS profile_id,
                            countIf(name = {g0_p1:String} AND time > {g0_p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_0,
                            least(ifNull(minOrNullIf(toUnixTimestamp64Milli(time), name IN ({g0_p1:String}) AND time > {g0_p2:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) + 86400000, toInt64(9223372036854775807)),
                                ifNull(minOrNullIf(toUnixTimestamp64Milli(time), name IN ({g0_p1:String}) AND time > {now:DateTime64(3, 'UTC')}), toInt64(9223372036854775807))) AS due_at
                        FROM events
                        WHERE workspace = {workspace:String} AND anchor_id != 0 AND name IN ({g0_p1:String}) AND time > {g0_p2:DateTime64(3, 'UTC')}
                        GROUP BY profile_id
                    )
                    UNION ALL
                    SELECT AnchorProfile(identifier_id) AS profile_id, toUInt64(0) AS mask, toInt64(9223372036854775807) AS due
                    FROM identifiers
                    WHERE workspace = {workspace:String}
                    GROUP BY profile_id
                    HAVING if(profile_id = 0, 0, count() > 0)
                ) AS told
                WHERE if(profile_id = 0, 0, told.due >= 0 AND profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}))
                GROUP BY profile_id
            )
        )
        WHERE held != 0
    )
    GROUP BY profile_id
)
GROUP BY held
-- g0_p1 = View
-- g0_p2 = 2025-05-31 12:00:00.000
-- g0_p4 = 1
-- now = 2025-06-01 12:00:00.000
-- workspace = main
