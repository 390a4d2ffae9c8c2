-- The reading: from anchor to deciding identifier to profile, at one published
-- version per query.
--
-- Two layers. The base is a dictionary per hop, loaded seldom (a fold). The
-- recent layer is a small table with every row since, which a query reads once,
-- as one scalar with keys and values of both hops, and looks up with transform;
-- what it does not find there it asks the base. A publication is one row in
-- identity_versions, and nothing is loaded: a query that starts after it sees
-- the whole flush, one that started before sees none of it, in both hops and
-- in every view, because the scalar is evaluated once per query. A fold first
-- lets every older query end, so that no query sees a base newer than its
-- version, and empties the recent layer only when no query needs it.
--
-- Measured at 10 M rows in each hop (BenchmarkReading), two cores shared with
-- much other work: processor time, per row for both hops of a scan of 10 M.
--
--   mechanism                    scan ns   memory MB   1 000 changes visible after           what breaks
--   layers (chosen)                  107       1 074   one insert: 11 ms                     17 ms per query for nothing, 37 with 20 000 and 63 with 100 000 recent rows
--   flat dictionaries, HASHED        171       1 074   loading all: 40 s (1 M rows: 1.4 s)   a query in between sees half of two flushes
--   the same, HASHED_ARRAY           386         288   loading all: 31 s                     the same, and slower look-ups
--   base and recent dictionary       103           -   loading 100 000 rows: 56 ms (at 1 M)  pays per flush, not per query; two dictionaries are two versions
--   update_field                       -         805   18 s of waiting at one hop            copies the whole dictionary for each update
--   Join engine                      434       1 234   one insert: 5 ms                      no version, no cut: a replaced owner's row stands; not replicated
--   join of the tables (1 M rows)  1 348           -   at once                               groups both tables in every query
--
-- A fold at 10 M rows in each hop takes 13 s of processor time and loads one
-- dictionary beside its old copy; grouping in its source instead of reading in
-- reverse order took 25 s and 130 B a row of memory. A fold starts at 20 000
-- recent rows or a hundredth of the base: at 1 000 changes a second and 20 M
-- rows every 200 s, under a tenth of one core.

-- identity_counted: which rows of the reading count: those of an epoch up to
-- what was published in it, and up to the cut of the owner that replaced it. The
-- cuts are followed from the newest epoch back along previous_epoch, so that the
-- late row of an owner that was itself replaced moves no cut. An epoch that the
-- chain skips counts for nothing.
CREATE OR REPLACE VIEW identity_counted {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    epoch         UInt64                  COMMENT 'Epoch',
    last_sequence UInt64                  COMMENT 'Rows of the epoch count up to this sequence'
)
{{asDefiner}}
AS
SELECT v.workspace AS workspace, v.epoch AS epoch,
    least(v.published, if(v.epoch >= arrayMax(s -> s.1, e.successors), toUInt64(-1),
        arrayFold((c, s) -> if(s.1 = c.1, (s.2, if(s.2 = v.epoch, s.3, c.2)), c),
            arrayReverseSort(e.successors), (arrayMax(s -> s.1, e.successors), toUInt64(0))).2)) AS last_sequence
FROM
(
    SELECT workspace, epoch, max(sequence) AS published
    FROM {{database}}.identity_versions
    GROUP BY workspace, epoch
) AS v
LEFT JOIN
(
    SELECT workspace, groupArray((epoch, previous_epoch, last_sequence_seen)) AS successors
    FROM {{database}}.identity_epochs
    GROUP BY workspace
) AS e ON v.workspace = e.workspace
COMMENT 'Rows of the reading that count, by epoch. Written by: nobody, a view.';

-- reading_recent: the same rows as anchor_owner and identifier_profile, but only
-- those past the base, in the order of their versions, so that a query reads
-- them newest first without sorting or grouping: transform takes the first of
-- equal keys. Filled by materialized views in the insert of the owner itself; a
-- copy that a crash cuts short belongs to a flush that is never published.
CREATE TABLE IF NOT EXISTS reading_recent {{onCluster}}
(
    workspace LowCardinality(String)  COMMENT 'Workspace',
    hop       UInt8                   COMMENT '1: anchor to deciding identifier; 2: identifier to profile',
    id        UInt64                  COMMENT 'Anchor or identifier',
    epoch     UInt64                  COMMENT 'Epoch of the owner that wrote the row',
    sequence  UInt64                  COMMENT 'Sequence within the epoch',
    value     UInt64                  COMMENT 'Deciding identifier, with bit 63 set where tenures decide; or profile'
)
ENGINE = {{everywhere "MergeTree" "reading_recent"}}
ORDER BY (workspace, epoch, sequence)
COMMENT 'Rows of the reading past its base, filled by the two views reading_recent_*, emptied when the base is loaded again. Written by: identity.';

CREATE MATERIALIZED VIEW IF NOT EXISTS reading_recent_owners {{onCluster}} TO reading_recent
AS SELECT workspace, toUInt8(1) AS hop, anchor_id AS id, epoch, sequence, bitOr(owner_id, bitShiftLeft(toUInt64(has_tenures), 63)) AS value
FROM {{database}}.anchor_owner
COMMENT 'Copies new rows of anchor_owner to reading_recent. Written by: nobody, a view.';

