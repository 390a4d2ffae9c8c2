-- How the tables of ingest lie on disk, after measuring whole inserts and merges
-- with the file system below them.
--
-- Compact parts up to 128 MiB: a wide part is two files and more for each column,
-- some fifty for a batch of 20 000 events, made and deleted again by the next
-- merge. Making files took 40 % of the engine's processor time (two cores, 20 000
-- rows a batch); the columns themselves cost 1 µs an event to write and 3.4 µs a
-- merge.
--
-- LZ4 instead of ZSTD: 3.4 instead of 4.4 µs an event for each merge, for 118
-- instead of 84 bytes on disk.
ALTER TABLE {{local "events"}} {{onCluster}} MODIFY SETTING min_bytes_for_wide_part = 134217728;
ALTER TABLE {{local "transaction_facts"}} {{onCluster}} MODIFY SETTING min_bytes_for_wide_part = 134217728;
ALTER TABLE {{local "trait_observations"}} {{onCluster}} MODIFY SETTING min_bytes_for_wide_part = 134217728;
ALTER TABLE {{local "seen_messages"}} {{onCluster}} MODIFY SETTING min_bytes_for_wide_part = 134217728;
ALTER TABLE {{local "dead_letters"}} {{onCluster}} MODIFY SETTING min_bytes_for_wide_part = 134217728;
ALTER TABLE {{local "events"}} {{onCluster}}
    MODIFY COLUMN time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    MODIFY COLUMN message_id String CODEC(LZ4),
    MODIFY COLUMN original_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    MODIFY COLUMN sent_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    MODIFY COLUMN received_time DateTime64(3, 'UTC') CODEC(Delta, LZ4),
    MODIFY COLUMN identifiers Array(String) CODEC(LZ4),
    MODIFY COLUMN traits String CODEC(LZ4),
    MODIFY COLUMN context String CODEC(LZ4),
    MODIFY COLUMN url String CODEC(LZ4),
    MODIFY COLUMN referrer String CODEC(LZ4),
    MODIFY COLUMN session_id String CODEC(LZ4);

-- merge_selector_base is how many times its largest part a merge must be. Rows
-- rewritten for each row, after 600 to 800 inserts of one size, and the most parts
-- that a query met:
--
--   base 5 (the default)                          4.4      15 parts
--   at least 10, 20, 30 parts to a merge   5.3, 7.1, 10.5      16, 25, 33
--   base 10                                       2.5      17
--   base 15 (events)                              2.3      22
--   base 20                                       2.7      29
--   base 30 (seen_messages)                       1.9      34
--
-- A row of events costs 3 µs each time. The memory of messages is asked for few of
-- them, and bears more parts.
ALTER TABLE {{local "events"}} {{onCluster}} MODIFY SETTING merge_selector_base = 15;
ALTER TABLE {{local "seen_messages"}} {{onCluster}} MODIFY SETTING merge_selector_base = 30;

-- The planned range that stored a message: what a crashed range has stored itself
-- is told from what an earlier reading of the topic in other ranges had stored.
ALTER TABLE {{local "seen_messages"}} {{onCluster}} ADD COLUMN IF NOT EXISTS range_hash UInt32 COMMENT 'Hash of the planned range (first offset, offset after the last) that stored it; 0 before it was noted';
ALTER TABLE seen_messages {{onCluster}} ADD COLUMN IF NOT EXISTS range_hash UInt32 COMMENT 'Hash of the planned range (first offset, offset after the last) that stored it; 0 before it was noted';
