-- destination_syncs: orders to compare all members with what a destination was told.
-- What was carried out of them stands with the place of the destination. A handful of
-- rows, read by the destination.
CREATE TABLE IF NOT EXISTS destination_syncs {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    destination LowCardinality(String)  COMMENT 'Name of the destination',
    revision    UInt64                  COMMENT 'Revision of the order; only the latest counts',
    asked_at    DateTime64(3, 'UTC')    COMMENT 'When it was given',
    actor       LowCardinality(String)  COMMENT 'Name of the API key that gave it',
    everybody   Bool                    COMMENT 'Whether all members are told again, and not only those of whom something else was told'
)
ENGINE = {{everywhere "MergeTree" "destination_syncs"}}
ORDER BY (workspace, destination, revision)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'Orders to compare all members of segments with what destinations were told. Written by: worker.';
