SELECT profile_id
FROM (
    SELECT profile_id, groupBitOr(mask) AS mask
    FROM (
        SELECT profile_id,
                bitShiftLeft(toUInt64(profiles >= {p1:Float64}), 0) AS mask
        FROM (
            SELECT profile_id, count() OVER (PARTITION BY household_id) AS profiles
            FROM households
            WHERE workspace = {workspace:String}
        )
        UNION ALL
        SELECT profile_id,
                bitShiftLeft(toUInt64(leaf_1 >= {p5:Float64}), 1) AS mask
        FROM (
            SELECT arrayJoin(members) AS profile_id,
                countIf(1 AND has({p2:Array(String)}, account_id) AND (startsWith(trait_1_0, '"') AND JSONExtractString(trait_1_0) = {p4:String})) AS leaf_1
            FROM (
                SELECT account_id,
                    groupUniqArrayIf(EventProfile(anchor_id, time), anchor_id != 0) AS members,
                    argMaxIf(JSONExtractRaw(traits, {p3:String}), bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), JSONHas(traits, {p3:String})) AS trait_1_0
                FROM account_facts
                WHERE workspace = {workspace:String}
                GROUP BY account_id
            )
            GROUP BY profile_id
        )
    )
    GROUP BY profile_id
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) AND bitTest(mask, 1)))
-- p1 = 2
-- p2 = ['acme','globex']
-- p3 = plan
-- p4 = gold
-- p5 = 1
-- workspace = main
