-- persona_models: what personas there are. A row per fit, about one a day and some ten
-- kilobytes; the newest of a workspace stands. ORDER BY the time, as nobody asks for
-- one by its version. A fit that is repeated after a crash appends an equal model with
-- a later time: nothing to deduplicate.
CREATE TABLE IF NOT EXISTS persona_models {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    computed_at DateTime64(3, 'UTC')    COMMENT 'When it was fitted; the newest stands',
    as_of       DateTime64(3, 'UTC')    COMMENT 'End of the data that it knows',
    version     String                  COMMENT 'Version of the model: a hash of it',
    names       Map(String, String)     COMMENT 'Names of the personas by their ids; empty where none are stable',
    refused     String                  COMMENT 'Why there are no personas; empty where there are',
    model       String                  COMMENT 'The whole model, a JSON object: personas with sizes, descriptions and what tells them apart, how features are scaled, every number of groups that was tried' CODEC(ZSTD(1))
)
ENGINE = {{everywhere "MergeTree" "persona_models"}}
ORDER BY (workspace, computed_at)
SETTINGS index_granularity = 64
COMMENT 'Models of personas, appended; the newest of a workspace stands. Written by: worker.';
