// Package clickhouse answers for profiles from the tables of the warehouse. It
// implements profiles.Store; it writes nothing.
//
// A profile is read in three round trips: its identifiers, its anchors, and
// then events, transactions, traits and scores at once. Every value is bound
// by the server (named parameters), so none appears in a query text or in the
// server's query log.
package clickhouse
