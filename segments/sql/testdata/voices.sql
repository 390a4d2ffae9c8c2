SELECT profile_id
FROM (
    SELECT profile_id, groupBitOr(mask) AS mask
    FROM (
        SELECT profile_id,
                bitShiftLeft(toUInt64(has_0 AND leaf_0 >= 9), 0) AS mask
        FROM (
            SELECT EventProfile(anchor_id, time) AS profile_id,
                argMaxIf(assumeNotNull(score), bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), 1 AND time > {p1:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) AS leaf_0, countIf(1 AND time > {p1:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}) > 0 AS has_0
            FROM feedback_facts
            WHERE workspace = {workspace:String} AND anchor_id != 0 AND instrument = 'nps' AND isNotNull(score)
                AND ifNull(scale_min, 0) = 0 AND ifNull(scale_max, 10) = 10
            GROUP BY profile_id
        )
        UNION ALL
        SELECT profile_id,
                bitShiftLeft(toUInt64(has_1 > 0 AND leaf_1 < {p5:Float64}), 1) AS mask
        FROM (
            SELECT EventProfile(anchor_id, time) AS profile_id,
                countIf(1 AND time > {p3:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')} AND medium = {p4:String}) AS has_1, sumIf(toInt64(round(toFloat64(scored) * 1000000)), 1 AND time > {p3:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')} AND medium = {p4:String}) / 1000000 / has_1 AS leaf_1
            FROM (
                SELECT anchor_id, time, assumeNotNull(sentiment) AS scored, 'social' AS medium FROM social_facts
                WHERE workspace = {workspace:String} AND anchor_id != 0 AND isNotNull(sentiment) AND direction = 'inbound'
                UNION ALL
                SELECT anchor_id, time, assumeNotNull(sentiment) AS scored, 'support' AS medium FROM support_facts
                WHERE workspace = {workspace:String} AND anchor_id != 0 AND isNotNull(sentiment) AND direction = 'inbound'
                UNION ALL
                SELECT anchor_id, time, assumeNotNull(sentiment) AS scored, 'feedback' AS medium FROM feedback_facts
                WHERE workspace = {workspace:String} AND anchor_id != 0 AND isNotNull(sentiment)
            )
            GROUP BY profile_id
        )
    )
    GROUP BY profile_id
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) OR bitTest(mask, 1)))
-- now = 2025-06-01 12:00:00.000
-- p1 = 2025-03-03 12:00:00.000
-- p3 = 2025-05-25 12:00:00.000
-- p4 = social
-- p5 = -0.3
-- workspace = main
