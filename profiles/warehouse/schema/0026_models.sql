-- Models of propensity: what people ask for, what was learnt, and what became of it.
--
-- Three tables, because three things grow at different rates: decisions of people are
-- tens of rows, versions of models are large rows that are read one at a time, and
-- events are read whole every few seconds to know where each model stands.

-- model_changes: every decision about a model. ORDER BY (workspace, model, revision):
-- all of a workspace are read at once, they are hundreds of rows.
CREATE TABLE IF NOT EXISTS model_changes {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    model       LowCardinality(String)  COMMENT 'Name of the model in paths, and of its score',
    revision    UInt64                  COMMENT 'Revision of this decision; the latest put or archive of a model stands',
    changed_at  DateTime64(3, 'UTC')    COMMENT 'When it was asked for',
    actor       LowCardinality(String)  COMMENT 'Name of the API key that asked for it',
    change      LowCardinality(String)  COMMENT 'put, archive, train or promote',
    definition  String                  COMMENT 'Personal. Of a put: target, horizon, gap, eligible people and schedule as JSON; the segment of who is eligible may name values of people' CODEC(ZSTD(1)),
    version     String                  COMMENT 'Of promote: the version'
)
ENGINE = {{everywhere "MergeTree" "model_changes"}}
ORDER BY (workspace, model, revision)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'Decisions about models of propensity, appended. Written by: worker.';

-- model_versions: what was learnt, frozen. A version is a hash of the model: a row
-- written twice is the same row but for its time. A frozen model has bounds of ranges
-- and weights, and no value of a person; it is tens to hundreds of kilobytes, so
-- granules are small.
CREATE TABLE IF NOT EXISTS model_versions {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    model       LowCardinality(String)  COMMENT 'Name of the model',
    version     String                  COMMENT 'Version, as scores name it',
    created_at  DateTime64(3, 'UTC')    COMMENT 'When it was learnt',
    question    String                  COMMENT 'Hash of what is foretold of whom: versions of one question can be compared',
    card        String                  COMMENT 'The model for people, a JSON object: data, features, measures beside baselines, calibration, limits' CODEC(ZSTD(1)),
    frozen      String                  COMMENT 'The model for programs' CODEC(NONE)
)
ENGINE = {{everywhere "MergeTree" "model_versions"}}
ORDER BY (workspace, model, version)
SETTINGS index_granularity = 64
COMMENT 'Versions of models of propensity, appended. Written by: worker.';

-- model_events: what the worker did. ORDER BY time within the model: the latest of each
-- kind is asked for.
CREATE TABLE IF NOT EXISTS model_events {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    model       LowCardinality(String)  COMMENT 'Name of the model',
    time        DateTime64(3, 'UTC')    COMMENT 'When',
    event       LowCardinality(String)  COMMENT 'trained, refused, stopped, failed, promoted, kept, scored, withdrawn or checked',
    version     String                  COMMENT 'Version that it is about; empty for none',
    revision    UInt64                  COMMENT 'Revision of the decision that it answers; 0 for none',
    question    String                  COMMENT 'Hash of what was foretold of whom',
    detail      String                  COMMENT 'More, as a JSON object without values of people' CODEC(ZSTD(1))
)
ENGINE = {{everywhere "MergeTree" "model_events"}}
ORDER BY (workspace, model, time)
SETTINGS index_granularity = 256
COMMENT 'What became of models of propensity, appended. Written by: worker.';
