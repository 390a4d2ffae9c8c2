-- Visits to the zones of the stores, folded from tag readings and cameras: how
-- many, by how many people, how long, and which share was followed by an order
-- of the same person within seven days, wherever it was placed.
WITH orders AS
(
    SELECT profile_id, arraySort(groupArray(time)) AS times
    FROM transactions
    WHERE workspace = 'main' AND type = 'order' AND profile_id != 0
    GROUP BY profile_id
)
SELECT
    zone,
    count() AS visits,
    uniqExact(v.profile_id) AS visitors,
    round(quantileExact(0.5)(dwell_seconds)) AS median_seconds,
    round(countIf(arrayExists(t -> t >= entered AND t < entered + INTERVAL 7 DAY, o.times)) / visits, 3) AS followed_by_order
FROM visits AS v
LEFT JOIN orders AS o ON v.profile_id = o.profile_id
WHERE v.workspace = 'main'
GROUP BY zone
ORDER BY visits DESC, zone
