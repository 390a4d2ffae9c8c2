-- What people who write SQL read: every view resolves the present profile, none
-- shows a personal value, and each runs with the rights of the account that made
-- it, so that a reader needs no right on the tables below it.

CREATE OR REPLACE VIEW transactions {{onCluster}}
(
    workspace          LowCardinality(String)          COMMENT 'Workspace',
    profile_id         UInt64                          COMMENT 'Profile in the current reading; 0 for none, such as guest orders',
    time               DateTime64(3, 'UTC')            COMMENT 'When it happened',
    type               LowCardinality(String)          COMMENT 'order, refund, subscription or adjustment',
    name               LowCardinality(String)          COMMENT 'Name of the event, such as Order Completed',
    source             LowCardinality(String)          COMMENT 'Source of the event',
    order_id           String                          COMMENT 'Order or invoice number',
    status             LowCardinality(String)          COMMENT 'Status as the source gives it',
    currency           LowCardinality(String)          COMMENT 'ISO 4217 code of every amount of the row',
    amount             Decimal(18, 4)                  COMMENT 'Sum of quantity times price of the items, before tax and shipping; negative for refunds',
    tax                Decimal(18, 4)                  COMMENT 'Tax',
    shipping           Decimal(18, 4)                  COMMENT 'Shipping',
    discount           Decimal(18, 4)                  COMMENT 'Discount',
    `items.product_id` Array(String)                   COMMENT 'Product of each line',
    `items.name`       Array(String)                   COMMENT 'Product name of each line',
    `items.category`   Array(LowCardinality(String))   COMMENT 'Category of each line',
    `items.quantity`   Array(Decimal(18, 4))           COMMENT 'Quantity of each line',
    `items.price`      Array(Decimal(18, 4))           COMMENT 'Price per unit of each line',
    `items.cost`       Array(Decimal(18, 4))           COMMENT 'Cost per unit of each line; 0 when unknown',
    anchor_id          UInt64                          COMMENT 'Anchor of the event',
    received_time      DateTime64(3, 'UTC')            COMMENT 'When it arrived',
    message_hash       UInt128                         COMMENT 'Deduplication key of the event'
)
{{asDefiner}}
AS
SELECT workspace, {{eventProfile "anchor_id" "time"}} AS profile_id,
    time, type, name, source, order_id, status, currency, amount, tax, shipping, discount,
    items.product_id, items.name, items.category, items.quantity, items.price, items.cost,
    anchor_id, received_time, message_hash
FROM {{database}}.transaction_facts
COMMENT 'Orders, refunds, subscriptions and adjustments with their present profile. Written by: nobody, a view.';

CREATE OR REPLACE VIEW behaviour_events {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    profile_id    UInt64                  COMMENT 'Profile in the current reading; 0 for none',
    time          DateTime64(3, 'UTC')    COMMENT 'When it happened',
    name          LowCardinality(String)  COMMENT 'Name of the event, such as Product Viewed',
    type          LowCardinality(String)  COMMENT 'Segment call: track, page, screen, identify, group or alias',
    source        LowCardinality(String)  COMMENT 'Source of the event',
    campaign      LowCardinality(String)  COMMENT 'Campaign that the visit belongs to',
    session_id    String                  COMMENT 'Session as the client names it',
    anchor_id     UInt64                  COMMENT 'Anchor of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When it arrived',
    message_hash  UInt128                 COMMENT 'Deduplication key of the event'
)
{{asDefiner}}
AS
SELECT workspace, {{eventProfile "anchor_id" "time"}} AS profile_id,
    time, name, type, source, campaign, session_id, anchor_id, received_time, message_hash
FROM {{database}}.events
WHERE kind = 'behaviour'
COMMENT 'Web and app behaviour with its present profile, without personal columns. Written by: nobody, a view.';

-- A view over single events and not over anchors, because past tenures decide
-- by time: two look-ups per row instead of per anchor, about 50 ns each.
CREATE OR REPLACE VIEW profiles {{onCluster}}
(
    workspace  LowCardinality(String)  COMMENT 'Workspace',
    profile_id UInt64                  COMMENT 'Profile in the current reading',
    id         String                  COMMENT 'The same as the API writes it: 16 hexadecimal digits',
    first_seen DateTime64(3, 'UTC')    COMMENT 'Time of the first event',
    last_seen  DateTime64(3, 'UTC')    COMMENT 'Time of the last event',
    events     UInt64                  COMMENT 'Number of events',
    orders     UInt64                  COMMENT 'Number of orders',
    revenue    Decimal(38, 4)          COMMENT 'Orders and subscriptions less refunds, before tax and shipping; read with currencies',
    currencies Array(String)           COMMENT 'Currencies of the revenue: amounts of different ones are added as they are'
)
{{asDefiner}}
AS
SELECT workspace, profile_id, lower(leftPad(hex(profile_id), 16, '0')) AS id,
    minIf(time, is_event) AS first_seen, maxIf(time, is_event) AS last_seen, countIf(is_event) AS events,
    countIf(type = 'order') AS orders, sumIf(amount, type IN ('order', 'subscription', 'refund')) AS revenue,
    arraySort(groupUniqArrayIf(toString(currency), currency != '')) AS currencies
