-- What a command asked, as a keyed hash: whoever gives another command under an
-- id that has an outcome can be told so, without keeping identifiers here. 0 is of
-- commands of before, which are taken for equal.
ALTER TABLE identity_commands {{onCluster}} ADD COLUMN IF NOT EXISTS body UInt64 COMMENT 'Keyed hash of what was asked, but for who asked; 0 when not known';
