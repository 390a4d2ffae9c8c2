-- A mention that says what is stored already is not stored again for an hour of
-- event time, so that the latest mention of a product is known to the hour only.
-- Comments are changed in place: the view itself stays as it is.

ALTER TABLE catalogue {{onCluster}} COMMENT COLUMN since 'When the state was said; where it was not stated, the latest mention, or up to an hour before it';
ALTER TABLE {{local "catalogue_entries"}} {{onCluster}} MODIFY COMMENT 'What was said of products, stores, venues and actions, mentions that say nothing new once an hour at most; the view catalogue takes the latest. Written by: ingest.';
