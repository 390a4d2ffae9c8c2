-- Who may speak with the API, and what people did there.

-- api_keys: every state of every managed key.
--
-- Like the other tables of definitions: appended under the revision of the
-- command, the latest of a key stands. All of it is read at once, by every API
-- process after every change, and is thousands of rows at most.
--
-- A secret is 256 random bits, so that its plain hash tells nothing of it; SQL
-- users do not read it all the same.
CREATE TABLE IF NOT EXISTS {{local "api_keys"}} {{onCluster}}
(
    workspace      LowCardinality(String)  COMMENT 'Workspace that the key is bound to',
    key_id         String                  COMMENT 'Id of the key: 16 hexadecimal digits, no part of the secret',
    revision       UInt64                  COMMENT 'Revision of this state; the latest one of a key stands',
    changed_at     DateTime64(3, 'UTC')    COMMENT 'When the change was asked for',
    actor          LowCardinality(String)  COMMENT 'Name of the API key that asked for it',
    change         LowCardinality(String)  COMMENT 'create, rotate or revoke',
    name           String                  COMMENT 'Name of the key; of the live ones of a workspace no two have one name',
    role           LowCardinality(String)  COMMENT 'write, read, marketer or admin',
    source         LowCardinality(String)  COMMENT 'Source of the events that are sent with it; empty for that of the name',
    person         Bool                    COMMENT 'Whether a person holds it, whose reads of personal data go on record',
    rate           Float64                 COMMENT 'Requests a second that it may send to one process; 0 for the default of the installation',
    burst          UInt32                  COMMENT 'Requests that it may send at once; 0 for those of a second',
    created_at     DateTime64(3, 'UTC')    COMMENT 'When it was made',
    expires_at     DateTime64(3, 'UTC')    COMMENT 'When it expires; 1970-01-01 for never',
    revoked        Bool                    COMMENT 'Whether it was revoked with this revision',
    hash           String                  COMMENT 'Secret. SHA-256 of the secret, 64 hexadecimal digits',
    previous_hash  String                  COMMENT 'Secret. The same of the secret before the last rotation; empty for none',
    previous_until DateTime64(3, 'UTC')    COMMENT 'Until when that one holds'
)
ENGINE = {{engine "MergeTree" "api_keys"}}
ORDER BY (workspace, key_id, revision)
SETTINGS {{dedupWindow}}
COMMENT 'Managed API keys, appended; the latest revision of each stands. Written by: worker.';
{{distributed "api_keys" "revision"}}

-- audit_log: who read what of whom, and who changed what.
--
-- ORDER BY the time, because the questions are about a time: newest first, by a
-- person, a key, a route. A change has two rows of one time and id: one before it
-- is made, and one with its outcome, which stands; they lie side by side, so that
-- LIMIT 1 BY folds them. The index finds the entries about a person, who is in few
-- of them. Partitioned by month, so that old entries can be dropped.
CREATE TABLE IF NOT EXISTS {{local "audit_log"}} {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    time       DateTime64(3, 'UTC')    COMMENT 'When the request came',
    entry_id   String                  COMMENT 'Id of the entry: 32 hexadecimal digits; two rows of a change have one',
    complete   Bool                    COMMENT 'Whether the row has the outcome; of two rows this one stands',
    request_id String                  COMMENT 'Id of the request, as in the answer and the log',
    key_id     LowCardinality(String)  COMMENT 'Id of the API key; of one of KINDRED_API_KEYS its name',
    key_name   LowCardinality(String)  COMMENT 'Name of the API key',
    role       LowCardinality(String)  COMMENT 'Role of the API key',
    actor      String                  COMMENT 'Personal. Who used the key, as the request claimed' CODEC(ZSTD(1)),
    action     LowCardinality(String)  COMMENT 'read (of personal data, by a person) or change',
    method     LowCardinality(String)  COMMENT 'HTTP method',
    route      LowCardinality(String)  COMMENT 'Pattern of the route, which holds no values',
    resource   String                  COMMENT 'What else the path names: a plan, a dead letter, an API key, a command; empty for nothing' CODEC(ZSTD(1)),
    subjects   Array(UInt64)           COMMENT 'Keys of the identifiers, or ids of the profiles, by which the request named persons' CODEC(ZSTD(1)),
    status     UInt16                  COMMENT 'Status of the answer; 0 where the outcome is not on record',
    INDEX by_subject subjects TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {{engine "MergeTree" "audit_log"}}
PARTITION BY toYYYYMM(time)
ORDER BY (workspace, time, entry_id, complete)
SETTINGS index_granularity = 1024, {{dedupWindow}}
COMMENT 'What people read of persons, and everything that was changed; no values. Written by: api.';
{{distributed "audit_log" "sipHash64(entry_id)"}}
