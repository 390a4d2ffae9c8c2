-- scores: appended, the latest computed_at per (profile, score) stands. Sorted by
-- profile for the single customer view; a whole run is one scan. Partitioned by
-- the month of computation, so that old runs are dropped whole. A run that is
-- repeated appends equal rows with a later computed_at: nothing to deduplicate.
CREATE TABLE IF NOT EXISTS {{local "scores"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    profile_id    UInt64                  COMMENT 'Profile as it was when scored; resolve it as an identifier to read it today',
    score         LowCardinality(String)  COMMENT 'Name of the score, such as lifetime_value',
    model_version LowCardinality(String)  COMMENT 'Version of the model',
    as_of         DateTime64(3, 'UTC')    COMMENT 'End of the data that the score knows',
    computed_at   DateTime64(3, 'UTC')    COMMENT 'When it was computed',
    value         Float64                 COMMENT 'Probability, or amount in the unit that detail names',
    lower         Float64                 COMMENT 'Lower end of the interval',
    upper         Float64                 COMMENT 'Upper end of the interval',
    detail        String                  COMMENT 'Inputs and unit as a JSON object' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "scores"}}
PARTITION BY toYYYYMM(computed_at)
ORDER BY (workspace, profile_id, score, computed_at)
SETTINGS index_granularity = 1024
COMMENT 'Scores per profile and model version, appended; the latest computed_at stands. Written by: worker.';
{{distributed "scores" "profile_id"}}
