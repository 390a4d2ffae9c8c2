-- account_facts: what group events say of accounts, and with whom.
--
-- Read by account: its members, and what was said of it last. So the account comes
-- first in ORDER BY, where the other facts have the anchor; the way back, from a
-- profile to its accounts, is in its own group events, which its timeline reads
-- anyway. Partitioned and deduplicated like events, with the same token. An
-- account is named a few times for each member, so granules of 1024 rows do.
CREATE TABLE IF NOT EXISTS {{local "account_facts"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    account_id    String                  COMMENT 'Id of the account, the groupId of the event' CODEC(ZSTD(1)),
    anchor_id     UInt64                  COMMENT 'Anchor of the event: who belongs to the account; 0 when it names nobody',
    time          DateTime64(3, 'UTC')    COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    message_hash  UInt128                 COMMENT 'Deduplication key of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source        LowCardinality(String)  COMMENT 'Source of the event',
    traits        String                  COMMENT 'Personal. Traits of the account that the event states, a JSON object; empty for none' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "account_facts"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, account_id, time, message_hash)
SETTINGS index_granularity = 1024, {{dedupWindow}}
COMMENT 'Accounts as group events name them, with the anchor of who belongs to them. Written by: ingest.';
{{distributed "account_facts" "cityHash64(account_id)"}}

-- Group events of before. A migration that breaks off here is run again from its
-- beginning, so only what is not there yet is copied.
INSERT INTO account_facts (workspace, account_id, anchor_id, time, message_hash, received_time, source, traits)
SELECT workspace, JSONExtract(properties, 'groupId', 'String') AS account, anchor_id, time, message_hash, received_time, source,
    if(JSONType(properties, 'traits') = 'Object', JSONExtractRaw(properties, 'traits'), '')
FROM events
WHERE type = 'group' AND JSONType(properties, 'groupId') NOT IN ('Null', 'Object', 'Array', 'Bool') AND account != '' AND length(account) <= 500
    AND message_hash NOT IN (SELECT message_hash FROM account_facts);

CREATE OR REPLACE VIEW account_members {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    account_id String                  COMMENT 'Id of the account',
    profile_id UInt64                  COMMENT 'Profile in the current reading that belongs to it',
    first_seen DateTime64(3, 'UTC')    COMMENT 'First group event that names both',
    last_seen  DateTime64(3, 'UTC')    COMMENT 'Last group event that names both',
    events     UInt64                  COMMENT 'Group events that name both'
)
SQL SECURITY INVOKER
AS
SELECT workspace, account_id, {{eventProfile "anchor_id" "time"}} AS profile_id, min(time) AS first_seen, max(time) AS last_seen, count() AS events
FROM {{database}}.account_facts
WHERE anchor_id != 0
GROUP BY workspace, account_id, profile_id
HAVING profile_id != 0
COMMENT 'The profiles of each account. Written by: nobody, a view.';
