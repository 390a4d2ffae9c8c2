-- What the owner of kindred.control writes (definitions and decisions), what
-- ingest says about tracking plans and replays, and the names of dead letters.
--
-- The owner applies commands in the order of the topic's one partition. The
-- revision of what it writes is the command's offset + 1, so that a command that
-- is applied again after a crash writes the same rows, under the same token, and
-- revisions are a total order. Changes to a definition are appended; the latest
-- revision stands.

-- Letters get a name. Rows from before have a name of their place, which is
-- computed when it is read and never changes.
ALTER TABLE {{local "dead_letters"}} {{onCluster}} ADD COLUMN IF NOT EXISTS letter_id UInt128
    DEFAULT reinterpretAsUInt128(sipHash128(workspace, topic, partition, offset, reason))
    COMMENT 'Name of the letter: equal for a record that comes again, so that it is kept once';
ALTER TABLE {{local "dead_letters"}} {{onCluster}} ADD COLUMN IF NOT EXISTS kind LowCardinality(String)
    DEFAULT replaceOne(topic, 'kindred.', '')
    COMMENT 'Kind of event that the record was meant to be';

-- A letter is looked up by its name alone, and its sort key is the time. The
-- index takes a byte and a half a row and leaves one granule of a hundred.
ALTER TABLE {{local "dead_letters"}} {{onCluster}} ADD INDEX IF NOT EXISTS letter letter_id TYPE bloom_filter(0.01) GRANULARITY 1;

-- The same columns for the table that spreads over the shards; on one server it
-- is the table above.
ALTER TABLE dead_letters {{onCluster}} ADD COLUMN IF NOT EXISTS letter_id UInt128
    DEFAULT reinterpretAsUInt128(sipHash128(workspace, topic, partition, offset, reason))
    COMMENT 'Name of the letter: equal for a record that comes again, so that it is kept once';
ALTER TABLE dead_letters {{onCluster}} ADD COLUMN IF NOT EXISTS kind LowCardinality(String)
    DEFAULT replaceOne(topic, 'kindred.', '')
    COMMENT 'Kind of event that the record was meant to be';

-- control_outcomes: what became of each command.
--
-- ORDER BY the command's id, small granules: whoever sent a command asks for it
-- by id until it is there. No partitions: a few rows an hour, kept for ever as
-- the record of who changed what.
CREATE TABLE IF NOT EXISTS {{local "control_outcomes"}} {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    command_id String                  COMMENT 'Id that the sender gave the command',
    revision   UInt64                  COMMENT 'Offset of the command in kindred.control + 1: the revision of all that it wrote',
    kind       LowCardinality(String)  COMMENT 'Kind of command, such as plan.put or letters.replay',
    subject    String                  COMMENT 'What it is about, such as the name of a plan',
    actor      LowCardinality(String)  COMMENT 'Name of the API key that sent it',
    sent_at    DateTime64(3, 'UTC')    COMMENT 'When the broker appended the command',
    outcome    LowCardinality(String)  COMMENT 'ok, conflict or refused',
    detail     String                  COMMENT 'Why it was refused: the field and the rule, never a value' CODEC(ZSTD(1)),
    result     String                  COMMENT 'Personal. What it did, a JSON object' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "control_outcomes"}}
ORDER BY (workspace, command_id)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'One row per command: who asked for what, and whether it was done. Written by: worker.';
{{distributed "control_outcomes" "revision"}}

