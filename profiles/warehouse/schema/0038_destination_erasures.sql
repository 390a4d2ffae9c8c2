-- destination_erasures: which destinations are to be told that somebody was erased, and
-- what became of it. It is written before the rows go that say who was told what, and
-- holds keyed hashes only, so that it can stay as the record of it. The greatest version
-- stands: 1 is what is asked for, which a repeated look writes again without effect.
CREATE TABLE IF NOT EXISTS destination_erasures {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    destination LowCardinality(String)  COMMENT 'Name of the destination',
    erasure_id  String                  COMMENT 'The erasure; late and a change for one that was applied while the message of that was on its way',
    profile_id  UInt64                  COMMENT 'Profile that the receiver was told of',
    version     UInt64                  COMMENT 'Of several rows the greatest stands',
    time        DateTime64(3, 'UTC')    COMMENT 'When the row was written',
    erased_at   DateTime64(3, 'UTC')    COMMENT 'When the person was erased',
    state       LowCardinality(String)  COMMENT 'asked: the receiver is to be told; delivered; failed: it would not take it; obsolete: it was told of the profile again since; by_hand: it knows people by an address or number, which is gone, and somebody is to tell it',
    reason      LowCardinality(String)  COMMENT 'Why it failed, as of letters',
    status      UInt16                  COMMENT 'Status that the receiver answered last; 0 for none'
)
ENGINE = {{everywhere "ReplacingMergeTree(version)" "destination_erasures"}}
ORDER BY (workspace, destination, erasure_id, profile_id)
SETTINGS index_granularity = 256
COMMENT 'Which destinations were told that somebody was erased. Written by: worker.';
