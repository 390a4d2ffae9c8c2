-- What ingest writes: events, their typed parts, and the memory of messages.
--
-- Figures: two cores shared with other work, so rows and bytes are exact and
-- times only to be compared with each other. Each names the benchmark of this
-- package that gives it (make bench; KINDRED_BENCH_ROWS sets the size).

-- events: one immutable row per event.
--
-- ORDER BY (workspace, anchor_id, time, message_hash), granules of 256 rows: a
-- timeline is one short range per anchor and partition. Read from 10 M events
-- of 1 M people in three months (BenchmarkEventOrder), in thousands of rows:
--
--   sort key, granularity          1 anchor   100 anchors   2 000 anchors   2 000 people (6 000 anchors)
--   anchor, 8192                         41         2 681          10 000       10 000, 180 MB
--   anchor, 1024                        5.1           374           4 693        8 375, 138 MB
--   anchor, 512                         2.6           188           2 686        5 975,  75 MB
--   anchor, 256 (chosen)                1.3            94           1 446        3 700,  44 MB
--   kind, anchor, 1024                 11.3           671           6 579        9 322, 152 MB
--   time, bloom filter, 1024             95         5 799               -       10 006, 178 MB
--   time + projection by anchor, 1024   5.1           374           4 693        8 375, 139 MB
--
-- 256 costs 0.8 % of disk, 35 bytes of index per 1 000 rows in memory, and in
-- loading full rows about 2 of 13 µs of processor time against 8192, nothing
-- that could be told from noise against 1024 (BenchmarkEventInsert). What
-- breaks in the others: kind first multiplies the ranges of a timeline by the
-- kinds; time first makes a week's report read 0.8 instead of 3.4 M of 10 M
-- rows, but a timeline needs the bloom filter, which reads twenty times as
-- much, or the projection, which doubles disk (69 against 34 B a slim row)
-- and adds two thirds to the cost of loading.
--
-- PARTITION BY month of receipt: event dates come from clients and can be
-- anything, so a month of theirs could touch a thousand partitions in one
-- insert; and expiry drops whole months.
--
-- Deduplication: no reader needs FINAL. A retried insert carries the token of
-- the first attempt and is ignored per partition, also when the first attempt
-- stored only some of its partitions, after merges and after a restart
-- (TestRetriedInserts…). The window is counted in blocks per partition.
--
-- properties: JSON text under LZ4, read through warehouse.Property. 300 000
-- events of 750 bytes with ten properties, columnar batches of 20 000
-- (BenchmarkProperties); processor time of server and client per row:
--
--   layout                           insert µs   merge µs   B a row   filter ns   group all ns   whole row ns
--   String ZSTD                           12.5        6.5        27         234            587            703
--   String LZ4 (chosen)                   14.3        6.8        49         141            496            526
--   Map(LowCardinality, String)           21.6        8.8        36         657            450            716
--   Map with buckets                      17.8        8.7        36         680            453            751
--   String + Map made by the server       16.1        9.8        57         549            339            603
--   two typed Maps                        23.6       11.2        48         500            458            892
--   JSON                                  19.8        9.6        41          54             58            865
--   JSON, 8 / 0 dynamic paths            28.5     11 / 13    54 / 86    89 / 111       78 / 101      960 / 749
--
-- (filter: name and revenue > 50, grouped by plan, one event of ten.) JSON reads
-- a property five times as fast and costs 8 µs more per event to store, half of
-- all that 100 000 events a second on two cores leave; its subcolumns also grow
-- with every new key that any client invents. Maps are slower at both, and lose
-- nesting and types. Text keeps what the client said. A property that many
-- filters use can become a column of its own behind warehouse.Property.
-- context and traits stay under ZSTD: they are rarely filtered.
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
--
-- Sorted, partitioned and deduplicated like events, for the same readers and
-- with the same token. Decimal(18, 4): amounts add up exactly, and real prices
-- have up to four places.
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
--
-- Like events; the trait comes before the time because survivorship reads the
-- newest, oldest or most frequent value of each trait of an anchor.
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
--
-- ORDER BY hash, 256 rows to a granule: a look-up is one granule. Of 3 M rows,
-- 1 and 100 messages read 257 and 25 444 rows; with 1024 1 025 and 99 428, with
-- 8192 8 193 and 712 804 (BenchmarkSeenMessages; 27 B a row in all three).
-- No partition: a message must be found whenever it comes again, and one
-- partition makes an insert whole or absent. Same token as events, written
-- after them, so that a message is never remembered but not stored.
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
--
-- Read by time of receipt, newest first, by people: granules stay at 8192.
-- Partitioned like events, so that they expire together; same token.
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
