-- What ingest writes: events, their typed parts, and the memory of messages.

-- events: one immutable row per event.
CREATE TABLE IF NOT EXISTS {{local "events"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace, bound from the API key or the record header',
    anchor_id     UInt64                  COMMENT 'Keyed hash of the set of identifiers; 0 when the event has none',
    time          DateTime64(3, 'UTC')    COMMENT 'When it happened, corrected for the clock of the client, never after received_time' CODEC(Delta, ZSTD(1)),
    message_hash  UInt128                 COMMENT 'Keyed hash of (kind, source, message id): the deduplication key',
    message_id    String                  COMMENT 'Message id as the producer gave it' CODEC(ZSTD(1)),
    kind          LowCardinality(String)  COMMENT 'Kind of event: behaviour, transaction, social, location, support, feedback, sensor, contact or catalogue',
    name          LowCardinality(String)  COMMENT 'Name of the event, such as Order Completed',
    type          LowCardinality(String)  COMMENT 'Segment call of a behaviour event: track, page, screen, identify, group or alias',
    source        LowCardinality(String)  COMMENT 'Source of the event',
    original_time DateTime64(3, 'UTC')    COMMENT 'Time as the client claimed it; 1970 when it claimed none' CODEC(Delta, ZSTD(1)),
    sent_time     DateTime64(3, 'UTC')    COMMENT 'When the client says it sent the event; 1970 when it does not say' CODEC(Delta, ZSTD(1)),
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record; stamped at intake' CODEC(Delta, ZSTD(1)),
    identifiers   Array(String)           COMMENT 'Personal. Normalised identifiers as namespace:value' CODEC(ZSTD(1)),
    properties    String                  COMMENT 'Personal. Properties of the event, a JSON object' CODEC(LZ4),
    traits        String                  COMMENT 'Personal. Traits that the event states, a JSON object' CODEC(ZSTD(1)),
    context       String                  COMMENT 'Personal. Context of the event, a JSON object' CODEC(ZSTD(1)),
    url           String                  COMMENT 'Personal. Address of the page' CODEC(ZSTD(1)),
    referrer      String                  COMMENT 'Personal. Address of the page before it' CODEC(ZSTD(1)),
    campaign      LowCardinality(String)  COMMENT 'Campaign that the visit belongs to',
    session_id    String                  COMMENT 'Session as the client names it; not an identifier' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "events"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, anchor_id, time, message_hash)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'One immutable row per event, of every kind. Written by: ingest.';
{{distributed "events" "anchor_id"}}

-- transaction_facts: the typed part of transactions.
CREATE TABLE IF NOT EXISTS {{local "transaction_facts"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    anchor_id     UInt64                  COMMENT 'Anchor of the event; 0 for guest orders without identifiers',
    time          DateTime64(3, 'UTC')    COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    message_hash  UInt128                 COMMENT 'Deduplication key of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source        LowCardinality(String)  COMMENT 'Source of the event',
    name          LowCardinality(String)  COMMENT 'Name of the event, such as Order Completed',
    type          LowCardinality(String)  COMMENT 'order, refund, subscription or adjustment',
    order_id      String                  COMMENT 'Order or invoice number' CODEC(ZSTD(1)),
    status        LowCardinality(String)  COMMENT 'Status as the source gives it, such as completed',
    currency      LowCardinality(String)  COMMENT 'ISO 4217 code of every amount of the row',
    amount        Decimal(18, 4)          COMMENT 'Sum of quantity times price of the items, before tax and shipping; negative for refunds',
    tax           Decimal(18, 4)          COMMENT 'Tax',
    shipping      Decimal(18, 4)          COMMENT 'Shipping',
    discount      Decimal(18, 4)          COMMENT 'Discount',
    items Nested
    (
        product_id String,
        name       String,
        category   LowCardinality(String),
        quantity   Decimal(18, 4),
        price      Decimal(18, 4),
        cost       Decimal(18, 4)
    ) COMMENT 'Lines of the order as they were; equal lines are not merged. Price and cost are per unit'
)
ENGINE = {{engine "MergeTree" "transaction_facts"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, anchor_id, time, message_hash)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'The typed part of each transaction, by anchor; the view transactions adds the profile. Written by: ingest.';
{{distributed "transaction_facts" "anchor_id"}}

-- trait_observations: what events say of a person.
CREATE TABLE IF NOT EXISTS {{local "trait_observations"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    anchor_id     UInt64                  COMMENT 'Anchor of the event that states the trait',
    trait         LowCardinality(String)  COMMENT 'Name of the trait',
    time          DateTime64(3, 'UTC')    COMMENT 'Time of the event' CODEC(Delta, ZSTD(1)),
    message_hash  UInt128                 COMMENT 'Deduplication key of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source        LowCardinality(String)  COMMENT 'Source of the event',
    value         String                  COMMENT 'Personal. Value as JSON text; null removes the trait' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "trait_observations"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, anchor_id, trait, time, message_hash)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'Traits as stated, by anchor, so that an unmerge restores them. Written by: ingest.';
{{distributed "trait_observations" "anchor_id"}}

-- seen_messages: which messages are stored, for deduplication after a restart.
CREATE TABLE IF NOT EXISTS {{local "seen_messages"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    message_hash  UInt128                 COMMENT 'Keyed hash of (kind, source, message id)',
    body_hash     UInt64                  COMMENT 'Hash of the body: the same id with another body is a dead letter',
    topic         LowCardinality(String)  COMMENT 'Topic of the record that was stored',
    partition     UInt32                  COMMENT 'Partition of the record that was stored',
    offset        UInt64                  COMMENT 'Offset of the record that was stored' CODEC(Delta, ZSTD(1))
)
ENGINE = {{engine "MergeTree" "seen_messages"}}
ORDER BY (workspace, message_hash)
SETTINGS index_granularity = 256, {{dedupWindow}}
COMMENT 'One row per stored message, to recognise a message that comes again. Written by: ingest.';
{{distributed "seen_messages" "toUInt64(message_hash)"}}

-- dead_letters: what could not be read, with its bytes.
CREATE TABLE IF NOT EXISTS {{local "dead_letters"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source        LowCardinality(String)  COMMENT 'Source of the message, when it could be read',
    topic         LowCardinality(String)  COMMENT 'Topic of the record',
    partition     UInt32                  COMMENT 'Partition of the record',
    offset        UInt64                  COMMENT 'Offset of the record',
    reason        LowCardinality(String)  COMMENT 'Code of the reason, such as id_reused',
    detail        String                  COMMENT 'Personal. What exactly is wrong' CODEC(ZSTD(1)),
    position      String                  COMMENT 'Where in its input the value stood, such as file and line' CODEC(ZSTD(1)),
    message_id    String                  COMMENT 'Personal. Message id, when it could be read' CODEC(ZSTD(1)),
    value         String                  COMMENT 'Personal. The raw bytes of the record' CODEC(ZSTD(1)),
    headers       Map(String, String)     COMMENT 'Personal. Headers of the record' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "dead_letters"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, received_time, topic, partition, offset)
SETTINGS {{dedupWindow}}
COMMENT 'Messages that could not be stored as events, with reason and bytes, ready to be replayed. Written by: ingest.';
{{distributed "dead_letters" "offset"}}
