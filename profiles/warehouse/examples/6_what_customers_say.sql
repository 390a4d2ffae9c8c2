-- What customers say, per month and where: how much of it is in a language that
-- is scored, how glad it is, and which share is plainly negative.
SELECT
    toStartOfMonth(time) AS month,
    place,
    count() AS said,
    countIf(sentiment IS NOT NULL) AS scored,
    round(avg(sentiment), 2) AS mean_sentiment,
    round(countIf(sentiment < -0.5) / nullIf(scored, 0), 3) AS negative
FROM
(
    SELECT time, network AS place, sentiment FROM social_interactions WHERE workspace = 'main' AND direction = 'inbound'
    UNION ALL
    SELECT time, channel, sentiment FROM support_contacts WHERE workspace = 'main' AND direction = 'inbound' AND text_length > 0
    UNION ALL
    SELECT time, instrument, sentiment FROM feedback WHERE workspace = 'main' AND comment_length > 0
)
GROUP BY month, place
ORDER BY month, place
