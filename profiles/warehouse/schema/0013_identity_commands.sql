-- What operators asked of identity, and what became of it.

-- identity_commands: an outcome is read by its id, and the undos of a workspace
-- whole; commands are rare, so nothing else needs an order. A row is appended
-- when its version is published, and counts like a row of the reading, up to the
-- cut of (epoch, sequence): what a replaced owner still says does not. Of
-- several rows of one id the greatest (epoch, sequence) stands; a retry is
-- ignored by its token. Not partitioned: a workspace has thousands, not millions.
CREATE TABLE IF NOT EXISTS identity_commands {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    command_id  String                  COMMENT 'Id of the command, given by who asked',
    kind        LowCardinality(String)  COMMENT 'unmerge, link, block, unblock, undo or rules',
    target      String                  COMMENT 'Id of the command that an undo undoes',
    received_at DateTime64(3, 'UTC')    COMMENT 'When the broker appended the command',
    code        LowCardinality(String)  COMMENT 'What it broke; empty when it was applied',
    detail      String                  COMMENT 'What it broke, in words without values',
    decisions   UInt64                  COMMENT 'Decisions that it made',
    pairs       UInt64                  COMMENT 'Pairs that it rejected',
    moved       UInt64                  COMMENT 'Identifiers whose profile it changed',
    epoch       UInt64                  COMMENT 'Epoch of the published version that shows the effect',
    sequence    UInt64                  COMMENT 'Sequence of the published version that shows the effect',
    actor       String                  COMMENT 'Personal. Who asked',
    reason      String                  COMMENT 'Personal. Why'
)
ENGINE = {{everywhere "MergeTree" "identity_commands"}}
ORDER BY (workspace, command_id)
SETTINGS {{dedupWindow}}
COMMENT 'Outcomes of the commands of operators, appended; the greatest counted (epoch, sequence) per command stands. Written by: identity.';

-- A version of the rules names the command that declared it, so that an owner
-- that finds the one and no outcome of the other finishes what was begun.
ALTER TABLE identity_rules {{onCluster}} ADD COLUMN IF NOT EXISTS command_id String COMMENT 'Command that declared them; empty for none';
