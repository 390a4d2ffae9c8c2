-- From web session to order: sessions of each month whose visitor ordered within
-- seven days. Session and order need not share an identifier: they meet in the
-- resolved profile. Sessions of visitors without a profile are counted apart.
WITH
    sessions AS
    (
        SELECT session_id, any(profile_id) AS profile_id, min(time) AS started
        FROM behaviour_events
        WHERE workspace = 'main' AND session_id != ''
        GROUP BY session_id
    ),
    orders AS
    (
        SELECT profile_id, arraySort(groupArray(time)) AS times
        FROM transactions
        WHERE workspace = 'main' AND type = 'order' AND profile_id != 0
        GROUP BY profile_id
    )
SELECT
    toStartOfMonth(started) AS month,
    count() AS sessions,
    countIf(s.profile_id = 0) AS unattributed,
    uniqExactIf(s.profile_id, s.profile_id != 0) AS visitors,
    countIf(arrayExists(t -> t >= started AND t < started + INTERVAL 7 DAY, o.times)) AS followed_by_order,
    round(followed_by_order / sessions, 3) AS share
FROM sessions AS s
LEFT JOIN orders AS o ON s.profile_id = o.profile_id
GROUP BY month
ORDER BY month
