// Package linkage finds the records of one person where no identifier is
// shared, without labels: probabilistic record linkage after Fellegi and Sunter
// ("A Theory for Record Linkage", JASA 64, 1969).
//
// A Table holds the records by column. Link chooses what to compare
// (blocking), learns how much agreement and disagreement of each column say
// (u by sampling, m by expectation maximisation over counts of agreement
// patterns), weighs every candidate pair in bits, and joins records into
// clusters that never chain. A Model is frozen once it is trained: scoring one
// more record with it gives what scoring all of them would.
//
// The package reads no files, knows no database and never decides who is one
// profile: its weights enter the identity ledger as scored record pairs
// (identity.Rules.LinkThreshold), where they are explained, undone and
// overruled like all other evidence.
package linkage
