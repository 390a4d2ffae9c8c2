SELECT trait, element, of_members, of_others
FROM (
    SELECT trait, element, match(element, '^[-0-9]') AS is_number, countIf(is_member) AS of_members, countIf(NOT is_member) AS of_others,
        countIf(NOT is_number) OVER (PARTITION BY trait) AS texts, sumIf(of_members + of_others, NOT is_number) OVER (PARTITION BY trait) AS counted
    FROM (
        SELECT DISTINCT profile_id, is_member, trait, arrayJoin(if(startsWith(surviving, '['), JSONExtractArrayRaw(surviving), [surviving])) AS element
        FROM (
            SELECT EventProfile(anchor_id, time) AS profile_id, toString(trait) AS trait, multiIf(trait IN {p1:Array(String)},
                arrayMap(s -> s.4, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p1:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p1:Array(String)}))) + 1))[1],
                trait IN {p2:Array(String)},
                if(empty(arrayFilter((w, v) -> 1, arrayMap((v, i) -> (toInt64(-if(indexOf({p3:Array(String)}, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1)[i].3) = 0, 3, indexOf({p3:Array(String)}, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1)[i].3))), i), arrayMap(s -> s.4, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1)), arrayEnumerate(arrayMap(s -> s.4, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1)))), arrayMap(s -> s.4, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1)))), '', arrayMap(s -> s.4, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1))[arrayMax(arrayFilter((w, v) -> 1, arrayMap((v, i) -> (toInt64(-if(indexOf({p3:Array(String)}, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1)[i].3) = 0, 3, indexOf({p3:Array(String)}, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1)[i].3))), i), arrayMap(s -> s.4, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1)), arrayEnumerate(arrayMap(s -> s.4, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1)))), arrayMap(s -> s.4, arraySlice(arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)})), arrayLastIndex(s -> s.4 = 'null', arraySort(groupArrayIf((time, message_hash, source, value), trait IN {p2:Array(String)}))) + 1)))).2]),
                argMaxIf(value, bitShiftLeft(toInt256(toUnixTimestamp64Milli(time)), 128) + toInt256(message_hash), 1)) AS surviving
            FROM trait_observations
            WHERE workspace = {workspace:String} AND anchor_id != 0 AND trait IN {p4:Array(String)}
            GROUP BY profile_id, trait
        ) AS stated
        INNER JOIN looked_at USING (profile_id)
        WHERE surviving NOT IN ('', 'null')
    )
    GROUP BY trait, element
)
WHERE length(element) <= 100 AND NOT match(element, '^[[{]') AND (is_number OR of_members >= 10 AND texts * 2 <= counted)
-- p1 = ['oldest']
-- p2 = ['source_priority']
-- p3 = ['crm','shop']
-- p4 = ['newest','it\'s','oldest','source_priority']
-- workspace = main
