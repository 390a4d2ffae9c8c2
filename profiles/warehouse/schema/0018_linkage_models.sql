-- Models of linkage: what was learnt of how records agree, frozen.
--
-- ORDER BY the version: an owner of scores loads one model by it, people list the
-- few of a workspace. A model is a row of some kilobytes to megabytes, so granules
-- are small. A version is a hash of the model: a row written twice is the same row
-- but for its time, of which the first counts.
--
-- The model itself is sealed with the key of the installation: it holds hashes of
-- the values that several persons share, by which a guess could be confirmed, and
-- which an erasure would not find.
CREATE TABLE IF NOT EXISTS linkage_models {{onCluster}}
(
    workspace        LowCardinality(String)  COMMENT 'Workspace',
    version          String                  COMMENT 'Version of the model, as rules and record_links name it',
    created_at       DateTime64(3, 'UTC')    COMMENT 'When it was learnt',
    records          UInt64                  COMMENT 'Records that it was learnt from',
    candidates       UInt64                  COMMENT 'Pairs of records that were compared',
    expected_matches Float64                 COMMENT 'Pairs of one person that it expects among them',
    card             String                  COMMENT 'The model for people, a JSON object: what each agreement says in bits, expected precision and recall by threshold, how records are put side by side; no values of records' CODEC(ZSTD(1)),
    sealed           String                  COMMENT 'Personal. The whole model, encrypted' CODEC(NONE)
)
ENGINE = {{everywhere "MergeTree" "linkage_models"}}
ORDER BY (workspace, version)
SETTINGS index_granularity = 64
COMMENT 'Models of linkage, appended by the role and by kindred link run. Written by: worker.';
