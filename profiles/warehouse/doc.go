// Package warehouse is Kindred's door to ClickHouse: connections, the schema
// with its migrations, and the SQL expressions by which every reader resolves
// an anchor to a profile and reads a property of an event.
//
// It never decides who a person is (identity does) and holds no query of a
// feature: a feature keeps its SQL beside its code and takes the expressions
// AnchorProfile, EventProfile, IdentifierProfile and Property from here, so
// that the mechanisms behind them can change in one place. It is called by
// cmd (Open, Migrate), by the writers ingest and identity (PublishReading) and
// by everything that reads.
package warehouse
