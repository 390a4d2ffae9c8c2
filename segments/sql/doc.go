// Package sql turns segment definitions into ClickHouse SQL and runs previews.
//
// Compile is a pure function: the same definition, rules and now give the same
// text and parameters. Every value is a named parameter that the server binds;
// the text holds names of tables and columns and small whole numbers only.
//
// Leaves share scans: all event leaves of a definition are conditions of one
// grouped query over events, all trait leaves of one over trait_observations,
// and so on. Each scan gives a mask per profile with one bit per leaf; the
// boolean tree is a condition on the mask. A leaf that holds for a profile
// without rows (fewer than three orders) is compiled as its opposite, so that
// a profile that a scan does not return has the right bits without being there.
//
// For some profiles, as segments/live evaluates them, leaves that count or measure events
// may be left out of the SQL: the server reads the events, and Collected counts them.
//
// A Previewer runs them, and explains: reach and intersections are counts of definitions
// that are made of the one that is asked about, so that what a leaf means is written
// once; overlap compares with the members that segments/live has stored; insights take a
// sample of members and others, which is sent along as a table, and count what they have
// (segments/insights ranks it).
package sql
