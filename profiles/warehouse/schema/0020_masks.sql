-- One masking of values, the same as the API's: package profiles has it in Go, and
-- TestMasksAgree holds the two against each other.
--
-- The rows of each view are read with the rights of its maker, the profiles are
-- resolved with those of whoever asks, as in 0017.
CREATE OR REPLACE VIEW unresolved_identifiers_masked {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    identifier_id UInt64                  COMMENT 'Key of the identifier',
    namespace     LowCardinality(String)  COMMENT 'Namespace, such as email',
    value_masked  String                  COMMENT 'Masked: a***@example.com, the last two digits of a phone number, else the first character',
    profile_id    UInt64                  COMMENT '0',
    first_seen    DateTime64(3, 'UTC')    COMMENT 'Least event time of its sightings',
    last_seen     Date32                  COMMENT 'Last day of its sightings'
)
{{asDefiner}}
AS
SELECT workspace, identifier_id, namespace, {{maskedIdentifier "value"}} AS value_masked, toUInt64(0) AS profile_id, first_seen, last_seen
FROM
(
    SELECT workspace, identifier_id, any(i.namespace) AS namespace, min(first_event) AS first_seen, max(last_event) AS last_seen, any(i.value) AS value
    FROM {{database}}.identifiers AS i
    GROUP BY workspace, identifier_id
)
COMMENT 'Rows of the view identifiers_masked, with 0 for their profiles. Written by: nobody, a view.';

CREATE OR REPLACE VIEW identifiers_masked {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    identifier_id UInt64                  COMMENT 'Key of the identifier',
    namespace     LowCardinality(String)  COMMENT 'Namespace, such as email',
    value_masked  String                  COMMENT 'Masked: a***@example.com, the last two digits of a phone number, else the first character',
    profile_id    UInt64                  COMMENT 'Profile in the current reading',
    first_seen    DateTime64(3, 'UTC')    COMMENT 'Least event time of its sightings',
    last_seen     Date32                  COMMENT 'Last day of its sightings'
)
SQL SECURITY INVOKER
AS
SELECT * REPLACE ({{identifierProfile "identifier_id"}} AS profile_id)
FROM {{database}}.unresolved_identifiers_masked
COMMENT 'One row per identifier with its present profile, its value masked. Written by: nobody, a view.';

CREATE OR REPLACE VIEW unresolved_traits_masked {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    profile_id    UInt64                  COMMENT '0',
    trait         LowCardinality(String)  COMMENT 'Name of the trait',
    time          DateTime64(3, 'UTC')    COMMENT 'Time of the event that states it',
    value_masked  String                  COMMENT 'Value as text, masked where it is personal by its name or its form; *** for objects and lists',
    source        LowCardinality(String)  COMMENT 'Source of the event',
    anchor_id     UInt64                  COMMENT 'Anchor of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When it arrived',
    message_hash  UInt128                 COMMENT 'Deduplication key of the event'
)
{{asDefiner}}
AS
SELECT workspace, toUInt64(0) AS profile_id, trait, time, {{maskedTrait "trait" "value"}} AS value_masked, source, anchor_id, received_time, message_hash
FROM {{database}}.trait_observations
COMMENT 'Rows of the view traits_masked, with 0 for their profiles. Written by: nobody, a view.';

CREATE OR REPLACE VIEW traits_masked {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    profile_id    UInt64                  COMMENT 'Profile in the current reading; 0 for none',
    trait         LowCardinality(String)  COMMENT 'Name of the trait',
    time          DateTime64(3, 'UTC')    COMMENT 'Time of the event that states it',
    value_masked  String                  COMMENT 'Value as text, masked where it is personal by its name or its form; *** for objects and lists',
    source        LowCardinality(String)  COMMENT 'Source of the event',
    anchor_id     UInt64                  COMMENT 'Anchor of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When it arrived',
    message_hash  UInt128                 COMMENT 'Deduplication key of the event'
)
SQL SECURITY INVOKER
AS
SELECT * REPLACE ({{eventProfile "anchor_id" "time"}} AS profile_id)
FROM {{database}}.unresolved_traits_masked
COMMENT 'Traits as stated with their present profile, values masked. Written by: nobody, a view.';
