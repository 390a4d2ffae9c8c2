-- restrictions: whose data may be stored and not used (GDPR, article 18).
--
-- By the keys of identifiers that were of one person alone when the restriction was
-- asked for, and not by the id of the profile: whatever profile holds one of them is
-- restricted, so that a merge takes the restriction along and an unmerge leaves it with
-- the person. Like the other tables of definitions it is appended under the revision of
-- the command, and the latest row of an identifier stands. Every node holds all of it:
-- each query of a segment asks it, and it is thousands of rows at most. ORDER BY the
-- identifier; granules of 256, as a person is some ten rows.
CREATE TABLE IF NOT EXISTS restrictions {{onCluster}}
(
    workspace      LowCardinality(String)  COMMENT 'Workspace',
    identifier_id  UInt64                  COMMENT 'Key of the identifier',
    revision       UInt64                  COMMENT 'Revision of this state; the latest one of an identifier stands',
    restricted     Bool                    COMMENT 'Whether processing is restricted from then on',
    changed_at     DateTime64(3, 'UTC')    COMMENT 'When it was asked for',
    restriction_id String                  COMMENT 'Id of the restriction: 16 hexadecimal digits',
    ground         LowCardinality(String)  COMMENT 'accuracy, unlawful, claims or objection, as article 18 has them; empty for not told',
    actor          LowCardinality(String)  COMMENT 'Name of the API key that asked for it'
)
ENGINE = {{everywhere "MergeTree" "restrictions"}}
ORDER BY (workspace, identifier_id, revision)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'Restrictions of processing by keyed hashes of identifiers, appended; see the view restricted_identifiers. Written by: worker.';

-- An erasure ends the restriction of what it took: who comes again is somebody new.
CREATE OR REPLACE VIEW restricted_identifiers {{onCluster}}
(
    workspace      LowCardinality(String)  COMMENT 'Workspace',
    identifier_id  UInt64                  COMMENT 'Key of the identifier',
    since          DateTime64(3, 'UTC')    COMMENT 'When the restriction was asked for',
    restriction_id String                  COMMENT 'Id of the restriction',
    ground         LowCardinality(String)  COMMENT 'accuracy, unlawful, claims or objection; empty for not told',
    actor          LowCardinality(String)  COMMENT 'Name of the API key that asked for it'
)
{{asDefiner}}
AS
SELECT r.workspace AS workspace, r.identifier_id AS identifier_id, r.latest.2 AS since, r.latest.3 AS restriction_id, r.latest.4 AS ground, r.latest.5 AS actor
FROM
(
    SELECT workspace, identifier_id, argMax((restricted, changed_at, restriction_id, ground, actor), revision) AS latest
    FROM {{database}}.restrictions
    GROUP BY workspace, identifier_id
) AS r
LEFT JOIN
(
    SELECT workspace, id, max(erased_at) AS erased_at
    FROM {{database}}.identity_erasures
    WHERE what = 'identifier' AND id IN (SELECT identifier_id FROM {{database}}.restrictions)
    GROUP BY workspace, id
) AS e ON e.workspace = r.workspace AND e.id = r.identifier_id
WHERE r.latest.1 AND r.latest.2 > e.erased_at
COMMENT 'Identifiers of restricted people: the profile that holds one of them may be stored and not used. Written by: nobody, a view.';
