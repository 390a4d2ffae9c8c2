SELECT profile_id
FROM (
    SELECT profile_id, groupBitOr(mask) AS mask
    FROM (
        SELECT profile_id,
                bitShiftLeft(toUInt64(leaf_1 >= {p6:Float64}), 1) AS mask
        FROM (
            SELECT EventProfile(owner) AS profile_id,
                sum(leaf_1_each) AS leaf_1
            FROM (
                SELECT EventOwner(anchor_id, time) AS owner,
                    count() AS leaf_1_each
                FROM events
                    WHERE workspace = {workspace:String} AND anchor_id != 0 AND name = {p3:String} AND time > {p4:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}
                GROUP BY owner
            )
            GROUP BY profile_id
        )
        UNION ALL
        SELECT profile_id,
                bitShiftLeft(toUInt64(leaf_4 >= {p11:Float64}), 4) AS mask
        FROM (
            SELECT profile_id,
                countIf(type = 'order' AND placed > {p10:DateTime64(3, 'UTC')} AND placed <= {now:DateTime64(3, 'UTC')}) AS leaf_4
            FROM (
                SELECT profile_id, type, min(time) AS placed, argMax(standing, moment) AS stands
                FROM (
                    SELECT EventProfile(anchor_id, time) AS profile_id, type, if(type = 'order' AND order_id != '', reinterpretAsUInt128(sipHash128(source, order_id)), message_hash) AS transaction, lower(status) NOT IN ('cancelled', 'canceled', 'voided', 'failed') AS standing, time, bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash) AS moment, currency, amount
                    FROM transaction_facts
                    WHERE workspace = {workspace:String} AND anchor_id != 0 AND type IN ('order', 'refund', 'subscription')
                )
                GROUP BY profile_id, type, transaction
            )
            WHERE stands
            GROUP BY profile_id
        )
        UNION ALL
        SELECT profile_id,
                bitShiftLeft(toUInt64(startsWith(leaf_0, '"') AND has({p2:Array(String)}, JSONExtractString(leaf_0))), 0) AS mask
        FROM (
            SELECT EventProfile(anchor_id, time) AS profile_id,
                argMaxIf(value, bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), trait = {p1:String}) AS leaf_0
            FROM trait_observations
            WHERE workspace = {workspace:String} AND anchor_id != 0 AND trait IN ({p1:String})
            GROUP BY profile_id
        )
        UNION ALL
        SELECT profile_id,
                bitShiftLeft(toUInt64(leaf_3 > 0), 3) AS mask
        FROM (
            SELECT AnchorProfile(identifier_id) AS profile_id,
                countIf(namespace = {p9:String}) AS leaf_3
            FROM identifiers
            WHERE workspace = {workspace:String} AND namespace IN ({p9:String})
            GROUP BY profile_id
        )
        UNION ALL
        SELECT profile_id,
                bitShiftLeft(toUInt64(has_2 AND leaf_2 >= {p8:Float64}), 2) AS mask
        FROM (
            SELECT profile_id,
                argMaxIf(value, (computed_at, scored_id = profile_id, scored_id), score = {p7:String}) AS leaf_2,
                countIf(score = {p7:String}) > 0 AS has_2
            FROM (
                SELECT IdentifierProfile(scores.profile_id) AS profile_id, profile_id AS scored_id, score, value, lower, upper, computed_at,
                    maxIf(computed_at, profile_id = 0) OVER (PARTITION BY score) AS standing_since
                FROM scores
                WHERE workspace = {workspace:String} AND score IN ({p7:String})
            )
            WHERE scored_id != 0 AND computed_at >= standing_since
            GROUP BY profile_id
        )
    )
    GROUP BY profile_id
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) AND bitTest(mask, 1) AND (bitTest(mask, 2) OR bitTest(mask, 3)) AND NOT bitTest(mask, 4)))
-- now = 2025-06-01 12:00:00.000
-- p1 = country
-- p10 = 2025-05-25 12:00:00.000
-- p11 = 1
-- p2 = ['PT','BR']
-- p3 = Order Completed
-- p4 = 2025-05-02 12:00:00.000
-- p6 = 2
-- p7 = churn
-- p8 = 0.7
-- p9 = email
-- workspace = main
