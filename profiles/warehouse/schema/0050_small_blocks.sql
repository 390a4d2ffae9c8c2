-- Sightings in smaller blocks. The keys of identifiers are hashes, so whoever asks why two
-- of them are one profile reads a granule of each part, of a dozen columns; and a block
-- that is decompressed for it held eight of them. One look-up of two pairs and one of an
-- identifier among 2 M, one part each, processor milliseconds of the engine, and bytes a row:
--
--   64 KiB, as before   5.6 and 3.7   36 and 43
--   8 KiB (chosen)      4.1 and 3.1   37 and 43
--
-- Parts that there are keep their blocks until they are merged.
ALTER TABLE identifiers {{onCluster}} MODIFY SETTING min_compress_block_size = 8192;
ALTER TABLE identity_evidence {{onCluster}} MODIFY SETTING min_compress_block_size = 8192;
