SELECT score, latest, countIf(is_member), countIf(NOT is_member)
FROM (
    SELECT profile_id, score, argMax(value, (computed_at, scored_id = profile_id, scored_id)) AS latest
    FROM (
        SELECT IdentifierProfile(scores.profile_id) AS profile_id, profile_id AS scored_id, toString(score) AS score, value, computed_at,
            maxIf(computed_at, profile_id = 0) OVER (PARTITION BY score) AS standing_since
        FROM scores
        WHERE workspace = {workspace:String}
    )
    WHERE scored_id != 0 AND computed_at >= standing_since
    GROUP BY profile_id, score
) AS scored
INNER JOIN looked_at USING (profile_id)
WHERE isFinite(latest)
GROUP BY score, latest
-- workspace = main
