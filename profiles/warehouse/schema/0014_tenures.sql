-- Past tenures of moving identifiers, and households.

-- The flag: which events are to be asked for their time? Those decided by a
-- phone that had another owner once: few of all. Three designs:
--
--   1. anchor_owner, exact: when a phone gets its first past tenure, each of the
--      sets that it decides needs another row. A phone may decide a hundred
--      thousand, which no flush may write; it would be a queue like that of the
--      flips, and until its end no version would be whole.
--   2. identifier_profile, exact: one row. But only the second hop tells the flag
--      then, and the owner of the tenure needs that hop once more, for which a
--      query prepares all recent changes again, though no row may take the branch:
--      7 ms at 20 000 changes, as much as the whole layer costs now.
--   3. anchor_owner, by namespace (chosen): a set is flagged when it is decided by
--      an identifier of a moving namespace, tenures or not. Only other rules
--      change that, and they have all sets compared anyway. A phone's own anchor
--      gets its row with its first tenure. So tenures are a row or two in the
--      flush that tells them, and the hops are asked once each. The price is one
--      look-up in the small dictionary of tenures for what a phone decides.
--
-- BenchmarkTenures at 3 M rows in each hop, processor time on two cores shared with
-- much other work: both hops 74 to 78 ns a row, with the question for the flag 83 to
-- 84; a query for nothing 17 to 19 ms, and 21 to 23.
-- by_owner is the way back, from the identifiers of a profile to the moving ones
-- that were theirs once. A projection cannot hold the elements of an array.
ALTER TABLE identifier_tenures {{onCluster}} ADD INDEX IF NOT EXISTS by_owner owners TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE reading_recent {{onCluster}} ADD COLUMN IF NOT EXISTS tenures Tuple(untils Array(Int64), owners Array(UInt64)) COMMENT 'Of hop 3: ends of the tenures in milliseconds since 1970 UTC, ascending, and their owners; the last is the present one';
ALTER TABLE reading_recent {{onCluster}} COMMENT COLUMN hop '1: anchor to deciding identifier; 2: identifier to profile; 3: identifier to its tenures';
ALTER TABLE reading_recent {{onCluster}} COMMENT COLUMN value 'Deciding identifier, with bit 63 set where it is one that moves; or profile';

-- Sets decided before have no flag. By the default rules it is phones that move;
-- where other rules were declared, every set is asked until rules are declared the
-- next time, which compares all of them.
ALTER TABLE anchor_owner {{onCluster}} UPDATE has_tenures = true
WHERE NOT has_tenures AND (workspace IN (SELECT workspace FROM {{database}}.identity_rules)
    OR owner_id IN (SELECT identifier_id FROM {{database}}.identifiers WHERE namespace = 'phone'))
SETTINGS mutations_sync = 2;
ALTER TABLE reading_recent {{onCluster}} UPDATE value = bitOr(value, 0x8000000000000000)
WHERE hop = 1 AND value != 0 AND (workspace IN (SELECT workspace FROM {{database}}.identity_rules)
    OR value IN (SELECT identifier_id FROM {{database}}.identifiers WHERE namespace = 'phone'))
SETTINGS mutations_sync = 2;
{{again "reading_owners"}}

-- The present tenure is added to the past ones, without an end, so that a look-up
-- always finds one.
CREATE MATERIALIZED VIEW IF NOT EXISTS reading_recent_tenures {{onCluster}} TO reading_recent
AS SELECT workspace, toUInt8(3) AS hop, identifier_id AS id, epoch, sequence, toUInt64(0) AS value,
    ({{tenureArrays}}) AS tenures
FROM {{database}}.identifier_tenures
COMMENT 'Copies new rows of identifier_tenures to reading_recent. Written by: nobody, a view.';

CREATE OR REPLACE DICTIONARY reading_tenures {{onCluster}}
(
    identifier_id UInt64,
    untils        Array(Int64),
    owners        Array(UInt64)
)
PRIMARY KEY identifier_id
{{dictionarySource (printf "identifier_id, %s" tenureArrays) "identifier_tenures" "identifier_id"}}
LAYOUT(HASHED())
LIFETIME(0)
COMMENT 'Base of the tenures of moving identifiers: ends in milliseconds since 1970 UTC, and owners. Written by: nobody, a dictionary.';

