-- Revenue per month: orders, refunds and what remains, by currency.
SELECT
    toStartOfMonth(time) AS month,
    currency,
    countIf(type = 'order') AS orders,
    sumIf(amount, type = 'order') AS ordered,
    sumIf(amount, type = 'refund') AS refunded,
    ordered + refunded AS net
FROM transactions
WHERE workspace = 'main' AND type IN ('order', 'refund')
GROUP BY month, currency
ORDER BY month, currency
