-- The identity ledger and its published reading. All of it is written by the
-- identity role, and in a cluster every node holds all of it: dictionaries read
-- it locally.
--
-- Rows are appended or merge without order, so that a retried insert and a
-- replaced owner that wakes up change nothing: no reader needs FINAL.

-- identifiers: read by key, and whole at a rebuild (in key order, by fixed-width
-- columns). Partition by quarter: an expiry touches only old partitions; people
-- are in few quarters, so a look-up reads few granules of 1024.
CREATE TABLE IF NOT EXISTS identifiers {{onCluster}}
(
    workspace      LowCardinality(String)  COMMENT 'Workspace',
    identifier_id  UInt64                  COMMENT 'Keyed hash of (namespace, value)',
    source         LowCardinality(String)  COMMENT 'Source of the sightings',
    period         Int32                   COMMENT 'Quarter of the sightings: year times 4 plus 0 to 3',
    namespace      LowCardinality(String)  COMMENT 'Namespace, such as email',
    value          String                  COMMENT 'Personal. Normalised value' CODEC(ZSTD(1)),
    first_event    DateTime64(3, 'UTC')    COMMENT 'Least event time',
    first_received DateTime64(3, 'UTC')    COMMENT 'Least received time',
    last_event     Date32                  COMMENT 'Last day of event time',
    last_received  Date32                  COMMENT 'Last day of received time'
)
ENGINE = {{everywhere "MergeTree" "identifiers"}}
PARTITION BY period
ORDER BY (workspace, identifier_id, source, period)
SETTINGS index_granularity = 1024
COMMENT 'Sightings of identifiers by source and quarter: a row when new, earlier or on a later day; take least and greatest. Written by: identity.';

-- identity_evidence: read by pair, and whole at a rebuild. Aggregating: equal
-- keys keep the least first and the greatest last times, in any order, and one
-- of the witnesses, time and message id from the same row; readers take min and
-- max as well. Partition by quarter, as above.
CREATE TABLE IF NOT EXISTS identity_evidence {{onCluster}}
(
    workspace          LowCardinality(String)                         COMMENT 'Workspace',
    low_id             UInt64                                         COMMENT 'Lesser key of the pair',
    high_id            UInt64                                         COMMENT 'Greater key of the pair',
    low_namespace      SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'Namespace of low_id',
    high_namespace     SimpleAggregateFunction(any, LowCardinality(String)) COMMENT 'Namespace of high_id',
    source             LowCardinality(String)                         COMMENT 'Source of the sightings',
    period             Int32                                          COMMENT 'Quarter of the sightings: year times 4 plus 0 to 3',
    rule               LowCardinality(String)                         COMMENT 'Ingest rule that made the pair: event, alias, …',
    first_event        SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Least event time',
    first_received     SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Least received time',
    last_event         SimpleAggregateFunction(max, Date32)           COMMENT 'Last day of event time',
    last_received      SimpleAggregateFunction(max, Date32)           COMMENT 'Last day of received time',
    witness_time       SimpleAggregateFunction(any, DateTime64(3, 'UTC')) COMMENT 'Event time of the witness',
    witness_message_id SimpleAggregateFunction(any, String)           COMMENT 'Message id of one event that shows the pair'
)
ENGINE = {{everywhere "AggregatingMergeTree" "identity_evidence"}}
PARTITION BY period
ORDER BY (workspace, low_id, high_id, source, period, rule)
SETTINGS index_granularity = 1024
COMMENT 'Pairs of identifiers seen together, by source and quarter. Written by: identity.';

-- anchors and anchor_members: a function of the set, so a row written twice is
-- the same row. Read by key; the granules of anchor_members are smaller because
-- a profile's timeline starts with several look-ups here.
CREATE TABLE IF NOT EXISTS anchors {{onCluster}}
(
    workspace LowCardinality(String)  COMMENT 'Workspace',
    anchor_id UInt64                  COMMENT 'Anchor of a set of two or more identifiers',
    members   Array(UInt64)           COMMENT 'Keys of its identifiers'
)
ENGINE = {{everywhere "ReplacingMergeTree" "anchors"}}
ORDER BY (workspace, anchor_id)
SETTINGS index_granularity = 1024
COMMENT 'Members of each distinct set; a row written twice is the same row. Written by: identity.';

CREATE TABLE IF NOT EXISTS anchor_members {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    identifier_id UInt64                  COMMENT 'Key of a member',
    anchor_id     UInt64                  COMMENT 'Anchor of a set that it belongs to'
)
ENGINE = {{everywhere "ReplacingMergeTree" "anchor_members"}}
ORDER BY (workspace, identifier_id, anchor_id)
SETTINGS index_granularity = 512
COMMENT 'The sets of each identifier; a row written twice is the same row. Written by: identity.';

