SELECT 'events', (SELECT count() FROM events WHERE workspace = {workspace:String}), [avg(if(startsWith(toTypeName(anchor_id), 'LowCardinality'), 1, byteSize(anchor_id))), avg(if(startsWith(toTypeName(time), 'LowCardinality'), 1, byteSize(time))), avg(if(startsWith(toTypeName(name), 'LowCardinality'), 1, byteSize(name))), avg(if(startsWith(toTypeName(properties), 'LowCardinality'), 1, byteSize(properties))), avg(if(startsWith(toTypeName(message_hash), 'LowCardinality'), 1, byteSize(message_hash))), avg(if(startsWith(toTypeName(kind), 'LowCardinality'), 1, byteSize(kind)))]
FROM (SELECT anchor_id, time, name, properties, message_hash, kind FROM events WHERE workspace = {workspace:String} LIMIT 1000)
UNION ALL
SELECT 'identifiers', (SELECT count() FROM identifiers WHERE workspace = {workspace:String}), [avg(if(startsWith(toTypeName(identifier_id), 'LowCardinality'), 1, byteSize(identifier_id))), avg(if(startsWith(toTypeName(namespace), 'LowCardinality'), 1, byteSize(namespace)))]
FROM (SELECT identifier_id, namespace FROM identifiers WHERE workspace = {workspace:String} LIMIT 1000)
-- workspace = main
