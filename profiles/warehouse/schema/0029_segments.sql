-- Segments: what they are, who is in them, and who was.
--
-- segment_definitions: every revision of every segment. ORDER BY (workspace,
-- segment, revision): one is read by its name, all are hundreds of rows.
CREATE TABLE IF NOT EXISTS segment_definitions {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    segment     LowCardinality(String)  COMMENT 'Name of the segment in paths',
    revision    UInt64                  COMMENT 'Revision of this state; the latest one of a segment stands',
    changed_at  DateTime64(3, 'UTC')    COMMENT 'When the change was asked for',
    actor       LowCardinality(String)  COMMENT 'Name of the API key that asked for it',
    archived    Bool                    COMMENT 'Whether the segment ended with this revision',
    description String                  COMMENT 'What it is for, in words of its author' CODEC(ZSTD(1)),
    definition  String                  COMMENT 'Personal. The tree as JSON, which may name values of people' CODEC(ZSTD(1))
)
ENGINE = {{everywhere "MergeTree" "segment_definitions"}}
ORDER BY (workspace, segment, revision)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'One row per change of a segment. Written by: worker.';

-- segment_changes: who came into a segment and who left it. Two designs.
--
--   1. A table of members beside the changes: who is in a segment is a plain read.
--      But two tables are never written at once, so that after a crash one of them
--      is wrong, and a member who left is a row to be deleted or outvoted.
--   2. The changes alone (chosen): a member is whose last change entered. Who is in
--      a segment is one range of the key, grouped in its order; who was in it on a
--      date is the same range with a condition on the time.
--
-- The changes of a workspace are numbered in blocks without a gap, and a block is
-- inserted once under the token (workspace, number): of two workers that make block
-- n, the store keeps the block of one, whole. Each block is the difference between an
-- evaluation and all blocks before it, so whoever lost reads again. One row of
-- numbers for all segments, because an evaluation of a hundred of them then stores
-- what it has found by one insert.
--
-- ORDER BY the profile before the block, for the reads above. The projections are for
-- the segments of some profiles, and for what came behind a block. Not partitioned: a
-- segment's members must be read over all of time.
CREATE TABLE IF NOT EXISTS segment_changes {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    segment    LowCardinality(String)  COMMENT 'Name of the segment',
    profile_id UInt64                  COMMENT 'Profile that entered or left',
    block      UInt64                  COMMENT 'Number of the block of changes in the workspace, from 1 without a gap',
    entered    Bool                    COMMENT 'true: it entered; false: it left',
    time       DateTime64(3, 'UTC')    COMMENT 'As of when: the now of the evaluation that found it',
    cause      LowCardinality(String)  COMMENT 'definition: the segment has changed; profile: it is part of another profile now; data: what is known of it, or the time, has changed',
    revision   UInt64                  COMMENT 'Revision of the definition that was evaluated',
    leaves     UInt64                  COMMENT 'Leaves of the definition that hold then: bit n for the n-th from the left',
    turned     Array(LowCardinality(String)) COMMENT 'Leaves that the change came by, as JSON pointers into the definition',
    writer     UInt64                  COMMENT 'Random number of the insert, by which a worker knows its own block',
    PROJECTION by_profile (SELECT workspace, profile_id, segment, block, entered, time, revision, leaves ORDER BY workspace, profile_id),
    PROJECTION by_block (SELECT workspace, block, segment, profile_id, entered, time, cause, revision, turned, writer ORDER BY workspace, block)
)
ENGINE = {{everywhere "MergeTree" "segment_changes"}}
ORDER BY (workspace, segment, profile_id, block)
SETTINGS index_granularity = 1024, {{dedupWindow}}
COMMENT 'One row per entering or leaving of a segment, kept for ever. Written by: worker.';

CREATE OR REPLACE VIEW segment_memberships {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    segment    LowCardinality(String)  COMMENT 'Name of the segment',
    profile_id UInt64                  COMMENT 'Profile that is in the segment',
    since      DateTime64(3, 'UTC')    COMMENT 'When it entered'
)
{{asDefiner}}
AS
SELECT workspace, segment, profile_id, argMax(time, block) AS since
FROM {{database}}.segment_changes
GROUP BY workspace, segment, profile_id
HAVING argMax(entered, block)
COMMENT 'Who is in which segment now. Written by: nobody, a view.';

-- segment_states: how each segment fares; the newest row stands. A row is written
-- when something of it changes, and every few minutes.
CREATE TABLE IF NOT EXISTS segment_states {{onCluster}}
(
    workspace    LowCardinality(String)  COMMENT 'Workspace',
    segment      LowCardinality(String)  COMMENT 'Name of the segment',
    evaluated_at DateTime64(3, 'UTC')    COMMENT 'When it was tried last',
    good_at      DateTime64(3, 'UTC')    COMMENT 'When it was evaluated last with success: the membership is of then',
    revision     UInt64                  COMMENT 'Revision of the definition that the members are of',
    members      UInt64                  COMMENT 'Members after it',
    error        String                  COMMENT 'Why it could not be evaluated; empty when it could'
)
ENGINE = {{everywhere "ReplacingMergeTree(evaluated_at)" "segment_states"}}
ORDER BY (workspace, segment)
COMMENT 'How the last evaluation of each segment went; of several rows the latest stands. Written by: worker.';

CREATE TABLE IF NOT EXISTS segment_told {{onCluster}}
(
    workspace LowCardinality(String)  COMMENT 'Workspace',
    reader    LowCardinality(String)  COMMENT 'Who is told: the topic kindred.segments',
    block     UInt64                  COMMENT 'Blocks of segment_changes up to this one are told'
)
ENGINE = {{everywhere "ReplacingMergeTree(block)" "segment_told"}}
ORDER BY (workspace, reader)
COMMENT 'How far others know of changes of segments; of several rows the greatest block stands. Written by: worker.';
