SELECT profile_id
FROM (
    SELECT profile_id, groupBitOr(mask) AS mask
    FROM (
        SELECT profile_id,
                bitShiftLeft(toUInt64(leaf_0 >= {p4:Float64}), 0)
                + bitShiftLeft(toUInt64(NOT (leaf_1 = {p6:Float64})), 1) AS mask
        FROM (
            SELECT profile_id,
                countIf(type = 'order' AND has_0 AND placed > {p2:DateTime64(3, 'UTC')} AND placed <= {now:DateTime64(3, 'UTC')}) AS leaf_0,
                countIf(type = 'order' AND has_1) AS leaf_1
            FROM (
                SELECT profile_id, type, min(time) AS placed, argMax(standing, moment) AS stands, argMax(has_0, moment) AS has_0, argMax(has_1, moment) AS has_1
                FROM (
                    SELECT EventProfile(anchor_id, time) AS profile_id, type, if(type = 'order' AND order_id != '', reinterpretAsUInt128(sipHash128(source, order_id)), message_hash) AS transaction, lower(status) NOT IN ('cancelled', 'canceled', 'voided', 'failed') AS standing, time, bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash) AS moment, currency, amount, arrayExists((p, c) -> (c = {p1:String} OR p IN (SELECT item_id FROM catalogue WHERE workspace = {workspace:String} AND type = 'product' AND has(category, {p1:String}))), items.product_id, items.category) AS has_0, arrayExists((p, c) -> p = {p5:String}, items.product_id, items.category) AS has_1
                    FROM transaction_facts
                    WHERE workspace = {workspace:String} AND anchor_id != 0 AND type IN ('order', 'refund', 'subscription')
                )
                GROUP BY profile_id, type, transaction
            )
            WHERE stands
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
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) OR NOT bitTest(mask, 1)))
-- now = 2025-06-01 12:00:00.000
-- p1 = Shoes
-- p2 = 2025-03-03 12:00:00.000
-- p4 = 1
-- p5 = sku-1
-- p6 = 0
-- workspace = main