-- anchor_owner and identifier_profile: the two hops. Plain append, never a
-- replacing engine: a late row of a replaced owner would take the place of the
-- last good one, and its cut would then hide both. Readers take the counted row
-- of highest (epoch, sequence) per key; identity_counted says what counts. The
-- sort key is that of the dictionaries' source, which so needs no memory.
CREATE TABLE IF NOT EXISTS anchor_owner {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    anchor_id   UInt64                  COMMENT 'Anchor: a set, or a single identifier that needs a row (household value, past tenures)',
    epoch       UInt64                  COMMENT 'Epoch of the owner that wrote the row',
    sequence    UInt64                  COMMENT 'Sequence within the epoch',
    owner_id    UInt64                  COMMENT 'Deciding identifier; 0 for none',
    previous_id UInt64                  COMMENT 'Deciding identifier before; 0 when the set is new',
    has_tenures Bool DEFAULT false      COMMENT 'The deciding identifier has past tenures: identifier_tenures decides by event time'
)
ENGINE = {{everywhere "MergeTree" "anchor_owner"}}
ORDER BY (workspace, anchor_id, epoch, sequence)
SETTINGS index_granularity = 1024
COMMENT 'First hop of the reading: set to deciding identifier, appended, highest counted (epoch, sequence) stands. Written by: identity.';

-- by_profile is the way back, from a profile to its identifiers. One look-up in
-- 1 M rows of three identifiers to a profile (BenchmarkReverse):
--
--   none                    1 000 001 rows, 21 B a row
--   projection (chosen)         1 025 rows, 32 B a row
--   projection of offsets       3 073 rows, 28 B a row
--   bloom filter                9 217 rows, 22 B a row
--   second table                1 025 rows, 32 B a row
--
-- The second table costs as much and can differ from the first after a crash
-- between two inserts; a projection is part of the same part.
CREATE TABLE IF NOT EXISTS identifier_profile {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    identifier_id UInt64                  COMMENT 'Key of the identifier',
    epoch         UInt64                  COMMENT 'Epoch of the owner that wrote the row',
    sequence      UInt64                  COMMENT 'Sequence within the epoch',
    profile_id    UInt64                  COMMENT 'Profile of the identifier',
    previous_id   UInt64                  COMMENT 'Profile before; its own key when it had no row',
    PROJECTION by_profile (SELECT workspace, profile_id, identifier_id ORDER BY workspace, profile_id)
)
ENGINE = {{everywhere "MergeTree" "identifier_profile"}}
ORDER BY (workspace, identifier_id, epoch, sequence)
SETTINGS index_granularity = 1024
COMMENT 'Second hop of the reading: identifier to profile where it differs, or differed, from its own key; appended, highest counted (epoch, sequence) stands. Written by: identity.';

-- identifier_tenures: all past tenures of an identifier in one row, so that a
-- reader never sees half of them.
CREATE TABLE IF NOT EXISTS identifier_tenures {{onCluster}}
(
    workspace     LowCardinality(String)        COMMENT 'Workspace',
    identifier_id UInt64                        COMMENT 'Key of a moving identifier, such as a phone',
    epoch         UInt64                        COMMENT 'Epoch of the owner that wrote the row',
    sequence      UInt64                        COMMENT 'Sequence within the epoch',
    untils        Array(DateTime64(3, 'UTC'))   COMMENT 'End of each past tenure, ascending: the start of the next one',
    owners        Array(UInt64)                 COMMENT 'Identifier that owned each past tenure'
)
ENGINE = {{everywhere "MergeTree" "identifier_tenures"}}
ORDER BY (workspace, identifier_id, epoch, sequence)
SETTINGS index_granularity = 1024
COMMENT 'Past tenures of moving identifiers, all of them in one row; highest counted (epoch, sequence) stands. Written by: identity.';

-- record_links: a function of its key, the last scoring replaces.
CREATE TABLE IF NOT EXISTS record_links {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    record_a      UInt64                  COMMENT 'Lesser key of the record pair',
    record_b      UInt64                  COMMENT 'Greater key of the record pair',
    model_version LowCardinality(String)  COMMENT 'Frozen model that scored the pair',
    weight        Int64                   COMMENT 'Score as a whole number',
    scored_at     DateTime64(3, 'UTC')    COMMENT 'When it was scored'
)
ENGINE = {{everywhere "ReplacingMergeTree(scored_at)" "record_links"}}
ORDER BY (workspace, record_a, record_b, model_version)
COMMENT 'Scored pairs of records, a function of two records and a model. Written by: identity.';

