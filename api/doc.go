// Package api is the HTTP door of Kindred: events in (Segment's tracking API,
// native events, webhooks), profiles by any identifier, segment previews,
// the identity graph with its commands, health, metrics and the OpenAPI document
// that describes them.
//
// A handler decodes a request, calls one method of a domain interface, and
// encodes the answer. There is no SQL and no business rule here, and every
// error becomes problem+json (RFC 9457) in problems.go and nowhere else.
//
// The workspace of a request comes from its API key alone. No log line, metric
// or error text holds an identifier, a path with values, a query or a body.
package api
