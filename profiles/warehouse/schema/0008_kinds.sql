-- The typed parts of the kinds beyond transaction, and what is made of them.
--
-- All *_facts tables are sorted, partitioned and deduplicated like events, for
-- the same readers and with the same token: (workspace, anchor_id, time,
-- message_hash), so that what a person did of one kind is one short range, and
-- a fold over a person's readings in order of time reads them as they lie; by
-- month of receipt, because dates come from clients. Granules of 1024 rows: a
-- person has hundreds of readings or fixes where they have ten orders, and the
-- index of a table of readings would be four times as large with 256.

-- H3 cells are computed by geoToH3, whose first argument is the latitude since
-- release 25.5 and was the longitude before. On an older server, or with the
-- setting of old, the migration stops here instead of storing wrong cells.
SELECT throwIf(h3ToString(geoToH3(toFloat64(38.72), toFloat64(-9.14), toUInt8(8))) != '883933676dfffff',
    'geoToH3 must take latitude, longitude: ClickHouse 25.5 or later with geotoh3_argument_order = lat_lon');

CREATE TABLE IF NOT EXISTS {{local "social_facts"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    anchor_id     UInt64                  COMMENT 'Anchor of the event; 0 when it has no identifiers',
    time          DateTime64(3, 'UTC')    COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    message_hash  UInt128                 COMMENT 'Deduplication key of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source        LowCardinality(String)  COMMENT 'Source of the event',
    name          LowCardinality(String)  COMMENT 'Name of the event',
    network       LowCardinality(String)  COMMENT 'Where it was said, such as instagram',
    post_id       String                  COMMENT 'Id of the post on its network' CODEC(ZSTD(1)),
    thread_id     String                  COMMENT 'Conversation that it belongs to' CODEC(ZSTD(1)),
    direction     LowCardinality(String)  COMMENT 'inbound: said by the customer; outbound: said by the brand',
    visibility    LowCardinality(String)  COMMENT 'public or private',
    intent        LowCardinality(String)  COMMENT 'question, complaint, praise or other; empty when unknown',
    author_type   LowCardinality(String)  COMMENT 'human or automated; empty when unknown',
    author        String                  COMMENT 'Personal. Handle or name of the author' CODEC(ZSTD(1)),
    text          String                  COMMENT 'Personal. What was said' CODEC(ZSTD(1)),
    url           String                  COMMENT 'Personal. Address of the post' CODEC(ZSTD(1)),
    reactions     Int64                   COMMENT 'Likes, shares and the like' CODEC(ZSTD(1)),
    language      LowCardinality(String)  COMMENT 'Language, BCP 47; empty when unknown',
    language_by   LowCardinality(String)  COMMENT 'Who says so: producer, or text where it was found from the text',
    sentiment     Nullable(Float32)       COMMENT '-1 (negative) to 1; NULL when unscored, as every text is whose language has no trusted model',
    sentiment_by  LowCardinality(String)  COMMENT 'Who says so: producer, or text where it was found from the text'
)
ENGINE = {{engine "MergeTree" "social_facts"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, anchor_id, time, message_hash)
SETTINGS index_granularity = 1024, {{dedupWindow}}
COMMENT 'The typed part of each social event, by anchor; the view social_interactions adds the profile. Written by: ingest.';
{{distributed "social_facts" "anchor_id"}}

-- location_facts: the cells are stored because computing three takes 0.5 µs a
-- row, which a map of ten million fixes pays at every look. Resolution 5 (250
-- km², edges of 9.9 km) answers "near a city", 7 (5.2 km², 1.4 km) a district,
-- 9 (0.11 km², 200 m) a block: GPS in streets is right to some tens of metres,
-- and finer cells would only divide the noise. Where somebody sleeps is
-- personal: position and block are closed to analysts, district and region open.
CREATE TABLE IF NOT EXISTS {{local "location_facts"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    anchor_id     UInt64                  COMMENT 'Anchor of the event; 0 when it has no identifiers',
    time          DateTime64(3, 'UTC')    COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    message_hash  UInt128                 COMMENT 'Deduplication key of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source        LowCardinality(String)  COMMENT 'Source of the event',
    name          LowCardinality(String)  COMMENT 'Name of the event',
    lat           Float64                 COMMENT 'Personal. Latitude in degrees, WGS 84' CODEC(ZSTD(1)),
    lon           Float64                 COMMENT 'Personal. Longitude in degrees, WGS 84' CODEC(ZSTD(1)),
    accuracy      Float32                 COMMENT 'Radius in metres that holds the true place with 68 %; 0 when unknown' CODEC(ZSTD(1)),
    venue         String                  COMMENT 'Venue as the producer gives it; empty when it gives none' CODEC(ZSTD(1)),
    h3_5          UInt64 DEFAULT geoToH3(lat, lon, toUInt8(5)) COMMENT 'H3 cell of resolution 5, about 250 km²' CODEC(ZSTD(1)),
    h3_7          UInt64 DEFAULT geoToH3(lat, lon, toUInt8(7)) COMMENT 'H3 cell of resolution 7, about 5 km²' CODEC(ZSTD(1)),
    h3_9          UInt64 DEFAULT geoToH3(lat, lon, toUInt8(9)) COMMENT 'Personal. H3 cell of resolution 9, about 0.1 km²' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "location_facts"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, anchor_id, time, message_hash)
SETTINGS index_granularity = 1024, {{dedupWindow}}
COMMENT 'Position fixes and check-ins, by anchor; the view locations adds the profile and the venue. Written by: ingest.';
{{distributed "location_facts" "anchor_id"}}

CREATE TABLE IF NOT EXISTS {{local "support_facts"}} {{onCluster}}
(
    workspace        LowCardinality(String)  COMMENT 'Workspace',
    anchor_id        UInt64                  COMMENT 'Anchor of the event; 0 when it has no identifiers',
    time             DateTime64(3, 'UTC')    COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    message_hash     UInt128                 COMMENT 'Deduplication key of the event',
    received_time    DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source           LowCardinality(String)  COMMENT 'Source of the event',
    name             LowCardinality(String)  COMMENT 'Name of the event',
    case_id          String                  COMMENT 'Case that the message or change belongs to' CODEC(ZSTD(1)),
    channel          LowCardinality(String)  COMMENT 'Channel, such as phone, email, chat, in_store or bot',
    direction        LowCardinality(String)  COMMENT 'inbound: from the customer; outbound: from the brand',
    author_type      LowCardinality(String)  COMMENT 'human or automated; empty when unknown',
    status           LowCardinality(String)  COMMENT 'open, pending, solved, closed or reopened; empty when unknown',
    self_service     LowCardinality(String)  COMMENT 'Outcome of self-service: resolved, escalated or abandoned; empty for assisted contacts',
    topic            LowCardinality(String)  COMMENT 'What it is about, as the help desk files it',
    subject          String                  COMMENT 'Personal. Subject line' CODEC(ZSTD(1)),
    text             String                  COMMENT 'Personal. What was written or said' CODEC(ZSTD(1)),
    agent            String                  COMMENT 'Personal. Who answered' CODEC(ZSTD(1)),
    response_seconds Nullable(Float64)       COMMENT 'Time until this answer; NULL when it is none' CODEC(ZSTD(1)),
    language         LowCardinality(String)  COMMENT 'Language, BCP 47; empty when unknown',
    language_by      LowCardinality(String)  COMMENT 'Who says so: producer, or text where it was found from the text',
    sentiment        Nullable(Float32)       COMMENT '-1 (negative) to 1; NULL when unscored, as every text is whose language has no trusted model',
    sentiment_by     LowCardinality(String)  COMMENT 'Who says so: producer, or text where it was found from the text'
)
ENGINE = {{engine "MergeTree" "support_facts"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, anchor_id, time, message_hash)
SETTINGS index_granularity = 1024, {{dedupWindow}}
COMMENT 'Messages and changes of support cases, by anchor; the view support_contacts adds the profile. Written by: ingest.';
{{distributed "support_facts" "anchor_id"}}

CREATE TABLE IF NOT EXISTS {{local "feedback_facts"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    anchor_id     UInt64                  COMMENT 'Anchor of the event; 0 for anonymous answers',
    time          DateTime64(3, 'UTC')    COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    message_hash  UInt128                 COMMENT 'Deduplication key of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source        LowCardinality(String)  COMMENT 'Source of the event',
    name          LowCardinality(String)  COMMENT 'Name of the event',
    instrument    LowCardinality(String)  COMMENT 'nps, csat, ces, review or free',
    score         Nullable(Float64)       COMMENT 'The answer; NULL for free text' CODEC(ZSTD(1)),
    scale_min     Nullable(Float64)       COMMENT 'Least possible score' CODEC(ZSTD(1)),
    scale_max     Nullable(Float64)       COMMENT 'Greatest possible score' CODEC(ZSTD(1)),
    comment       String                  COMMENT 'Personal. What was written' CODEC(ZSTD(1)),
    survey        LowCardinality(String)  COMMENT 'Survey',
    question      String                  COMMENT 'Question of the survey' CODEC(ZSTD(1)),
    wave          LowCardinality(String)  COMMENT 'Round of the survey',
    subject       String                  COMMENT 'What a review is about, such as a product id' CODEC(ZSTD(1)),
    language      LowCardinality(String)  COMMENT 'Language, BCP 47; empty when unknown',
    language_by   LowCardinality(String)  COMMENT 'Who says so: producer, or text where it was found from the text',
    sentiment     Nullable(Float32)       COMMENT '-1 (negative) to 1; NULL when unscored, as every text is whose language has no trusted model',
    sentiment_by  LowCardinality(String)  COMMENT 'Who says so: producer, or text where it was found from the text'
)
ENGINE = {{engine "MergeTree" "feedback_facts"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, anchor_id, time, message_hash)
SETTINGS index_granularity = 1024, {{dedupWindow}}
COMMENT 'Answers to surveys, and reviews, by anchor; the view feedback adds the profile. Written by: ingest.';
{{distributed "feedback_facts" "anchor_id"}}

CREATE TABLE IF NOT EXISTS {{local "sensor_facts"}} {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    anchor_id     UInt64                  COMMENT 'Anchor of the event: of the tag, the phone or the person seen; 0 when nobody is known',
    time          DateTime64(3, 'UTC')    COMMENT 'When it was read' CODEC(Delta, ZSTD(1)),
    message_hash  UInt128                 COMMENT 'Deduplication key of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source        LowCardinality(String)  COMMENT 'Source of the event',
    name          LowCardinality(String)  COMMENT 'Name of the event',
    technology    LowCardinality(String)  COMMENT 'rfid, beacon, iot or video',
    device        LowCardinality(String)  COMMENT 'Reader, gateway or camera',
    zone          LowCardinality(String)  COMMENT 'Place that the device watches; without one the reading belongs to no visit',
    phase         LowCardinality(String)  COMMENT 'enter, dwell or leave where the device says so itself; else empty',
    reading       Nullable(Float64)       COMMENT 'What was measured, such as the strength of the signal' CODEC(ZSTD(1)),
    unit          LowCardinality(String)  COMMENT 'Unit of the reading, such as dBm',
    dwell_seconds Nullable(Float64)       COMMENT 'Stay that the device has measured itself, up to the time of the reading' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "sensor_facts"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, anchor_id, time, message_hash)
SETTINGS index_granularity = 1024, {{dedupWindow}}
COMMENT 'Readings of RFID, beacons, other sensors and video analytics, by anchor; the view visits folds them. Written by: ingest.';
{{distributed "sensor_facts" "anchor_id"}}

CREATE TABLE IF NOT EXISTS {{local "contact_facts"}} {{onCluster}}
(
    workspace       LowCardinality(String)  COMMENT 'Workspace',
    anchor_id       UInt64                  COMMENT 'Anchor of the event; 0 when it has no identifiers',
    time            DateTime64(3, 'UTC')    COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    message_hash    UInt128                 COMMENT 'Deduplication key of the event',
    received_time   DateTime64(3, 'UTC')    COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source          LowCardinality(String)  COMMENT 'Source of the event',
    name            LowCardinality(String)  COMMENT 'Name of the event',
    action          LowCardinality(String)  COMMENT 'sent, delivered, opened, clicked, replied, bounced, complained, unsubscribed or suppressed',
    channel         LowCardinality(String)  COMMENT 'Channel, such as email, sms, push or post',
    campaign        LowCardinality(String)  COMMENT 'Campaign',
    template        LowCardinality(String)  COMMENT 'Template of the message',
    sent_message_id String                  COMMENT 'Id of the message sent, equal for all its actions' CODEC(ZSTD(1)),
    subject         String                  COMMENT 'Personal. Subject line, which may hold a name' CODEC(ZSTD(1)),
    link            String                  COMMENT 'Personal. Link that was clicked, which may hold a token' CODEC(ZSTD(1)),
    detail          String                  COMMENT 'Personal. More, such as the reason of a bounce, which may hold an address' CODEC(ZSTD(1))
)
ENGINE = {{engine "MergeTree" "contact_facts"}}
PARTITION BY toYYYYMM(received_time)
ORDER BY (workspace, anchor_id, time, message_hash)
SETTINGS index_granularity = 1024, {{dedupWindow}}
COMMENT 'What became of the messages that the brand sent, by anchor; the view contacts adds the profile. Written by: ingest.';
{{distributed "contact_facts" "anchor_id"}}

-- catalogue_entries: what was said of each entry, by whom and when.
--
-- Read by the view catalogue, whole or by entry: ORDER BY the entry. The rest of
-- the sort key is what a row says, so that the same said again replaces the row
-- before: a product that is looked at a million times has a row for each thing
-- that was ever said of it, and not a million. No reader needs FINAL: the view
-- takes the latest by time, whether rows have been replaced yet or not. Not
-- partitioned, because rows of one entry must meet to be replaced, and because
-- a catalogue does not expire. Same token as events.
CREATE TABLE IF NOT EXISTS {{local "catalogue_entries"}} {{onCluster}}
(
    workspace     LowCardinality(String)    COMMENT 'Workspace',
    type          LowCardinality(String)    COMMENT 'product, store, venue or action',
    item_id       String                    COMMENT 'Id of the entry, unique by type' CODEC(ZSTD(1)),
    stated        Bool                      COMMENT 'true: the whole state, said by a catalogue event; false: mentioned by an order or a product event',
    said          UInt64 DEFAULT sipHash64(name, category, brand, variant, currency, active, url, image, radius, toString(tuple(price, cost, lat, lon))) COMMENT 'Hash of what the row says',
    time          DateTime64(3, 'UTC')      COMMENT 'When it was said' CODEC(Delta, ZSTD(1)),
    message_hash  UInt128                   COMMENT 'Deduplication key of the event',
    received_time DateTime64(3, 'UTC')      COMMENT 'When the broker appended the record' CODEC(Delta, ZSTD(1)),
    source        LowCardinality(String)    COMMENT 'Source of the event',
    name          String                    COMMENT 'Name' CODEC(ZSTD(1)),
    category      Array(String)             COMMENT 'Category from the widest to the narrowest' CODEC(ZSTD(1)),
    brand         LowCardinality(String)    COMMENT 'Brand',
    variant       String                    COMMENT 'Variant, such as a colour or a size' CODEC(ZSTD(1)),
    currency      LowCardinality(String)    COMMENT 'ISO 4217 code of price and cost',
    price         Nullable(Decimal(18, 4))  COMMENT 'Price per unit; NULL when unknown',
    cost          Nullable(Decimal(18, 4))  COMMENT 'Cost per unit; NULL when unknown',
    active        Bool                      COMMENT 'Whether it is on offer, open or in use',
    url           String                    COMMENT 'Address of its page' CODEC(ZSTD(1)),
    image         String                    COMMENT 'Address of its picture' CODEC(ZSTD(1)),
    lat           Nullable(Float64)         COMMENT 'Latitude of a store or venue, degrees',
    lon           Nullable(Float64)         COMMENT 'Longitude of a store or venue, degrees',
    radius        Float32                   COMMENT 'Metres within which it extends; 0 when unknown'
)
ENGINE = {{engine "ReplacingMergeTree(time)" "catalogue_entries"}}
ORDER BY (workspace, type, item_id, stated, said)
SETTINGS index_granularity = 1024, {{dedupWindow}}
COMMENT 'What was said of products, stores, venues and actions; the view catalogue takes the latest. Written by: ingest.';
{{distributed "catalogue_entries" "cityHash64(type, item_id)"}}

CREATE OR REPLACE VIEW social_interactions {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    profile_id    UInt64                  COMMENT 'Profile in the current reading; 0 for none',
    time          DateTime64(3, 'UTC')    COMMENT 'When it happened',
    name          LowCardinality(String)  COMMENT 'Name of the event',
    source        LowCardinality(String)  COMMENT 'Source of the event',
    network       LowCardinality(String)  COMMENT 'Where it was said',
    post_id       String                  COMMENT 'Id of the post on its network',
    thread_id     String                  COMMENT 'Conversation that it belongs to',
    direction     LowCardinality(String)  COMMENT 'inbound: said by the customer; outbound: said by the brand',
    visibility    LowCardinality(String)  COMMENT 'public or private',
    intent        LowCardinality(String)  COMMENT 'question, complaint, praise or other; empty when unknown',
    author_type   LowCardinality(String)  COMMENT 'human or automated; empty when unknown',
    text_length   UInt64                  COMMENT 'Characters of the text, which is not shown',
    reactions     Int64                   COMMENT 'Likes, shares and the like',
    language      LowCardinality(String)  COMMENT 'Language, BCP 47; empty when unknown',
    sentiment     Nullable(Float32)       COMMENT '-1 (negative) to 1; NULL when unscored',
    sentiment_by  LowCardinality(String)  COMMENT 'Who says so: producer, or text where it was found from the text',
    anchor_id     UInt64                  COMMENT 'Anchor of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When it arrived',
    message_hash  UInt128                 COMMENT 'Deduplication key of the event'
)
{{asDefiner}}
AS
SELECT workspace, {{eventProfile "anchor_id" "time"}} AS profile_id, time, name, source, network, post_id, thread_id,
    direction, visibility, intent, author_type, lengthUTF8(text) AS text_length, reactions, language, sentiment, sentiment_by,
    anchor_id, received_time, message_hash
FROM {{database}}.social_facts
COMMENT 'Posts, comments and direct messages with their present profile, without their words and authors. Written by: nobody, a view.';

CREATE OR REPLACE VIEW support_contacts {{onCluster}}
(
    workspace        LowCardinality(String)  COMMENT 'Workspace',
    profile_id       UInt64                  COMMENT 'Profile in the current reading; 0 for none',
    time             DateTime64(3, 'UTC')    COMMENT 'When it happened',
    name             LowCardinality(String)  COMMENT 'Name of the event',
    source           LowCardinality(String)  COMMENT 'Source of the event',
    case_id          String                  COMMENT 'Case that the message or change belongs to',
    channel          LowCardinality(String)  COMMENT 'Channel, such as phone, email, chat, in_store or bot',
    direction        LowCardinality(String)  COMMENT 'inbound: from the customer; outbound: from the brand',
    author_type      LowCardinality(String)  COMMENT 'human or automated; empty when unknown',
    status           LowCardinality(String)  COMMENT 'open, pending, solved, closed or reopened; empty when unknown',
    self_service     LowCardinality(String)  COMMENT 'Outcome of self-service: resolved, escalated or abandoned; empty for assisted contacts',
    topic            LowCardinality(String)  COMMENT 'What it is about',
    text_length      UInt64                  COMMENT 'Characters of the text, which is not shown',
    response_seconds Nullable(Float64)       COMMENT 'Time until this answer; NULL when it is none',
    language         LowCardinality(String)  COMMENT 'Language, BCP 47; empty when unknown',
    sentiment        Nullable(Float32)       COMMENT '-1 (negative) to 1; NULL when unscored',
    sentiment_by     LowCardinality(String)  COMMENT 'Who says so: producer, or text where it was found from the text',
    anchor_id        UInt64                  COMMENT 'Anchor of the event',
    received_time    DateTime64(3, 'UTC')    COMMENT 'When it arrived',
    message_hash     UInt128                 COMMENT 'Deduplication key of the event'
)
{{asDefiner}}
AS
SELECT workspace, {{eventProfile "anchor_id" "time"}} AS profile_id, time, name, source, case_id, channel, direction, author_type,
    status, self_service, topic, lengthUTF8(text) AS text_length, response_seconds, language, sentiment, sentiment_by,
    anchor_id, received_time, message_hash
FROM {{database}}.support_facts
COMMENT 'Contacts of support cases with their present profile, without their words and agents. Written by: nobody, a view.';

CREATE OR REPLACE VIEW feedback {{onCluster}}
(
    workspace      LowCardinality(String)  COMMENT 'Workspace',
    profile_id     UInt64                  COMMENT 'Profile in the current reading; 0 for none, such as anonymous answers',
    time           DateTime64(3, 'UTC')    COMMENT 'When it happened',
    name           LowCardinality(String)  COMMENT 'Name of the event',
    source         LowCardinality(String)  COMMENT 'Source of the event',
    instrument     LowCardinality(String)  COMMENT 'nps, csat, ces, review or free',
    score          Nullable(Float64)       COMMENT 'The answer; NULL for free text',
    scale_min      Nullable(Float64)       COMMENT 'Least possible score',
    scale_max      Nullable(Float64)       COMMENT 'Greatest possible score',
    share          Nullable(Float64)       COMMENT 'The answer on a scale of 0 to 1; NULL without a score or a scale',
    survey         LowCardinality(String)  COMMENT 'Survey',
    question       String                  COMMENT 'Question of the survey',
    wave           LowCardinality(String)  COMMENT 'Round of the survey',
    subject        String                  COMMENT 'What a review is about, such as a product id',
    comment_length UInt64                  COMMENT 'Characters of the comment, which is not shown',
    language       LowCardinality(String)  COMMENT 'Language, BCP 47; empty when unknown',
    sentiment      Nullable(Float32)       COMMENT '-1 (negative) to 1; NULL when unscored',
    sentiment_by   LowCardinality(String)  COMMENT 'Who says so: producer, or text where it was found from the text',
    anchor_id      UInt64                  COMMENT 'Anchor of the event',
    received_time  DateTime64(3, 'UTC')    COMMENT 'When it arrived',
    message_hash   UInt128                 COMMENT 'Deduplication key of the event'
)
{{asDefiner}}
AS
SELECT workspace, {{eventProfile "anchor_id" "time"}} AS profile_id, time, name, source, instrument, score, scale_min, scale_max,
    if(scale_max > scale_min, (score - scale_min) / (scale_max - scale_min), NULL) AS share,
    survey, question, wave, subject, lengthUTF8(comment) AS comment_length, language, sentiment, sentiment_by,
    anchor_id, received_time, message_hash
FROM {{database}}.feedback_facts
COMMENT 'Answers to surveys, and reviews, with their present profile, without their words. Written by: nobody, a view.';

CREATE OR REPLACE VIEW sensor_readings {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    profile_id    UInt64                  COMMENT 'Profile in the current reading; 0 for none',
    time          DateTime64(3, 'UTC')    COMMENT 'When it was read',
    name          LowCardinality(String)  COMMENT 'Name of the event',
    source        LowCardinality(String)  COMMENT 'Source of the event',
    technology    LowCardinality(String)  COMMENT 'rfid, beacon, iot or video',
    device        LowCardinality(String)  COMMENT 'Reader, gateway or camera',
    zone          LowCardinality(String)  COMMENT 'Place that the device watches',
    phase         LowCardinality(String)  COMMENT 'enter, dwell or leave where the device says so itself',
    reading       Nullable(Float64)       COMMENT 'What was measured',
    unit          LowCardinality(String)  COMMENT 'Unit of the reading',
    dwell_seconds Nullable(Float64)       COMMENT 'Stay that the device has measured itself',
    anchor_id     UInt64                  COMMENT 'Anchor of the event',
    received_time DateTime64(3, 'UTC')    COMMENT 'When it arrived',
    message_hash  UInt128                 COMMENT 'Deduplication key of the event'
)
{{asDefiner}}
AS
SELECT workspace, {{eventProfile "anchor_id" "time"}} AS profile_id, time, name, source, technology, device, zone, phase,
    reading, unit, dwell_seconds, anchor_id, received_time, message_hash
FROM {{database}}.sensor_facts
COMMENT 'Sensor readings with their present profile. Written by: nobody, a view.';

CREATE OR REPLACE VIEW contacts {{onCluster}}
(
    workspace       LowCardinality(String)  COMMENT 'Workspace',
    profile_id      UInt64                  COMMENT 'Profile in the current reading; 0 for none',
    time            DateTime64(3, 'UTC')    COMMENT 'When it happened',
    name            LowCardinality(String)  COMMENT 'Name of the event',
    source          LowCardinality(String)  COMMENT 'Source of the event',
    action          LowCardinality(String)  COMMENT 'sent, delivered, opened, clicked, replied, bounced, complained, unsubscribed or suppressed',
    channel         LowCardinality(String)  COMMENT 'Channel, such as email, sms, push or post',
    campaign        LowCardinality(String)  COMMENT 'Campaign',
    template        LowCardinality(String)  COMMENT 'Template of the message',
    sent_message_id String                  COMMENT 'Id of the message sent, equal for all its actions',
    link_host       String                  COMMENT 'Host of the link that was clicked',
    anchor_id       UInt64                  COMMENT 'Anchor of the event',
    received_time   DateTime64(3, 'UTC')    COMMENT 'When it arrived',
    message_hash    UInt128                 COMMENT 'Deduplication key of the event'
)
{{asDefiner}}
AS
SELECT workspace, {{eventProfile "anchor_id" "time"}} AS profile_id, time, name, source, action, channel, campaign, template,
    sent_message_id, domain(link) AS link_host, anchor_id, received_time, message_hash
FROM {{database}}.contact_facts
COMMENT 'What became of the messages that the brand sent, with their present profile. Written by: nobody, a view.';

-- catalogue: where an entry was ever stated, its latest statement stands as a
-- whole, and mentions change nothing: a shop that imports its catalogue wins
-- over what a page says. An entry that was only mentioned has of each thing the
-- latest that was said. Equal times are decided by the hash of the message.
CREATE OR REPLACE VIEW catalogue {{onCluster}}
(
    workspace LowCardinality(String)    COMMENT 'Workspace',
    type      LowCardinality(String)    COMMENT 'product, store, venue or action',
    item_id   String                    COMMENT 'Id of the entry, unique by type',
    stated    Bool                      COMMENT 'true: as a catalogue event stated it; false: known from orders and product events only',
    since     DateTime64(3, 'UTC')      COMMENT 'When the state was said; the latest mention where it was not stated',
    name      String                    COMMENT 'Name',
    category  Array(String)             COMMENT 'Category from the widest to the narrowest',
    brand     LowCardinality(String)    COMMENT 'Brand',
    variant   String                    COMMENT 'Variant, such as a colour or a size',
    currency  LowCardinality(String)    COMMENT 'ISO 4217 code of price and cost',
    price     Nullable(Decimal(18, 4))  COMMENT 'Price per unit; NULL when unknown',
    cost      Nullable(Decimal(18, 4))  COMMENT 'Cost per unit; NULL when unknown',
    active    Bool                      COMMENT 'Whether it is on offer, open or in use',
    url       String                    COMMENT 'Address of its page',
    image     String                    COMMENT 'Address of its picture',
    lat       Nullable(Float64)         COMMENT 'Latitude of a store or venue, degrees',
    lon       Nullable(Float64)         COMMENT 'Longitude of a store or venue, degrees',
    radius    Float32                   COMMENT 'Metres within which it extends; 0 when unknown'
)
{{asDefiner}}
AS
SELECT workspace, type, item_id, tupleElement(latest, 1) AS stated, tupleElement(latest, 2) AS since,
    if(stated, tupleElement(state, 1), said_name) AS name,
    if(stated, tupleElement(state, 2), said_category) AS category,
    if(stated, tupleElement(state, 3), said_brand) AS brand,
    if(stated, tupleElement(state, 4), said_variant) AS variant,
    if(stated, tupleElement(state, 5), tupleElement(said_price, 1)) AS currency,
    if(stated, tupleElement(state, 6), tupleElement(said_price, 2)) AS price,
    if(stated, tupleElement(state, 7), tupleElement(said_price, 3)) AS cost,
    if(stated, tupleElement(state, 8), true) AS active,
    if(stated, tupleElement(state, 9), said_url) AS url,
    if(stated, tupleElement(state, 10), said_image) AS image,
    if(stated, tupleElement(state, 11), NULL) AS lat,
    if(stated, tupleElement(state, 12), NULL) AS lon,
    if(stated, tupleElement(state, 13), toFloat32(0)) AS radius
FROM
(
    SELECT workspace, type, item_id, max((e.stated, e.time, e.message_hash)) AS latest,
        argMax(tuple(e.name, e.category, e.brand, e.variant, e.currency, e.price, e.cost, e.active, e.url, e.image, e.lat, e.lon, e.radius),
            (e.stated, e.time, e.message_hash)) AS state,
        argMaxIf(e.name, (e.time, e.message_hash), e.name != '') AS said_name,
        argMaxIf(e.category, (e.time, e.message_hash), notEmpty(e.category)) AS said_category,
        argMaxIf(e.brand, (e.time, e.message_hash), e.brand != '') AS said_brand,
        argMaxIf(e.variant, (e.time, e.message_hash), e.variant != '') AS said_variant,
        argMaxIf((e.currency, e.price, e.cost), (e.time, e.message_hash), isNotNull(e.price) OR isNotNull(e.cost)) AS said_price,
        argMaxIf(e.url, (e.time, e.message_hash), e.url != '') AS said_url,
        argMaxIf(e.image, (e.time, e.message_hash), e.image != '') AS said_image
    FROM {{database}}.catalogue_entries AS e
    GROUP BY workspace, type, item_id
)
COMMENT 'The present state of products, stores, venues and actions. Written by: nobody, a view.';

-- location_venues: which venue each fix belongs to, decided after the fact,
-- because the venues of the catalogue and what is known of their visitors change.
-- A table of its own, so that events and facts stay as they arrived. Sorted like
-- the facts that it is joined to; the latest revision of a fix stands, and
-- ReplacingMergeTree only saves the room of older ones. Not partitioned, so that
-- the revisions of a fix meet.
CREATE TABLE IF NOT EXISTS {{local "location_venues"}} {{onCluster}}
(
    workspace    LowCardinality(String)  COMMENT 'Workspace',
    anchor_id    UInt64                  COMMENT 'Anchor of the fix',
    time         DateTime64(3, 'UTC')    COMMENT 'Time of the fix' CODEC(Delta, ZSTD(1)),
    message_hash UInt128                 COMMENT 'Deduplication key of the fix',
    revision     UInt64                  COMMENT 'Rises with every change of the assignment; the latest stands' CODEC(ZSTD(1)),
    venue        String                  COMMENT 'Most probable venue; empty when none is near enough' CODEC(ZSTD(1)),
    probability  Float32                 COMMENT 'That the fix belongs to the venue, given its position, the venues around and their visits so far'
)
ENGINE = {{engine "ReplacingMergeTree(revision)" "location_venues"}}
ORDER BY (workspace, anchor_id, time, message_hash)
SETTINGS index_granularity = 1024
COMMENT 'The venue of each position fix, with its probability. Written by: worker.';
{{distributed "location_venues" "anchor_id"}}

CREATE OR REPLACE VIEW locations {{onCluster}}
(
    workspace         LowCardinality(String)  COMMENT 'Workspace',
    profile_id        UInt64                  COMMENT 'Profile in the current reading; 0 for none',
    time              DateTime64(3, 'UTC')    COMMENT 'When it happened',
    name              LowCardinality(String)  COMMENT 'Name of the event',
    source            LowCardinality(String)  COMMENT 'Source of the event',
    accuracy          Float32                 COMMENT 'Radius in metres that holds the true place with 68 %; 0 when unknown',
    h3_5              UInt64                  COMMENT 'H3 cell of resolution 5, about 250 km²',
    h3_7              UInt64                  COMMENT 'H3 cell of resolution 7, about 5 km²',
    venue             String                  COMMENT 'Venue as the producer gives it, else the most probable one; empty when none is near',
    venue_probability Float32                 COMMENT '1 where the producer gives the venue; ask for 0.8 and more to be sure',
    venue_by          LowCardinality(String)  COMMENT 'producer, or position where it was found from the position',
    anchor_id         UInt64                  COMMENT 'Anchor of the event',
    received_time     DateTime64(3, 'UTC')    COMMENT 'When it arrived',
    message_hash      UInt128                 COMMENT 'Deduplication key of the event'
)
{{asDefiner}}
AS
SELECT f.workspace AS workspace, {{eventProfile "f.anchor_id" "f.time"}} AS profile_id, f.time AS time, f.name AS name, f.source AS source,
    f.accuracy AS accuracy, f.h3_5 AS h3_5, f.h3_7 AS h3_7,
    if(f.venue != '', f.venue, v.best) AS venue, if(f.venue != '', toFloat32(1), v.chance) AS venue_probability,
    CAST(multiIf(f.venue != '', 'producer', v.best != '', 'position', ''), 'LowCardinality(String)') AS venue_by,
    f.anchor_id AS anchor_id, f.received_time AS received_time, f.message_hash AS message_hash
FROM {{database}}.location_facts AS f
LEFT JOIN
(
    SELECT workspace, message_hash, argMax(a.venue, a.revision) AS best, argMax(a.probability, a.revision) AS chance
    FROM {{database}}.location_venues AS a
    GROUP BY workspace, message_hash
) AS v ON f.workspace = v.workspace AND f.message_hash = v.message_hash
COMMENT 'Position fixes with their present profile and venue, without the exact position. Written by: nobody, a view.';

-- visits: readings folded into stays. It is a view, and so a pure function of
-- the readings as a set: late readings, repeated ones and a replay change
-- nothing but what they should, and there is no state to repair. Parameters:
--
--   slot 5 s      readings are weighed against each other in slots, each with the
--                 three before and after it: a reader next door that hears the
--                 tag too is weaker or hears it less often, and loses even where
--                 the right one missed the tag for a moment
--   gap 120 s     a stay goes on over silence up to this long, as tags are
--                 missed when a body is in between
--   3 readings    fewer that won are a ghost, or somebody walking past
--   12 h          the longest silence inside a stay whose device says by itself
--                 who enters and who leaves
--
-- Without a phase: (1) the readings of an anchor and technology are added up by
-- slot and zone, each with its amplitude relative to -70 dBm, or 1 where the
-- strength is not known; (2) the zone with the greatest sum in the seven slots
-- around a slot wins it, and readings of others in it are dropped; (3) slots in a
-- row won by one zone are a run; (4) runs of fewer than three readings are
-- dropped; (5) what is left of one zone without another in between is one stay.
-- With a phase the device is believed: enter begins a stay and leave ends it. A
-- device that measures a stay itself says when it began. Readings without an
-- anchor are of nobody, and in no visit.
--
-- F1 against the truth of the simulation (TestVisits; a match is the same tag
-- and zone with an overlap of half of the longer): see the docs of ingest. The
-- other ways that were tried, under the noise of the demo and under twice the
-- misses and ghosts: slots with their neighbours, decided
-- only among the zones read in the slot .961 and .68; this one .986 and .92.
-- Cost: BenchmarkVisits. Ask for a workspace, and for an anchor if you know it:
-- both conditions reach the table, and one anchor is one range of its sort key.
CREATE OR REPLACE VIEW visits {{onCluster}}
(
    workspace     LowCardinality(String)  COMMENT 'Workspace',
    profile_id    UInt64                  COMMENT 'Profile in the current reading; 0 while pending',
    zone          LowCardinality(String)  COMMENT 'Place that was visited',
    technology    LowCardinality(String)  COMMENT 'rfid, beacon, iot or video',
    entered       DateTime64(3, 'UTC')    COMMENT 'First reading of the stay',
    left          DateTime64(3, 'UTC')    COMMENT 'Last reading of the stay',
    dwell_seconds Float64                 COMMENT 'From the first to the last reading',
    readings      UInt64                  COMMENT 'Readings that the stay is made of',
    phased        Bool                    COMMENT 'Whether the device itself said who enters and leaves',
    anchor_id     UInt64                  COMMENT 'Anchor of the tag, phone or person'
)
{{asDefiner}}
AS
WITH
    toIntervalSecond(120) AS gap, 3 AS enough, toIntervalHour(12) AS longest,
    heard AS
    (
        SELECT workspace, anchor_id, technology, zone, intDiv(toUnixTimestamp64Milli(time), 5000) AS slot,
            min(time) AS first, max(time) AS last, count() AS readings, sum(if(unit = 'dBm', pow(10, (ifNull(reading, -70) + 70) / 20), 1)) AS loud
        FROM {{database}}.sensor_facts
        WHERE anchor_id != 0 AND zone != '' AND phase = '' AND dwell_seconds IS NULL
        GROUP BY workspace, anchor_id, technology, zone, slot
    ),
    won AS
    (
        SELECT workspace, anchor_id, technology, slot, argMax((zone, first, last, readings), (around, zone)) AS best
        FROM
        (
            SELECT workspace, anchor_id, technology, zone, slot + arrayJoin([-3, -2, -1, 0, 1, 2, 3]) AS slot,
                sum(loud) AS around, minIf(h.first, h.slot = slot) AS first, maxIf(h.last, h.slot = slot) AS last, sumIf(h.readings, h.slot = slot) AS readings
            FROM heard AS h
            GROUP BY workspace, anchor_id, technology, zone, slot
        )
        GROUP BY workspace, anchor_id, technology, slot
        HAVING best.4 > 0
    ),
    runs AS
    (
        SELECT workspace, anchor_id, technology, run, any(zone) AS zone, min(first) AS first, max(last) AS last, sum(readings) AS readings
        FROM
        (
            SELECT *, sum(begins) OVER (PARTITION BY workspace, anchor_id, technology ORDER BY slot) AS run
            FROM
            (
                SELECT workspace, anchor_id, technology, slot, best.1 AS zone, best.2 AS first, best.3 AS last, best.4 AS readings,
                    lagInFrame(best.1) OVER w != zone OR first > lagInFrame(best.3) OVER w + gap AS begins
                FROM won
                WINDOW w AS (PARTITION BY workspace, anchor_id, technology ORDER BY slot ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
            )
        )
        GROUP BY workspace, anchor_id, technology, run
        HAVING readings >= enough
    ),
    stays AS
    (
        SELECT workspace, anchor_id, technology, zone, first, last, readings, false AS phased,
            lagInFrame(zone) OVER w != zone OR first > lagInFrame(last) OVER w + gap AS begins
        FROM runs
        WINDOW w AS (PARTITION BY workspace, anchor_id, technology ORDER BY first ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    ),
    told AS
    (
        SELECT workspace, anchor_id, technology, zone, time - toIntervalMillisecond(toInt64(ifNull(dwell_seconds, 0) * 1000)) AS first, time AS last,
            toUInt64(1) AS readings, true AS phased, lagInFrame(phase) OVER w AS before,
            before = 'leave' OR (phase = 'enter' AND before != 'enter') OR time > lagInFrame(time) OVER w + if(before IN ('enter', 'dwell') AND phase IN ('dwell', 'leave'), longest, gap) AS begins
        FROM {{database}}.sensor_facts
        WHERE anchor_id != 0 AND zone != '' AND (phase != '' OR dwell_seconds IS NOT NULL)
        WINDOW w AS (PARTITION BY workspace, anchor_id, technology, zone ORDER BY time, message_hash ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
    )
SELECT workspace, {{eventProfile "anchor_id" "entered"}} AS profile_id, zone, technology, min(first) AS entered, max(last) AS left,
    dateDiff('millisecond', entered, left) / 1000 AS dwell_seconds, sum(readings) AS readings, phased, anchor_id
FROM
(
    SELECT workspace, anchor_id, technology, zone, first, last, readings, phased,
        sum(begins) OVER (PARTITION BY workspace, anchor_id, technology ORDER BY first) AS stay
    FROM stays
    UNION ALL
    SELECT workspace, anchor_id, technology, zone, first, last, readings, phased,
        sum(begins) OVER (PARTITION BY workspace, anchor_id, technology, zone ORDER BY last) AS stay
    FROM told
)
GROUP BY workspace, anchor_id, technology, zone, phased, stay
COMMENT 'Stays of tags, phones and persons in zones, folded from sensor readings. Written by: nobody, a view.';