-- identity_decisions and identity_rules: few rows, read whole; a retry is
-- ignored by its token.
CREATE TABLE IF NOT EXISTS identity_decisions {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    kind        LowCardinality(String)  COMMENT 'block, reject, cannot_link, must_link, trust, model, expiry or erasure',
    a           UInt64                  COMMENT 'First subject, the lesser key of a pair',
    b           UInt64                  COMMENT 'Second subject; 0 for none',
    decided_at  DateTime64(3, 'UTC')    COMMENT 'When it was decided',
    decision_id String                  COMMENT 'Id of the decision; orders those of one time',
    is_on       Bool                    COMMENT 'Whether the decision holds or is revoked',
    value       String                  COMMENT 'Value of a decision that is not on or off',
    actor       String                  COMMENT 'Personal. Who decided',
    reason      String                  COMMENT 'Personal. Why'
)
ENGINE = {{everywhere "MergeTree" "identity_decisions"}}
ORDER BY (workspace, kind, a, b, decided_at, decision_id)
SETTINGS {{dedupWindow}}
COMMENT 'Decisions of operators, appended; the greatest (decided_at, decision_id) per subject stands. Written by: identity.';

CREATE TABLE IF NOT EXISTS identity_rules {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    version     UInt64                  COMMENT 'Version of the rules',
    rules       String                  COMMENT 'The rules as JSON: ranks, limits, fan-outs, caps, blocked values, trust',
    declared_at DateTime64(3, 'UTC')    COMMENT 'When they were declared',
    actor       String                  COMMENT 'Personal. Who declared them'
)
ENGINE = {{everywhere "MergeTree" "identity_rules"}}
ORDER BY (workspace, version)
SETTINGS {{dedupWindow}}
COMMENT 'Versions of the declared rules. Written by: identity.';

-- identity_changes: read in order from a position on, by the publisher of
-- notices, and by time. A retry is ignored by its token, so that no notice is
-- made of a row twice.
CREATE TABLE IF NOT EXISTS identity_changes {{onCluster}}
(
    workspace    LowCardinality(String)  COMMENT 'Workspace',
    epoch        UInt64                  COMMENT 'Epoch of the owner that wrote the row',
    sequence     UInt64                  COMMENT 'Sequence within the epoch; (epoch, sequence) is the id of the notice',
    subject_kind LowCardinality(String)  COMMENT 'identifier, set or tenures',
    subject_id   UInt64                  COMMENT 'Key of the identifier or anchor of the set',
    changed_at   DateTime64(3, 'UTC')    COMMENT 'When it changed',
    old_id       UInt64                  COMMENT 'Before: profile of the identifier, deciding identifier of the set',
    new_id       UInt64                  COMMENT 'After',
    cause        LowCardinality(String)  COMMENT 'What caused it: evidence, decision, rules, …'
)
ENGINE = {{everywhere "MergeTree" "identity_changes"}}
PARTITION BY toYYYYMM(changed_at)
ORDER BY (workspace, epoch, sequence)
SETTINGS {{dedupWindow}}
COMMENT 'History of the reading and source of the notices. Written by: identity.';

-- identity_epochs: a row per owner. Appended; a row written twice says the same.
CREATE TABLE IF NOT EXISTS identity_epochs {{onCluster}}
(
    workspace          LowCardinality(String)  COMMENT 'Workspace',
    epoch              UInt64                  COMMENT 'Epoch that starts',
    started_at         DateTime64(3, 'UTC')    COMMENT 'When it started',
    previous_epoch     UInt64                  COMMENT 'Epoch before it; 0 for none',
    last_sequence_seen UInt64                  COMMENT 'Last published sequence of previous_epoch that counts; rows past it do not'
)
ENGINE = {{everywhere "MergeTree" "identity_epochs"}}
ORDER BY (workspace, epoch)
COMMENT 'Owners of the ledger one after the other, and the cut that each made. Written by: identity.';

-- identity_versions: a row per flush would be read by every query for ever;
-- aggregating by the greatest sequence per epoch keeps it at a handful. What a
-- replaced owner publishes late lands in its own epoch, and the cut of its
-- successor is applied by identity_counted.
CREATE TABLE IF NOT EXISTS identity_versions {{onCluster}}
(
    workspace    LowCardinality(String)                               COMMENT 'Workspace',
    epoch        UInt64                                               COMMENT 'Epoch of the owner',
    sequence     SimpleAggregateFunction(max, UInt64)                 COMMENT 'Last sequence of the last flush that is published',
    published_at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))   COMMENT 'When that flush was published'
)
ENGINE = {{everywhere "AggregatingMergeTree" "identity_versions"}}
ORDER BY (workspace, epoch)
COMMENT 'The published version: written last in a flush; rows of the reading past it are not counted. Take max(sequence) per epoch. Written by: identity.';
