-- Erasure: what a command took out of the ledger, and what became of the rows.
--
-- Two designs were weighed. A command on kindred.control could read the reading and
-- write what is to go; but evidence that is on its way then comes before or after it
-- by chance, and the graph in memory would learn of it by asking. Chosen is a command
-- on the topic of evidence: the owner of the ledger applies both in one order, knows
-- whom an identifier was seen with, and publishes the erasure like any change. What it
-- writes here is at once the list of work for whoever rewrites the tables, the memory
-- by which data that come again stay out, and the mask of readers until then.

-- identity_erasures: a row per thing that is gone. Keyed hashes only: no value can be
-- read from it, and without the key of the installation no guess can be confirmed.
--
-- ORDER BY the id behind the workspace, granules of 256: a reader asks whether an
-- identifier was erased, and when; ingest reads what is new by a count that costs
-- nothing. A person is some ten rows, so even a million erased ones are one small
-- table. A retry is ignored by its token.
CREATE TABLE IF NOT EXISTS identity_erasures {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    id         UInt64                  COMMENT 'Key of the identifier, anchor of the set, or id of the profile',
    what       LowCardinality(String)  COMMENT 'identifier: erased, and what was received of it until then stays out; shared: of the profile, but seen with others, so it stays; set: its events are the persons own; span: events of an anchor at some time; profile: the id that the person had',
    erased_at  DateTime64(3, 'UTC')    COMMENT 'What was received until then is erased',
    erasure_id String                  COMMENT 'Id of the command',
    since      DateTime64(3, 'UTC')    COMMENT 'Of a span: its first millisecond',
    until      DateTime64(3, 'UTC')    COMMENT 'Of a span: the first millisecond after it'
)
ENGINE = {{everywhere "MergeTree" "identity_erasures"}}
ORDER BY (workspace, id, what, erased_at)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'What erasures took out of the ledger, as keyed hashes; the greatest erased_at per id stands. Written by: identity.';

-- When the evidence that made a set came: a set that is seen again after an erasure has
-- rows of its own, which the erasure leaves.
ALTER TABLE anchors {{onCluster}} ADD COLUMN IF NOT EXISTS first_received DateTime64(3, 'UTC') COMMENT 'When the evidence that made the row was received; 1970 for not known';
ALTER TABLE anchor_members {{onCluster}} ADD COLUMN IF NOT EXISTS first_received DateTime64(3, 'UTC') COMMENT 'When the evidence that made the row was received; 1970 for not known';
ALTER TABLE identity_changes {{onCluster}} COMMENT COLUMN subject_kind 'identifier, set, tenures, household or gone';
ALTER TABLE identity_commands {{onCluster}} COMMENT COLUMN kind 'unmerge, link, separate, block, unblock, undo, rules or erase';

-- erasure_steps: what the rewriting did, appended. Read by the id of the command, by
-- people who wait for it; some twenty rows an erasure, kept as proof.
CREATE TABLE IF NOT EXISTS erasure_steps {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    erasure_id String                  COMMENT 'Id of the command',
    step       LowCardinality(String)  COMMENT 'begun, the name of a table, or done',
    rows       UInt64                  COMMENT 'Rows of the table that spoke of the person before it was rewritten',
    done_at    DateTime64(3, 'UTC')    COMMENT 'When the step ended'
)
ENGINE = {{everywhere "MergeTree" "erasure_steps"}}
ORDER BY (workspace, erasure_id, done_at)
SETTINGS index_granularity = 256
COMMENT 'Progress of erasures: of several rows of one step the first counted the rows that were there. Written by: worker.';

-- erasure_certificates: one row an erasure, the proof that it was done.
CREATE TABLE IF NOT EXISTS erasure_certificates {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    erasure_id  String                  COMMENT 'Id of the command',
    issued_at   DateTime64(3, 'UTC')    COMMENT 'When it was issued',
    certificate String                  COMMENT 'What was erased, a JSON object of counts and times without values' CODEC(ZSTD(1)),
    signature   String                  COMMENT 'Ed25519 signature of the certificate, base64',
    public_key  String                  COMMENT 'Key of the installation that it can be checked with, base64'
)
ENGINE = {{everywhere "MergeTree" "erasure_certificates"}}
ORDER BY (workspace, erasure_id, issued_at)
SETTINGS index_granularity = 256
COMMENT 'Signed certificates of erasures; the first of each counts. Written by: worker.';
