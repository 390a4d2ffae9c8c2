-- A number for the name of each identifier. Identity holds each key that comes with an
-- event against the name that is stored for it, so that two names of one key never become
-- one person, and reads the name of some two thousand of them a second at 2 000 events: of
-- a granule of names of 40 bytes each for every one. 1 100 of 1.6 M identifiers, one part,
-- processor milliseconds of the engine: names 90, numbers 30. xxHash64, as
-- github.com/cespare/xxhash does it; two names have the same 32 bits once in four billion.
-- The server makes it, of older parts too.
ALTER TABLE identifiers {{onCluster}}
    ADD COLUMN IF NOT EXISTS name_print UInt32 MATERIALIZED toUInt32(bitAnd(xxHash64(concat(namespace, '\0', value)), 0xffffffff)) COMMENT 'Personal. Low half of xxHash64 of namespace, a zero byte and value' CODEC(LZ4);
ALTER TABLE identifiers {{onCluster}} MATERIALIZE COLUMN name_print;
