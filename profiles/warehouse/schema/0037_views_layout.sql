-- profile_views anew, in smaller pieces. A read is of one row of some kilobytes, and what
-- it costs is to unpack what lies around it in each part: of 32 rows in blocks of 16 KiB
-- and more, .32 ms a row. Eight rows in blocks of 4 KiB, and LZ4 instead of ZSTD. Every
-- row can be lost, and is made again.
DROP TABLE IF EXISTS {{local "profile_views"}} {{onCluster}} SYNC;
CREATE TABLE IF NOT EXISTS {{local "profile_views"}} {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    profile_id UInt64                  COMMENT 'Profile; 0 for how far the changes of identity are worked on',
    form       UInt64                  COMMENT 'Hash of the encoding and of the rules that the view was made by: a row of another form is not read',
    stamp      UInt128                 COMMENT 'Version of the reading that the view was read at: its epoch times 2 to the power of 64, and its last sequence; the greatest stands',
    body       String                  COMMENT 'Personal. What the checks of a read need, and the encoded view without its scores; no view where the profile is to be read from its events' CODEC(LZ4)
)
ENGINE = {{engine "ReplacingMergeTree(stamp)" "profile_views"}}
ORDER BY (workspace, profile_id)
SETTINGS index_granularity = 8, min_compress_block_size = 4096, max_compress_block_size = 65536
COMMENT 'Whole views of profiles, derived and checked at each read; the greatest stamp stands. Written by: worker.';
