-- profile_groups: what kind of customer each profile is. Two designs.
--
--   1. A row per profile and refresh, as scores has them: what stands is the newest
--      run. A refresh every ten minutes would write all profiles 144 times a day, of
--      which hardly any has changed.
--   2. A row per change (chosen): the newest row of a profile stands, and one without
--      a stage says that it is none any more. What was on a date, and who went from
--      one stage to another, is the same range of the key with a condition on the time.
--
-- ORDER BY the profile, for the view of one; the newest of all is one scan in the order
-- of the key. A refresh that changed something ends with a row of profile 0, by which
-- readers see that there is news. Not partitioned: the state of a profile may be of any
-- time. Every node of a cluster holds all rows: each query of a segment may ask them.
CREATE TABLE IF NOT EXISTS profile_groups {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    profile_id    UInt64                  COMMENT 'Profile as it was then; 0 ends a refresh',
    time          DateTime64(3, 'UTC')    COMMENT 'Since when, by the refresh that found it',
    stage         LowCardinality(String)  COMMENT 'Lifecycle stage: anonymous, lead, new, active, loyal, at_risk, lapsed or won_back; empty where the profile is none any more',
    persona       LowCardinality(String)  COMMENT 'Id of the persona, as persona_models has it; empty for none',
    persona_name  LowCardinality(String)  COMMENT 'What it is called',
    recency       UInt8                   COMMENT 'Quintile by the last purchase, 5 is the latest; 0 for who never bought',
    frequency     UInt8                   COMMENT 'Quintile by the days with purchases, 5 is the most; 0 for who never bought',
    money         UInt8                   COMMENT 'Quintile by what was spent, 5 is the most; 0 for who never bought',
    model_version LowCardinality(String)  COMMENT 'Version of the model that the persona is of'
)
ENGINE = {{everywhere "MergeTree" "profile_groups"}}
ORDER BY (workspace, profile_id, time)
SETTINGS index_granularity = 1024
COMMENT 'Persona, lifecycle stage and RFM quintiles of each profile, a row per change; the newest stands. Written by: worker.';
