-- Scored pairs of records, made ready to be written: nothing was before.
--
-- The last scoring replaces, and of two of one time the one of greater weight:
-- ReplacingMergeTree by scored_at alone kept whichever of the two came last, so
-- that a merge could take the standing score away. `standing` orders both at once.
--
-- The model stands before the records in the key: an owner loads the pairs of one
-- model in the order of the key (all of them, so nothing smaller than the default
-- granules would help it), and an explanation looks pairs up by all four columns.
-- Not partitioned: models are few and a new one is rare, but an insert into many
-- partitions would be many parts.
--
-- Contributions are typed arrays and not JSON: 10 M pairs of ten contributions
-- are averages and histograms in SQL without parsing, levels and fields are
-- positions in a dictionary, and there is no place for a value of a record.

CREATE TABLE record_links_{{nonce}} {{onCluster}}
(
    workspace              LowCardinality(String)          COMMENT 'Workspace',
    model_version          LowCardinality(String)          COMMENT 'Frozen model that scored the pair',
    record_a               UInt64                          COMMENT 'Lesser key of the record pair',
    record_b               UInt64                          COMMENT 'Greater key of the record pair',
    weight                 Int32                           COMMENT 'Log2 odds of a match in hundredths of a bit; below the review threshold the pair is taken back',
    scored_at              DateTime64(3, 'UTC')            COMMENT 'When it was scored',
    `contributions.field`  Array(LowCardinality(String))   COMMENT 'What the weight is made of: fields of the records, and what the model assumes beforehand',
    `contributions.level`  Array(LowCardinality(String))   COMMENT 'How the two records compare in each field, in words of the model',
    `contributions.weight` Array(Int32)                    COMMENT 'What each field says for or against a match, in hundredths of a bit',
    standing               UInt128 MATERIALIZED bitOr(bitShiftLeft(toUInt128(toUInt64(toUnixTimestamp64Milli(scored_at) + 9000000000000)), 64), toUInt128(toInt64(weight) + 2147483648)) COMMENT 'Order of the scores of one pair: (scored_at, weight)'
)
ENGINE = {{everywhere "ReplacingMergeTree(standing)" "record_links_standing"}}
ORDER BY (workspace, model_version, record_a, record_b)
COMMENT 'Scored pairs of records, by model; of several rows of one pair the greatest (scored_at, weight) stands. Written by: identity.';
INSERT INTO record_links_{{nonce}} (workspace, model_version, record_a, record_b, weight, scored_at)
    SELECT workspace, model_version, record_a, record_b, weight, scored_at FROM record_links;
EXCHANGE TABLES record_links AND record_links_{{nonce}} {{onCluster}};
INSERT INTO record_links (workspace, model_version, record_a, record_b, weight, scored_at)
    SELECT workspace, model_version, record_a, record_b, weight, scored_at FROM record_links_{{nonce}};
DROP TABLE record_links_{{nonce}} {{onCluster}} SYNC;
