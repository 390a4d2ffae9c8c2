// Package clickhouse stores what ingest decodes: native column batches, one
// block for each table and planned range, under the insert token that makes a
// repeated insert harmless. It writes the tables events, transaction_facts, the
// *_facts of the other kinds, catalogue_entries,
// trait_observations, consents, dead_letters, plan_violations, dead_letter_outcomes and
// seen_messages, and is their only writer.
package clickhouse
