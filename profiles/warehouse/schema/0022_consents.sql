-- consents: what people have agreed to and refused, as they stated it.
--
-- By anchor, like trait_observations, and for the same reason: an unmerge restores them,
-- and a merge brings the statements of both together, of which the latest per purpose,
-- channel and address stands, a refusal of two of one time. The row is the history and,
-- with the message that it names, the proof. Sorted, partitioned and deduplicated like
-- events, with the same token; statements are few, so granules stay small.
--
-- The address is a keyed hash: whose statement stands is decided per address, and no
-- reader of this table needs to see it.
CREATE TABLE IF NOT EXISTS {{local "consents"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    anchor_id     UInt64                  COMMENT 'Anchor of the event that states it',
    purpose       LowCardinality(String)  COMMENT 'What for, such as marketing',
    channel       LowCardinality(String)  COMMENT 'By which way, such as email or sms; empty for all',
    address_id    UInt64                  COMMENT 'Key of the address of the channel that it is about; 0 for all',
    time          DateTime64(3, 'UTC')    COMMENT 'When it was stated' CODEC(Delta, ZSTD(1)),
    message_hash  UInt128                 COMMENT 'Deduplication key of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source        LowCardinality(String)  COMMENT 'Source of the event',
    granted       Bool                    COMMENT 'true for a consent, false for a refusal',
    origin        LowCardinality(String)  COMMENT 'Where in the event it stood: traits, context, event or contact',
    message_id    String                  COMMENT 'Message id of the event, the proof' CODEC(ZSTD(1)),
    proof         String                  COMMENT 'Personal. What the person was shown, in the words of the source' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "consents"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, anchor_id, purpose, channel, address_id, time, message_hash)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'Consents and refusals as stated, by anchor; per purpose, channel and address the latest stands, ties to refusal. Written by: ingest.';
{{distributed "consents" "anchor_id"}}