-- tracking_plans: every revision of every tracking plan.
--
-- One row holds a whole plan, so that a change of several events in it is one
-- change. ORDER BY (workspace, plan, revision): ingest reads all plans as of a
-- revision, people read one; both are thousands of rows at most.
CREATE TABLE IF NOT EXISTS {{local "tracking_plans"}} {{onCluster}}
(
    workspace            LowCardinality(String)         COMMENT 'Workspace',
    plan                 LowCardinality(String)         COMMENT 'Name of the plan',
    revision             UInt64                         COMMENT 'Revision of this state; the latest one of a plan stands',
    changed_at           DateTime64(3, 'UTC')           COMMENT 'When the change was asked for',
    actor                LowCardinality(String)         COMMENT 'Name of the API key that asked for it',
    archived             Bool                           COMMENT 'Whether the plan ended with this revision',
    sources              Array(String)                  COMMENT 'Sources that it holds for; none means all',
    kinds                Array(String)                  COMMENT 'Kinds of events that it holds for; none means all',
    unplanned_events     LowCardinality(String)         COMMENT 'What happens to events that it does not name: allow, warn or block',
    unplanned_properties LowCardinality(String)         COMMENT 'What happens to properties that a schema does not name: allow, warn or block',
    events Nested
    (
        name    String,
        version String,
        mode    LowCardinality(String)
    ) COMMENT 'The events that it names, with the version of their schema and what happens to those that break it',
    definition           String                         COMMENT 'The whole plan with its JSON Schemas, a JSON object' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "tracking_plans"}}
ORDER BY (workspace, plan, revision)
SETTINGS {{dedupWindow}}
COMMENT 'Tracking plans, appended; the latest revision of each stands. Written by: worker.';
{{distributed "tracking_plans" "revision"}}

