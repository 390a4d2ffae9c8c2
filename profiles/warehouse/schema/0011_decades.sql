-- Sightings are partitioned by decade instead of by quarter.
--
-- Event dates come from clients. A source with random dates from 1900 on wrote
-- 504 partitions with each flush, more than the engine takes in one insert, and
-- identity stood still for everybody; decades are at most a dozen. An expiry then
-- deletes rows within a partition instead of whole partitions; it is rare.
--
-- Several migrations may run at once, or one again after a crash: each has a table
-- of its own name, copies into it before the exchange and again after it, and the
-- rows merge in any order and any number.

CREATE TABLE identifiers_{{nonce}} {{onCluster}}
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
ENGINE = {{everywhere "MergeTree" "identifiers_decades"}}
PARTITION BY intDiv(period, 40)
ORDER BY (workspace, identifier_id, source, period)
SETTINGS index_granularity = 1024
COMMENT 'Sightings of identifiers by source and quarter: a row when new, earlier or on a later day; take least and greatest. Written by: identity.';
INSERT INTO identifiers_{{nonce}} SELECT * FROM identifiers SETTINGS max_partitions_per_insert_block = 0;
EXCHANGE TABLES identifiers AND identifiers_{{nonce}} {{onCluster}};
INSERT INTO identifiers SELECT * FROM identifiers_{{nonce}} SETTINGS max_partitions_per_insert_block = 0;
DROP TABLE identifiers_{{nonce}} {{onCluster}} SYNC;

CREATE TABLE identity_evidence_{{nonce}} {{onCluster}}
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
ENGINE = {{everywhere "AggregatingMergeTree" "identity_evidence_decades"}}
PARTITION BY intDiv(period, 40)
ORDER BY (workspace, low_id, high_id, source, period, rule)
SETTINGS index_granularity = 1024
COMMENT 'Pairs of identifiers seen together, by source and quarter. Written by: identity.';
INSERT INTO identity_evidence_{{nonce}} SELECT * FROM identity_evidence SETTINGS max_partitions_per_insert_block = 0;
EXCHANGE TABLES identity_evidence AND identity_evidence_{{nonce}} {{onCluster}};
INSERT INTO identity_evidence SELECT * FROM identity_evidence_{{nonce}} SETTINGS max_partitions_per_insert_block = 0;
DROP TABLE identity_evidence_{{nonce}} {{onCluster}} SYNC;
