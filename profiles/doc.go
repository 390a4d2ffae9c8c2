// Package profiles is the vocabulary of the single customer view: what is known
// of one person, how contradicting statements about them become one value
// (survivorship), and the Store that answers by identifier or by id.
//
// It holds no SQL and no HTTP. profiles/clickhouse implements Store over the
// warehouse, profiles/cache decorates any Store, and api serves the result.
package profiles