CREATE MATERIALIZED VIEW IF NOT EXISTS reading_recent_profiles {{onCluster}} TO reading_recent
AS SELECT workspace, toUInt8(2) AS hop, identifier_id AS id, epoch, sequence, profile_id AS value
FROM {{database}}.identifier_profile
COMMENT 'Copies new rows of identifier_profile to reading_recent. Written by: nobody, a view.';

-- reading_folds: a handful of rows per workspace and epoch; the greatest counts,
-- so several folders at once do no harm.
CREATE TABLE IF NOT EXISTS reading_folds {{onCluster}}
(
    workspace LowCardinality(String)                             COMMENT 'Workspace',
    loaded    Bool                                               COMMENT 'false: the base may be loaded up to here; true: it has been',
    epoch     UInt64                                             COMMENT 'Epoch of the fold',
    sequence  SimpleAggregateFunction(max, UInt64)               COMMENT 'Sequence of the fold',
    folded_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'When it was folded'
)
ENGINE = {{everywhere "AggregatingMergeTree" "reading_folds"}}
ORDER BY (workspace, loaded, epoch)
COMMENT 'How far the base of the reading goes; take the greatest (epoch, sequence). Written by: identity.';

CREATE OR REPLACE VIEW reading_ranges {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    epoch         UInt64                  COMMENT 'Epoch',
    base_sequence UInt64                  COMMENT 'The base may hold the counted rows of the epoch up to this sequence',
    sure_sequence UInt64                  COMMENT 'The base holds them up to this sequence for sure',
    last_sequence UInt64                  COMMENT 'Rows of the epoch count up to this sequence'
)
{{asDefiner}}
AS
SELECT c.workspace AS workspace, c.epoch AS epoch,
    multiIf(c.epoch < tupleElement(b.wanted, 1), c.last_sequence, c.epoch = tupleElement(b.wanted, 1), least(c.last_sequence, tupleElement(b.wanted, 2)), toUInt64(0)) AS base_sequence,
    multiIf(c.epoch < tupleElement(b.sure, 1), c.last_sequence, c.epoch = tupleElement(b.sure, 1), least(c.last_sequence, tupleElement(b.sure, 2)), toUInt64(0)) AS sure_sequence,
    c.last_sequence AS last_sequence
FROM {{database}}.identity_counted AS c
LEFT JOIN
(
    SELECT workspace, max((epoch, sequence)) AS wanted, maxIf((epoch, sequence), loaded) AS sure
    FROM {{database}}.reading_folds
    GROUP BY workspace
) AS b ON c.workspace = b.workspace
COMMENT 'Per epoch, which rows of the reading the base holds and which the recent layer adds. Written by: nobody, a view.';

CREATE OR REPLACE DICTIONARY reading_owners {{onCluster}}
(
    anchor_id UInt64,
    owner_id  UInt64
)
PRIMARY KEY anchor_id
{{dictionarySource "anchor_id, bitOr(owner_id, bitShiftLeft(toUInt64(has_tenures), 63)) AS owner_id" "anchor_owner" "anchor_id"}}
LAYOUT(HASHED())
LIFETIME(0)
COMMENT 'Base of the first hop: anchor to deciding identifier. Written by: nobody, a dictionary.';

CREATE OR REPLACE DICTIONARY reading_profiles {{onCluster}}
(
    identifier_id UInt64,
    profile_id    UInt64
)
PRIMARY KEY identifier_id
{{dictionarySource "identifier_id, profile_id" "identifier_profile" "identifier_id"}}
LAYOUT(HASHED())
LIFETIME(0)
COMMENT 'Base of the second hop: identifier to profile. Written by: nobody, a dictionary.';

CREATE OR REPLACE VIEW reading {{onCluster}}
(
    recent Tuple(Array(UInt64), Array(UInt64), Array(UInt64), Array(UInt64))  COMMENT 'Anchors and their deciding identifiers, identifiers and their profiles, changed since the base and published'
)
{{asDefiner}}
AS
WITH
(
    SELECT (groupArray(sipHash64(workspace, epoch)), groupArray(sure_sequence), groupArray(last_sequence))
    FROM {{database}}.reading_ranges
) AS ranges
SELECT (groupArrayIf(id, hop = 1), groupArrayIf(value, hop = 1), groupArrayIf(id, hop = 2), groupArrayIf(value, hop = 2)) AS recent
FROM
(
    SELECT hop, id, value
    FROM {{database}}.reading_recent
    WHERE sequence > transform(sipHash64(workspace, epoch), ranges.1, ranges.2, toUInt64(-1))
        AND sequence <= transform(sipHash64(workspace, epoch), ranges.1, ranges.3, toUInt64(0))
    ORDER BY epoch DESC, sequence DESC
)
COMMENT 'The published changes of the reading past its base, one row; read it as a scalar, once per query. Written by: nobody, a view.';

CREATE OR REPLACE VIEW anchor_profile {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    anchor_id  UInt64                  COMMENT 'Anchor: a set of identifiers, or one',
    profile_id UInt64                  COMMENT 'Profile of the anchor now; 0 while pending'
)
{{asDefiner}}
AS
SELECT workspace, anchor_id, {{anchorProfile "anchor_id"}} AS profile_id
FROM
(
    SELECT workspace, anchor_id FROM {{database}}.anchors
    UNION DISTINCT
    SELECT workspace, identifier_id AS anchor_id FROM {{database}}.identifiers
)
COMMENT 'The profile of each anchor in the current reading of the ledger. Written by: nobody, a view.';
