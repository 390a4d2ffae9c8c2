-- Class flips whose sets are being decided again, so that a crash resumes them.

-- Start and end are two rows of one flip, both appended: a start counts always,
-- because deciding a set again is harmless, and an end counts like a row of the
-- reading, up to the cut of (done_epoch, done_sequence), because an end whose
-- flush counts nowhere ended nothing. An owner reads the table once, at its
-- start, by workspace; flips are rare, so it stays small.
CREATE TABLE IF NOT EXISTS identity_flips {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    identifier_id UInt64                  COMMENT 'Identifier that became or ceased to be blocked, generic or gone',
    epoch         UInt64                  COMMENT 'Epoch of the owner that saw the flip',
    number        UInt64                  COMMENT 'Number of the flip within the epoch',
    done_epoch    UInt64                  COMMENT 'Epoch in which all its sets were decided again; 0 in the row of the start',
    done_sequence UInt64                  COMMENT 'Last sequence of the flush that ended it',
    changed_at    DateTime64(3, 'UTC')    COMMENT 'When it started or ended'
)
ENGINE = {{everywhere "MergeTree" "identity_flips"}}
ORDER BY (workspace, identifier_id, epoch, number, done_epoch)
COMMENT 'Identifiers whose sets are decided again: a row when it starts and one when it ends. Written by: identity.';
