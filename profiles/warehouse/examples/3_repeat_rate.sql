-- Repeat rate: of the customers of each first month, how many bought on another
-- day within 90 days. Months that are not 90 days old at the last order of the
-- data are left out: their customers have not had the time.
WITH
    (SELECT max(time) FROM transactions WHERE workspace = 'main' AND type = 'order') AS end_of_data,
    customers AS
    (
        SELECT profile_id, min(toDate(time)) AS first_day, groupUniqArray(toDate(time)) AS days
        FROM transactions
        WHERE workspace = 'main' AND type = 'order' AND profile_id != 0
        GROUP BY profile_id
    )
SELECT
    toStartOfMonth(first_day) AS month,
    count() AS customers,
    countIf(arrayExists(d -> d > first_day AND d <= first_day + 90, days)) AS repeaters,
    round(repeaters / customers, 3) AS repeat_rate
FROM customers
GROUP BY month
HAVING toLastDayOfMonth(month) + 90 <= toDate(end_of_data)
ORDER BY month
