-- What searches read: identifiers by the beginning of their value, and traits by
-- their value. Both are kept by the tables' own writers.
--
-- identifiers: a projection in the order of values, so that a prefix is a range;
-- the rows are sorted by hash, and a filter of n-grams would let every granule
-- through for what all addresses share. The sources of an identifier make its
-- value stand there several times; a search takes each once.
ALTER TABLE identifiers {{onCluster}} ADD PROJECTION IF NOT EXISTS by_value (SELECT workspace, value, namespace, identifier_id ORDER BY workspace, value, namespace);
ALTER TABLE identifiers {{onCluster}} MATERIALIZE PROJECTION by_value SETTINGS mutations_sync = 2;

-- trait_observations: a filter of whole values for each 1 024 rows, ten bits a
-- value. What many share is found in the first granules, and what few share is let
-- through in few.
ALTER TABLE {{local "trait_observations"}} {{onCluster}} ADD INDEX IF NOT EXISTS by_value value TYPE bloom_filter(0.01) GRANULARITY 4;
ALTER TABLE {{local "trait_observations"}} {{onCluster}} MATERIALIZE INDEX by_value SETTINGS mutations_sync = 2;

-- Rows that are deleted leave the projection with them.
ALTER TABLE identifiers {{onCluster}} MODIFY SETTING lightweight_mutation_projection_mode = 'rebuild';