-- The ranges are told as well: whoever reads rows by epoch and sequence beside
-- the hops takes them from here, and is at the same version.
CREATE OR REPLACE VIEW reading {{onCluster}}
(
    recent Tuple(Array(UInt64), Array(UInt64), Array(UInt64), Array(UInt64), Array(UInt64), Array(Tuple(untils Array(Int64), owners Array(UInt64))), Array(UInt64), Array(UInt64))  COMMENT 'Anchors and their deciding identifiers, identifiers and their profiles, moving identifiers and their tenures, changed since the base and published; hashes of workspaces and epochs, and up to which sequence their rows count'
)
{{asDefiner}}
AS
WITH
(
    SELECT (groupArray(sipHash64(workspace, epoch)), groupArray(sure_sequence), groupArray(last_sequence))
    FROM {{database}}.reading_ranges
) AS ranges
SELECT (groupArrayIf(id, hop = 1), groupArrayIf(value, hop = 1), groupArrayIf(id, hop = 2), groupArrayIf(value, hop = 2),
    groupArrayIf(id, hop = 3), groupArrayIf(tenures, hop = 3), ranges.1, ranges.3) AS recent
FROM
(
    SELECT hop, id, value, tenures
    FROM {{database}}.reading_recent
    WHERE sequence > transform(sipHash64(workspace, epoch), ranges.1, ranges.2, toUInt64(-1))
        AND sequence <= transform(sipHash64(workspace, epoch), ranges.1, ranges.3, toUInt64(0))
    ORDER BY epoch DESC, sequence DESC
)
COMMENT 'The published changes of the reading past its base, one row; read it as a scalar, once per query. Written by: nobody, a view.';

{{again "transactions" "behaviour_events" "profiles" "events_masked"}}
{{again "social_interactions" "support_contacts" "feedback" "sensor_readings" "contacts" "locations" "visits"}}

ALTER TABLE anchor_owner {{onCluster}} COMMENT COLUMN has_tenures 'The deciding identifier is one that moves between people: identifier_tenures, where it has any, decide by event time';
ALTER TABLE identity_changes {{onCluster}} COMMENT COLUMN subject_kind 'identifier, set, tenures or household';
ALTER TABLE identity_changes {{onCluster}} COMMENT COLUMN subject_id 'Key of the identifier, anchor of the set, or profile that has another household';
ALTER TABLE identity_changes {{onCluster}} COMMENT COLUMN old_id 'Before: profile of the identifier, deciding identifier of the set, owner of some time of a moving identifier, household';

-- household_profile: two designs.
--
--   1. A row per household with all its profiles: its mates are one point read.
--      But the list is written again whole for each profile that comes or goes,
--      a profile finds its household by a search in arrays only, and when two
--      households become one, both lists change.
--   2. A row per profile (chosen): what identity says of a flush is whose
--      household changed, and that is what is written. The mates are the other
--      way round, by the projection, as with identifier_profile.
--
-- Appended for the reason given there; the highest counted row per profile
-- stands. A profile that became part of another one leaves its household, so no
-- row speaks of an id that is none any more. A household has at most 256 values
-- and profiles, and few profiles have one.
CREATE TABLE IF NOT EXISTS household_profile {{onCluster}}
(
    workspace    LowCardinality(String)  COMMENT 'Workspace',
    profile_id   UInt64                  COMMENT 'Profile, at the version of the row',
    epoch        UInt64                  COMMENT 'Epoch of the owner that wrote the row',
    sequence     UInt64                  COMMENT 'Sequence within the epoch',
    household_id UInt64                  COMMENT 'Its household: key of the earliest landline or address of it; 0 for none',
    previous_id  UInt64                  COMMENT 'Its household before; 0 for none',
    PROJECTION by_household (SELECT workspace, household_id, profile_id ORDER BY workspace, household_id)
)
ENGINE = {{everywhere "MergeTree" "household_profile"}}
ORDER BY (workspace, profile_id, epoch, sequence)
SETTINGS index_granularity = 1024
COMMENT 'Household of each profile that shares a landline or an address, or did; appended, highest counted (epoch, sequence) stands. Written by: identity.';

CREATE OR REPLACE VIEW households {{onCluster}}
(
    workspace    LowCardinality(String)  COMMENT 'Workspace',
    household_id UInt64                  COMMENT 'Household: profiles seen with the same landline or postal address, directly or through each other',
    profile_id   UInt64                  COMMENT 'Profile in the current reading that belongs to it'
)
{{asDefiner}}
AS
SELECT workspace, household_id, profile_id
FROM
(
    SELECT h.workspace AS workspace, h.profile_id AS profile_id, argMax(h.household_id, (h.epoch, h.sequence)) AS household_id
    FROM {{database}}.household_profile AS h
    WHERE h.sequence <= transform(sipHash64(h.workspace, h.epoch), (SELECT recent FROM {{database}}.reading).7, (SELECT recent FROM {{database}}.reading).8, toUInt64(0))
    GROUP BY workspace, profile_id
)
WHERE household_id != 0
COMMENT 'The profiles of each household, at the version of the reading that the rest of the query sees. A household never makes two profiles one. Written by: nobody, a view.';
