-- Destinations: who is told of people that enter and leave segments.
--
-- destinations: every revision of every destination. ORDER BY (workspace,
-- destination, revision): one is read by its name, all are hundreds of rows. What
-- authenticates Kindred to the receiver lies beside the definition, sealed with a key
-- that is made from the id key of the installation and is in no table.
CREATE TABLE IF NOT EXISTS destinations {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    destination LowCardinality(String)  COMMENT 'Name of the destination in paths',
    revision    UInt64                  COMMENT 'Revision of this state; the latest one of a destination stands',
    changed_at  DateTime64(3, 'UTC')    COMMENT 'When the change was asked for',
    actor       LowCardinality(String)  COMMENT 'Name of the API key that asked for it',
    archived    Bool                    COMMENT 'Whether the destination ended with this revision',
    definition  String                  COMMENT 'Secret. Kind, segments, address, headers and fields as JSON; addresses of receivers may hold keys' CODEC(ZSTD(1)),
    secrets     Map(String, String)     COMMENT 'Secret. By name, sealed with AES-256-GCM: what signs deliveries, and headers with keys of the receiver'
)
ENGINE = {{everywhere "MergeTree" "destinations"}}
ORDER BY (workspace, destination, revision)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'One row per change of a destination. Written by: worker.';

-- destination_places: how far each destination was told of segment_changes. The
-- place is a change, and all before it in the order of (block, segment, profile) are
-- dealt with: told, withheld, or dead letters. It is written behind those, so that
-- whoever comes after a crash tells some of them again, by the same keys, and misses
-- none. Of two workers that met for a moment the later row stands; where it is the
-- earlier place, changes are told again.
--
-- At rest the place is behind a whole block, and names no profile.
CREATE TABLE IF NOT EXISTS destination_places {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    destination LowCardinality(String)  COMMENT 'Name of the destination',
    sequence    UInt64                  COMMENT 'Number of the row; the greatest stands',
    block       UInt64                  COMMENT 'Place in segment_changes: its block',
    segment     LowCardinality(String)  COMMENT 'Its segment; empty before the first of the block',
    behind      UInt64                  COMMENT 'Its profile; 0 before the first of the block',
    written_at  DateTime64(3, 'UTC')    COMMENT 'When it came there',
    revision    UInt64                  COMMENT 'Revision of the destination',
    synced      UInt64                  COMMENT 'Revision of the order to compare all members that was carried out last, of the destination itself where it began so',
    synced_at   DateTime64(3, 'UTC')    COMMENT 'When that was; 1970 for never',
    delivered   UInt64                  COMMENT 'Changes that the receiver has taken, of all time',
    withheld    UInt64                  COMMENT 'Changes that were not sent for want of consent, or as processing is restricted, of all time',
    passed      UInt64                  COMMENT 'Changes that there was nobody or nothing left to send of, of all time',
    letters     UInt64                  COMMENT 'Changes that became dead letters, of all time',
    failing     UInt64                  COMMENT 'Attempts that have failed since the last one that did not',
    error       LowCardinality(String)  COMMENT 'Why the last one failed; empty when it did not'
)
ENGINE = {{everywhere "ReplacingMergeTree(sequence)" "destination_places"}}
ORDER BY (workspace, destination)
COMMENT 'How far each destination was told of the changes of segments, and how it fares. Written by: worker.';

-- destination_told: what each destination was told last of each member. A full
-- comparison reads it by (destination, segment) beside the members, both in the order
-- of profiles, and an erasure finds its rows by the profile.
CREATE TABLE IF NOT EXISTS destination_told {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    destination LowCardinality(String)  COMMENT 'Name of the destination',
    segment     LowCardinality(String)  COMMENT 'Name of the segment',
    profile_id  UInt64                  COMMENT 'Profile that the change was of',
    block       UInt64                  COMMENT 'Block of the change; the greatest of a profile stands',
    entered     Bool                    COMMENT 'true: that it entered; false: that it left',
    time        DateTime64(3, 'UTC')    COMMENT 'When the receiver took it'
)
ENGINE = {{everywhere "ReplacingMergeTree(block)" "destination_told"}}
ORDER BY (workspace, destination, segment, profile_id)
SETTINGS index_granularity = 1024
COMMENT 'What each destination was told last of each profile in a segment. Written by: worker.';

-- destination_letters: changes that a receiver would not take. A letter holds no
-- message: when it is sent again, the message is made again of what is known then.
CREATE TABLE IF NOT EXISTS destination_letters {{onCluster}}
(
    workspace   LowCardinality(String)  COMMENT 'Workspace',
    destination LowCardinality(String)  COMMENT 'Name of the destination',
    segment     LowCardinality(String)  COMMENT 'Name of the segment',
    profile_id  UInt64                  COMMENT 'Profile that the change was of',
    block       UInt64                  COMMENT 'Block of the change',
    version     UInt64                  COMMENT 'Of several rows of a letter the greatest stands',
    time        DateTime64(3, 'UTC')    COMMENT 'When the row was written',
    state       LowCardinality(String)  COMMENT 'dead; asked: it is to be sent again; delivered; obsolete: there is a later change, or nothing left to send',
    entered     Bool                    COMMENT 'true: the profile entered; false: it left',
    changed_at  DateTime64(3, 'UTC')    COMMENT 'Time of the change',
    cause       LowCardinality(String)  COMMENT 'Cause of the change',
    revision    UInt64                  COMMENT 'Revision of the segment then',
    reason      LowCardinality(String)  COMMENT 'Why it is dead: rejected, exhausted, incomplete or address',
    status      UInt16                  COMMENT 'Status that the receiver answered last; 0 for none',
    attempts    UInt32                  COMMENT 'How often it was tried',
    answer      String                  COMMENT 'Personal. Beginning of what the receiver answered, which may repeat what it was sent' CODEC(ZSTD(1))
)
ENGINE = {{everywhere "ReplacingMergeTree(version)" "destination_letters"}}
ORDER BY (workspace, destination, segment, profile_id, block)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'Changes of segments that destinations did not take. Written by: worker.';
