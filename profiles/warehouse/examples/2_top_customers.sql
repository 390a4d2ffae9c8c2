-- The ten best customers: one row per person, whatever identifiers they used.
-- Guest orders have profile 0 and are not one customer.
SELECT
    lower(leftPad(hex(profile_id), 16, '0')) AS id,
    countIf(type = 'order') AS orders,
    sum(amount) AS revenue,
    minIf(time, type = 'order') AS first_order,
    maxIf(time, type = 'order') AS last_order
FROM transactions
WHERE workspace = 'main' AND profile_id != 0 AND type IN ('order', 'refund')
GROUP BY profile_id
ORDER BY revenue DESC, id
LIMIT 10
