// Package identity is the vocabulary of profile resolution: identifiers and
// their keys, anchors (the set of identifiers of one event), evidence, the
// rules by which evidence becomes profiles, and the changes that result.
//
// It imports the standard library only, and knows nothing of Kafka, ClickHouse
// or HTTP. The function from evidence to profiles lives in identity/graph, its
// brute-force definition in identity/oracle, and the process that keeps the
// published reading current in identity/ledger.
package identity
