SELECT profile_id
FROM (
    SELECT profile_id,
            bitShiftLeft(toUInt64(leaf_0 >= {p6:Float64}), 0)
            + bitShiftLeft(toUInt64(leaf_1 >= {p8:Float64}), 1)
            + bitShiftLeft(toUInt64((arrayMap(x -> arrayMax(arrayPushBack(arrayMap((f, s) -> if(f.3, f.1 - s, toInt64(0)), x, arrayFill(s -> s != 0, arrayMap((f, b) -> if(f.3 AND NOT b, f.1, toInt64(0)), x, arraySlice(arrayPushFront(arrayMap(f -> f.3, x), toUInt8(0)), 1, length(x))))), toInt64(0))), [leaf_2])[1]) / 60000 >= {p10:Float64}), 2)
            + bitShiftLeft(toUInt64(leaf_3 >= {p8:Float64}), 3) AS mask
    FROM (
        SELECT EventProfile(anchor_id, time) AS profile_id,
            countIf(time > {p1:DateTime64(3, 'UTC')} AND time <= {now:DateTime64(3, 'UTC')} AND 2 * 6371.0088 * asin(least(1, sqrt(pow(sin(radians(lat - {p3:Float64}) / 2), 2) + cos(radians(lat)) * cos(radians({p3:Float64})) * pow(sin(radians(lon - {p4:Float64}) / 2), 2)))) <= {p5:Float64}) AS leaf_0,
            countIf(1 AND pointInPolygon((lon, lat), {p7:Array(Tuple(Float64, Float64))})) AS leaf_1,
            arraySort(groupArrayIf((toUnixTimestamp64Milli(time), message_hash, toUInt8(h3_5 = {p9:UInt64})), 1)) AS leaf_2,
            countIf(1 AND geoToH3(lat, lon, toUInt8(8)) = {p11:UInt64}) AS leaf_3
        FROM location_facts
        WHERE workspace = {workspace:String} AND anchor_id != 0
        GROUP BY profile_id
    )
)
WHERE if(profile_id = 0, 0, profile_id NOT IN (SELECT transform(toUInt64(identifier_id), ((SELECT recent FROM reading) AS _recent).3, _recent.4, dictGetOrDefault('reading_profiles', 'profile_id', toUInt64(identifier_id), toUInt64(identifier_id))) FROM restricted_identifiers WHERE workspace = {workspace:String}) AND (bitTest(mask, 0) AND NOT bitTest(mask, 1) AND bitTest(mask, 2) AND bitTest(mask, 3)))
-- now = 2025-06-01 12:00:00.000
-- p1 = 2025-05-02 12:00:00.000
-- p10 = 30
-- p11 = 613495836384428031
-- p3 = 38.72
-- p4 = -9.14
-- p5 = 5
-- p6 = 2
-- p7 = [(-9,38),(-9,39),(-8,38.5)]
-- p8 = 1
-- p9 = 599985036581666815
-- workspace = main
