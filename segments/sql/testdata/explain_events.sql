SELECT name, countIf(is_member AND last > {p1:DateTime64(3, 'UTC')} AND last <= {now:DateTime64(3, 'UTC')}), countIf(NOT is_member AND last > {p1:DateTime64(3, 'UTC')} AND last <= {now:DateTime64(3, 'UTC')}), countIf(is_member) AS of_members, countIf(NOT is_member)
FROM (
    SELECT EventProfile(anchor_id, time) AS profile_id, toString(name) AS name, max(time) AS last
    FROM events
    WHERE workspace = {workspace:String} AND anchor_id != 0 AND time > {p3:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')}
    GROUP BY profile_id, name
) AS done
INNER JOIN looked_at USING (profile_id)
GROUP BY name
HAVING of_members >= 10
ORDER BY of_members DESC, name
LIMIT 1000
-- now = 2025-06-01 12:00:00.000
-- p1 = 2025-05-02 12:00:00.000
-- p3 = 2025-03-03 12:00:00.000
-- workspace = main
