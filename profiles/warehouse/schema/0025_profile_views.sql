-- profile_views: the whole view of a profile as one row, so that a read is one small
-- range and a check instead of a dozen queries. It is derived: every row can be lost.
--
-- ORDER BY (workspace, profile_id): one row a profile in the end, read by id. The form
-- is no part of the key, so that the rows of a new version take the place of the old
-- ones. Granules of 32 rows in compressed blocks of 16 KiB: a view is some 1 to 4 KiB,
-- and a block is read and unpacked whole for one of them.
--
-- Few columns: what the checks need is in front of the body. A read unpacks a block of
-- each column for each view (16 views at random: 2.8 ms of processor time with 15
-- columns).
--
-- Replacing by the version that was read at: a worker that was paused and writes late
-- does not take the place of what was read after it. Readers take the greatest stamp of
-- those that are there, and no reader needs FINAL. Row 0 of a workspace is no profile:
-- its stamp is the change of identity up to which all rows have been read again.
CREATE TABLE IF NOT EXISTS {{local "profile_views"}} {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    profile_id UInt64                  COMMENT 'Profile; 0 for how far the changes of identity are worked on',
    form       UInt64                  COMMENT 'Hash of the encoding and of the rules that the view was made by: a row of another form is not read',
    stamp      UInt128                 COMMENT 'Version of the reading that the view was read at: its epoch times 2 to the power of 64, and its last sequence; the greatest stands',
    body       String                  COMMENT 'Personal. What the checks of a read need, and the encoded view without its scores; no view where the profile is to be read from its events' CODEC(ZSTD(1))
)
ENGINE = {{engine "ReplacingMergeTree(stamp)" "profile_views"}}
ORDER BY (workspace, profile_id)
SETTINGS index_granularity = 32, min_compress_block_size = 16384, max_compress_block_size = 65536
COMMENT 'Whole views of profiles, derived and checked at each read; the greatest stamp stands. Written by: worker.';
{{distributed "profile_views" "profile_id"}}
