SELECT profile_id
FROM (
    SELECT profile_id, groupBitOr(mask) AS mask
    FROM (
        SELECT profile_id,
                bitShiftLeft(toUInt64(NOT (toFloat64OrDefault(leaf_0, nan) < {p4:Float64})), 0)
                + bitShiftLeft(toUInt64((startsWith(leaf_1, '"') AND position(JSONExtractString(leaf_1), {p7:String}) > 0 OR startsWith(leaf_1, '[') AND arrayExists(x -> startsWith(x, '"') AND JSONExtractString(x) = {p7:String}, JSONExtractArrayRaw(leaf_1)))), 1) AS mask
        FROM (
            SELECT *,
                toString(leaf_0_0) AS leaf_0,
                if(empty(leaf_1_2), '', '[' || arrayStringConcat(arrayMap(v -> v.1, arraySlice(arraySort(v -> (-v.2, v.1), arrayZip(leaf_1_2, leaf_1_4)), 1, {p6:Int64})), ',') || ']') AS leaf_1
            FROM (
                SELECT EventProfile(anchor_id, time) AS profile_id,
                    countIf((time <= fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC') AND name = {p2:String} AND (ifNull(JSONExtract(properties, 'amount', 'Nullable(Float64)') > {p3:Float64}, false))) AS when0) AS leaf_0_0,
                    toUnixTimestamp64Milli(maxIf(time, when0)) AS leaf_0_1,
                    countIf((time <= fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC') AND name = {p5:String}) AS when1) AS leaf_1_0,
                    toUnixTimestamp64Milli(maxIf(time, when1)) AS leaf_1_1,
                    sumMapIf([if(when1, JSONExtractRaw(properties, 'size'), '')], [toUInt64(1)], if(when1, JSONExtractRaw(properties, 'size'), '') NOT IN ('', 'null')).1 AS leaf_1_2,
                    sumMapIf([if(when1, JSONExtractRaw(properties, 'size'), '')], [toUInt64(1)], if(when1, JSONExtractRaw(properties, 'size'), '') NOT IN ('', 'null')).2 AS leaf_1_3,
                    maxMapIf([if(when1, JSONExtractRaw(properties, 'size'), '')], [toUnixTimestamp64Milli(time)], if(when1, JSONExtractRaw(properties, 'size'), '') NOT IN ('', 'null')).2 AS leaf_1_4
                FROM events
                WHERE workspace = {workspace:String} AND anchor_id != 0 AND name IN ({p2:String}, {p5:String})
                GROUP BY profile_id
            )
        )
        UNION ALL
        SELECT AnchorProfile(identifier_id) AS profile_id, toUInt64(0) AS mask
        FROM identifiers
        WHERE workspace = {workspace:String}
        GROUP BY profile_id
        HAVING if(profile_id = 0, 0, count() > 0)
    )
    GROUP BY profile_id
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (NOT bitTest(mask, 0) OR bitTest(mask, 1)))
-- now_ms = 1748779200000
-- p2 = View
-- p3 = 0.5
-- p4 = 2
-- p5 = Buy
-- p6 = 2
-- p7 = x
-- workspace = main
