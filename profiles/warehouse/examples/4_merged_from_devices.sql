-- Profiles merged from several devices or browsers, and what joined them.
SELECT
    lower(leftPad(hex(profile_id), 16, '0')) AS id,
    countIf(namespace IN ('device', 'anonymous_id')) AS devices_and_browsers,
    arraySort(groupUniqArray(namespace)) AS namespaces,
    anyIf(value_masked, namespace = 'email') AS email_masked,
    min(first_seen) AS first_seen
FROM identifiers_masked
WHERE workspace = 'main'
GROUP BY profile_id
HAVING devices_and_browsers > 1
ORDER BY devices_and_browsers DESC, id
LIMIT 20
