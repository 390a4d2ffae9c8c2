-- profile_lookup: what an API asks for most, one value under one key. It takes the place of
-- profile_views, which was a merge tree; rows of both can be lost, and are made again. Three
-- designs, measured on a million rows of 1.3 KB, in processor time of the engine a query:
--
--   1. A merge tree by key, as it was: 4.4 ms for one row, 6.9 for eight, 12.5 for 32. To
--      plan the read of a range costs more than the rows, and each row unpacks a granule in
--      each part. And scores were a second query, of the table they are sorted in.
--   2. Rows in the memory of each API process, fed by a topic: no query, and a copy of
--      everything in every process.
--   3. RocksDB in the engine (chosen): 1.2, 1.4 and 1.6 ms, ten names under each key or one.
--      Scores and groups are copied into it as they are inserted, so that one query has all.
--
-- What stands under a key is what was written last: of several projectors only the one that
-- owns the notes writes, because each of its inserts ends, by the engine's clock, before
-- another can own them (package views). On a cluster, and where the engine has no RocksDB,
-- the table is a merge tree, and the greatest stamp stands.
DROP TABLE IF EXISTS {{local "profile_views"}} {{onCluster}} SYNC;
DROP TABLE IF EXISTS profile_views {{onCluster}} SYNC;
CREATE TABLE IF NOT EXISTS {{local "profile_lookup"}} {{onCluster}}
(
    key         String                  COMMENT 'workspace/id/name',
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    profile_id  UInt64                  COMMENT 'Profile, or identifier; 0 for how far the changes of identity are worked on',
    name        LowCardinality(String)  COMMENT 'What it is: view, alias (of an identifier), group, or score: and the name of the score',
    form        UInt64                  COMMENT 'Hash of the encoding and of the rules that a view was made by: one of another form is not read',
    stamp       UInt128                 COMMENT 'Version of the reading that a view was read at: its epoch times 2 to the power of 64, and its last sequence; of scores and groups, milliseconds',
    computed_at DateTime64(3, 'UTC')    COMMENT 'When it was made',
    body        String                  COMMENT 'Personal. What the checks of a read need, and the encoded view without its scores; the profile of an alias; the fields of a score, separated by zero bytes'
)
ENGINE = {{lookupEngine "profile_lookup"}}
COMMENT 'Views, scores and groups of profiles by key, derived and checked at each read; filled by the two views lookup_scores and lookup_groups, too. Written by: worker.';
{{distributed "profile_lookup" "profile_id"}}

CREATE MATERIALIZED VIEW IF NOT EXISTS lookup_scores {{onCluster}} TO {{local "profile_lookup"}}
AS SELECT concat(workspace, '/', toString(profile_id), '/score:', score) AS key, workspace, profile_id, concat('score:', score) AS name,
    toUInt64(0) AS form, toUInt128(toUnixTimestamp64Milli(computed_at)) AS stamp, computed_at,
    concat(model_version, '\0', toString(toUnixTimestamp64Milli(as_of)), '\0', toString(value), '\0', toString(lower), '\0', toString(upper), '\0', detail) AS body
FROM {{local "scores"}}
WHERE profile_id != 0
COMMENT 'Copies new scores to profile_lookup. Written by: nobody, a view.';

-- Which scores there are: to look for them by name, one has to know.
CREATE TABLE IF NOT EXISTS score_names {{onCluster}}
(
    workspace LowCardinality(String)  COMMENT 'Workspace',
    score     LowCardinality(String)  COMMENT 'Name of a score that somebody had'
)
ENGINE = {{everywhere "ReplacingMergeTree" "score_names"}}
ORDER BY (workspace, score)
COMMENT 'Names of the scores that were ever computed, filled by the view lookup_names. Written by: worker.';
CREATE MATERIALIZED VIEW IF NOT EXISTS lookup_names {{onCluster}} TO score_names
AS SELECT DISTINCT workspace, score FROM {{local "scores"}} WHERE profile_id != 0
COMMENT 'Copies the names of new scores to score_names. Written by: nobody, a view.';

CREATE MATERIALIZED VIEW IF NOT EXISTS lookup_groups {{onCluster}} TO profile_lookup
AS SELECT concat(workspace, '/', toString(profile_id), '/group') AS key, workspace, profile_id, 'group' AS name,
    toUInt64(0) AS form, toUInt128(toUnixTimestamp64Milli(time)) AS stamp, time AS computed_at,
    concat(model_version, '\0', toString(toUnixTimestamp64Milli(time)), '\0', toString(recency), '\0', toString(frequency), '\0', toString(money), '\0',
        toJSONString(map('stage', toString(stage), 'persona', toString(persona), 'name', toString(persona_name)))) AS body
FROM profile_groups
WHERE profile_id != 0
COMMENT 'Copies new groups to profile_lookup. Written by: nobody, a view.';

-- What was there before.
INSERT INTO score_names (workspace, score) SELECT DISTINCT workspace, score FROM scores WHERE profile_id != 0;

INSERT INTO profile_lookup (key, workspace, profile_id, name, form, stamp, computed_at, body)
SELECT concat(s.workspace, '/', toString(s.profile_id), '/score:', s.score), s.workspace, s.profile_id, concat('score:', s.score),
    0, toUInt128(toUnixTimestamp64Milli(max(s.computed_at))), max(s.computed_at),
    argMax(concat(s.model_version, '\0', toString(toUnixTimestamp64Milli(s.as_of)), '\0', toString(s.value), '\0', toString(s.lower), '\0', toString(s.upper), '\0', s.detail), s.computed_at)
FROM scores AS s
WHERE s.profile_id != 0
GROUP BY s.workspace, s.profile_id, s.score;

INSERT INTO profile_lookup (key, workspace, profile_id, name, form, stamp, computed_at, body)
SELECT concat(g.workspace, '/', toString(g.profile_id), '/group'), g.workspace, g.profile_id, 'group',
    0, toUInt128(toUnixTimestamp64Milli(max(g.time))), max(g.time),
    argMax(concat(g.model_version, '\0', toString(toUnixTimestamp64Milli(g.time)), '\0', toString(g.recency), '\0', toString(g.frequency), '\0', toString(g.money), '\0',
        toJSONString(map('stage', toString(g.stage), 'persona', toString(g.persona), 'name', toString(g.persona_name)))), g.time)
FROM profile_groups AS g
WHERE g.profile_id != 0
GROUP BY g.workspace, g.profile_id;