-- plan_violations: which events broke which rule.
--
-- ORDER BY (workspace, plan, name, rule): the question is always which rules of
-- a plan are broken how often, and the columns before the time then compress to
-- next to nothing. Partitioned and deduplicated like events, with the same
-- token. Of one event at most twenty rows.
CREATE TABLE IF NOT EXISTS {{local "plan_violations"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    plan          LowCardinality(String)  COMMENT 'Plan whose rule was broken',
    name          LowCardinality(String)  COMMENT 'Name of the event',
    rule          LowCardinality(String)  COMMENT 'Keyword of JSON Schema, unplanned_event, unplanned_property, unknown_version, cost or unchecked',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    revision      UInt64                  COMMENT 'Revision of the plans that the event was held against',
    version       LowCardinality(String)  COMMENT 'Version of the schema in the plan',
    source        LowCardinality(String)  COMMENT 'Source of the event',
    kind          LowCardinality(String)  COMMENT 'Kind of event',
    mode          LowCardinality(String)  COMMENT 'warn when the event was stored, block when it became a dead letter',
    pointer       String                  COMMENT 'Personal. Where in the message, as a JSON pointer: keys come from clients' CODEC(ZSTD(1)),
    detail        String                  COMMENT 'Personal. The rule and the type of the value, never the value: keys come from clients' CODEC(ZSTD(1)),
    message_id    String                  COMMENT 'Message id of the event' CODEC(ZSTD(1)),
    message_hash  UInt128                 COMMENT 'Deduplication key of the event'
)
ENGINE = {{engine "MergeTree" "plan_violations"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, plan, name, rule, received_time, message_hash)
SETTINGS {{dedupWindow}}
COMMENT 'One row per rule of a tracking plan that an event broke. Written by: ingest.';
{{distributed "plan_violations" "toUInt64(message_hash)"}}

-- dead_letter_actions: what people did with dead letters.
--
-- ORDER BY the letter: the history of one letter is one range, and the state of
-- many one pass over few rows. Replays of hundreds of letters are hundreds of
-- rows of one revision.
CREATE TABLE IF NOT EXISTS {{local "dead_letter_actions"}} {{onCluster}}
(
    workspace LowCardinality(String)  COMMENT 'Workspace',
    letter_id UInt128                 COMMENT 'Letter, as in dead_letters',
    revision  UInt64                  COMMENT 'Revision of the action; of a replay also the number of the attempt',
    time      DateTime64(3, 'UTC')    COMMENT 'When the action was asked for',
    action    LowCardinality(String)  COMMENT 'edit, replay, discard or note',
    actor     LowCardinality(String)  COMMENT 'Name of the API key that asked for it',
    reason    String                  COMMENT 'Personal. Why, in the words of who did it' CODEC(ZSTD(1)),
    value     String                  COMMENT 'Personal. The message as edited, or as it was replayed under a new id' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "dead_letter_actions"}}
ORDER BY (workspace, letter_id, revision)
SETTINGS {{dedupWindow}}
COMMENT 'Edits, replays, discards and notes of dead letters, appended. Written by: worker.';
{{distributed "dead_letter_actions" "toUInt64(letter_id)"}}

-- dead_letter_outcomes: what became of each replay.
--
-- Like dead_letter_actions, for the same readers; the token is that of the
-- events of the range that held the replayed record. A replay that was published
-- twice, because the owner of the commands died in between, has two rows.
CREATE TABLE IF NOT EXISTS {{local "dead_letter_outcomes"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    letter_id     UInt128                 COMMENT 'Letter that was replayed',
    attempt       UInt64                  COMMENT 'Revision of the replay in dead_letter_actions',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the replayed record',
    outcome       LowCardinality(String)  COMMENT 'stored, duplicate (an equal message was stored before) or failed',
    reason        LowCardinality(String)  COMMENT 'Code of the reason of a failed replay',
    detail        String                  COMMENT 'Personal. What exactly is wrong' CODEC(ZSTD(1)),
    topic         LowCardinality(String)  COMMENT 'Topic of the replayed record',
    partition     UInt32                  COMMENT 'Partition of the replayed record',
    offset        UInt64                  COMMENT 'Offset of the replayed record'
)
ENGINE = {{engine "MergeTree" "dead_letter_outcomes"}}
ORDER BY (workspace, letter_id, attempt)
SETTINGS {{dedupWindow}}
COMMENT 'Whether a replayed dead letter became an event. Written by: ingest.';
{{distributed "dead_letter_outcomes" "toUInt64(letter_id)"}}

-- A letter is stored once any attempt was, for nothing takes that back.
-- Otherwise the last replay or discard says what it is.
CREATE OR REPLACE VIEW dead_letter_status {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    letter_id     UInt128                 COMMENT 'Name of the letter',
    id            String                  COMMENT 'The same as the API writes it: 32 hexadecimal digits',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record',
    kind          LowCardinality(String)  COMMENT 'Kind of event that the record was meant to be',
    source        LowCardinality(String)  COMMENT 'Source of the message, when it could be read',
    reason        LowCardinality(String)  COMMENT 'Code of the reason, such as id_reused',
    status        LowCardinality(String)  COMMENT 'open, replayed (no outcome yet), stored, failed or discarded',
    attempts      UInt64                  COMMENT 'How often it was replayed',
    last_action   UInt64                  COMMENT 'Revision of the last action; 0 for none',
    last_reason   LowCardinality(String)  COMMENT 'Reason of the last replay that failed'
)
{{asDefiner}}
AS
SELECT d.workspace AS workspace, d.letter_id AS letter_id,
    lower(leftPad(hex(d.letter_id), 32, '0')) AS id, d.received_time AS received_time, d.kind AS kind, d.source AS source, d.reason AS reason,
    multiIf(o.stored > 0, 'stored', a.decided = '', 'open', a.decided = 'discard', 'discarded', o.last_failed >= a.last_replay, 'failed', 'replayed') AS status,
    a.attempts AS attempts, a.last_action AS last_action, o.last_reason AS last_reason
FROM {{database}}.dead_letters AS d
LEFT JOIN
(
    SELECT workspace, letter_id, uniqExactIf(revision, action = 'replay') AS attempts, max(revision) AS last_action,
        maxIf(revision, action = 'replay') AS last_replay, argMaxIf(toString(action), revision, action IN ('replay', 'discard')) AS decided
    FROM {{database}}.dead_letter_actions
    GROUP BY workspace, letter_id
) AS a ON a.workspace = d.workspace AND a.letter_id = d.letter_id
LEFT JOIN
(
    SELECT workspace, letter_id, countIf(outcome != 'failed') AS stored, maxIf(attempt, outcome = 'failed') AS last_failed,
        argMaxIf(toString(reason), attempt, outcome = 'failed') AS last_reason
    FROM {{database}}.dead_letter_outcomes
    GROUP BY workspace, letter_id
) AS o ON o.workspace = d.workspace AND o.letter_id = d.letter_id
COMMENT 'Every dead letter with what became of it, without its bytes. Written by: nobody, a view.';
