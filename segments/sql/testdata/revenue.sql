SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(leaf_0 >= {p2:Float64} AND leaf_0 < {p3:Float64}), 0)
            + bitShiftLeft(toUInt64(NOT (leaf_1 = {p4:Float64})), 1) AS mask
    FROM (
        SELECT profile_id,
            toFloat64(sumIf(amount, 1 AND currency = {p1:String})) AS leaf_0,
            countIf(type = 'refund') AS leaf_1
        FROM (
            SELECT profile_id, type, min(time) AS placed, argMax(standing, moment) AS stands, argMax(amount, moment) AS amount, argMax(currency, moment) AS currency
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
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) AND NOT bitTest(mask, 1)))
-- p1 = GBP
-- p2 = 100
-- p3 = 500
-- p4 = 0
-- workspace = main
