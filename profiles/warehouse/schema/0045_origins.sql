-- The pages that may send with a key which everybody can read. Few states of few keys:
-- read with the rest of the key.
ALTER TABLE {{local "api_keys"}} {{onCluster}}
    ADD COLUMN IF NOT EXISTS origins Array(String) COMMENT 'Origins of the pages that may send with a key of role public, as browsers name them; * for all, and empty for other roles';
ALTER TABLE api_keys {{onCluster}}
    ADD COLUMN IF NOT EXISTS origins Array(String) COMMENT 'Origins of the pages that may send with a key of role public, as browsers name them; * for all, and empty for other roles';
ALTER TABLE {{local "api_keys"}} {{onCluster}} COMMENT COLUMN IF EXISTS role 'write, public, read, marketer or admin';
ALTER TABLE api_keys {{onCluster}} COMMENT COLUMN IF EXISTS role 'write, public, read, marketer or admin';