FROM
(
    SELECT workspace, {{eventProfile "anchor_id" "time"}} AS profile_id, time, true AS is_event,
        CAST('', 'LowCardinality(String)') AS type, toDecimal64(0, 4) AS amount, CAST('', 'LowCardinality(String)') AS currency
    FROM {{database}}.events
    UNION ALL
    SELECT workspace, {{eventProfile "anchor_id" "time"}} AS profile_id, time, false AS is_event, type, amount, currency
    FROM {{database}}.transaction_facts
)
WHERE profile_id != 0
GROUP BY workspace, profile_id
COMMENT 'One row per profile with what its events add up to. Written by: nobody, a view.';

CREATE OR REPLACE VIEW events_masked {{onCluster}}
(
    workspace      LowCardinality(String)         COMMENT 'Workspace',
    profile_id     UInt64                         COMMENT 'Profile in the current reading; 0 for none',
    time           DateTime64(3, 'UTC')           COMMENT 'When it happened',
    kind           LowCardinality(String)         COMMENT 'Kind of event',
    name           LowCardinality(String)         COMMENT 'Name of the event',
    type           LowCardinality(String)         COMMENT 'Segment call of a behaviour event',
    source         LowCardinality(String)         COMMENT 'Source of the event',
    campaign       LowCardinality(String)         COMMENT 'Campaign that the visit belongs to',
    session_id     String                         COMMENT 'Session as the client names it',
    namespaces     Array(LowCardinality(String))  COMMENT 'Namespaces of its identifiers',
    properties     Array(String)                  COMMENT 'Names of its properties',
    traits         Array(String)                  COMMENT 'Names of the traits that it states',
    url_host       String                         COMMENT 'Host of the page',
    referrer_host  String                         COMMENT 'Host of the page before it',
    anchor_id      UInt64                         COMMENT 'Anchor of the event',
    received_time  DateTime64(3, 'UTC')           COMMENT 'When it arrived',
    message_hash   UInt128                        COMMENT 'Deduplication key of the event'
)
{{asDefiner}}
AS
SELECT workspace, {{eventProfile "anchor_id" "time"}} AS profile_id,
    time, kind, name, type, source, campaign, session_id,
    arrayMap(i -> CAST(splitByChar(':', i)[1], 'LowCardinality(String)'), identifiers) AS namespaces,
    JSONExtractKeys(properties) AS properties, JSONExtractKeys(traits) AS traits,
    domain(url) AS url_host, domain(referrer) AS referrer_host, anchor_id, received_time, message_hash
FROM {{database}}.events
COMMENT 'All events with their present profile, personal columns reduced to names and hosts. Written by: nobody, a view.';

CREATE OR REPLACE VIEW identifiers_masked {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    identifier_id UInt64                  COMMENT 'Key of the identifier',
    namespace     LowCardinality(String)  COMMENT 'Namespace, such as email',
    value_masked  String                  COMMENT 'First character, and the domain of an e-mail address',
    profile_id    UInt64                  COMMENT 'Profile in the current reading',
    first_seen    DateTime64(3, 'UTC')    COMMENT 'Least event time of its sightings',
    last_seen     Date32                  COMMENT 'Last day of its sightings'
)
{{asDefiner}}
AS
SELECT workspace, identifier_id, namespace, value_masked, {{identifierProfile "identifier_id"}} AS profile_id, first_seen, last_seen
FROM
(
    SELECT workspace, identifier_id, any(i.namespace) AS namespace, min(first_event) AS first_seen, max(last_event) AS last_seen,
        any(concat(leftUTF8(i.value, 1), '***', if(i.namespace = 'email', substring(i.value, position(i.value, '@')), ''))) AS value_masked
    FROM {{database}}.identifiers AS i
    GROUP BY workspace, identifier_id
)
COMMENT 'One row per identifier with its present profile, its value masked. Written by: nobody, a view.';
