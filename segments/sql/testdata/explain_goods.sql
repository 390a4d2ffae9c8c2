SELECT kind, id, max(label), countIf(is_member) AS of_members, countIf(NOT is_member)
FROM (
    SELECT DISTINCT profile_id, is_member, good.1 AS kind, good.2 AS id, good.3 AS label
    FROM (
        SELECT profile_id, is_member, arrayJoin(arrayConcat([('product', line.1, line.2)], arrayMap(k -> ('category', k, ''), arrayDistinct(arrayPushBack(kept.category, line.3))))) AS good
        FROM (
            SELECT profile_id, is_member, arrayJoin(goods) AS line, line.1 AS product
            FROM (
                SELECT profile_id, min(time) AS placed, argMax(standing, moment) AS stands, argMax(lines, moment) AS goods
                FROM (
                    SELECT EventProfile(anchor_id, time) AS profile_id, if(type = 'order' AND order_id != '', reinterpretAsUInt128(sipHash128(source, order_id)), message_hash) AS transaction, lower(status) NOT IN ('cancelled', 'canceled', 'voided', 'failed') AS standing, time, bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash) AS moment,
                        arrayZip(items.product_id, items.name, arrayMap(k -> toString(k), items.category)) AS lines
                    FROM transaction_facts
                    WHERE workspace = {workspace:String} AND anchor_id != 0 AND type = 'order'
                )
                GROUP BY profile_id, transaction
            ) AS orders
            INNER JOIN looked_at USING (profile_id)
            WHERE stands AND placed > {p1:DateTime64(3, 'UTC')} AND placed <= {now:DateTime64(3, 'UTC')}
        ) AS bought
        LEFT JOIN (SELECT item_id, category FROM catalogue WHERE workspace = {workspace:String} AND type = 'product') AS kept ON kept.item_id = bought.product
    )
    WHERE id != ''
)
GROUP BY kind, id
HAVING of_members >= 10
ORDER BY of_members DESC, kind, id
LIMIT 1000
-- now = 2025-06-01 12:00:00.000
-- p1 = 2025-03-03 12:00:00.000
-- workspace = main
