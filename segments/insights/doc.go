// Package insights ranks what distinguishes some profiles from all others: counts of
// both sides in, features in order out. It is pure, knows no database, and is called by
// segments/sql.
//
// # Two designs
//
// A feature is something that a profile has or has not; a of A members have it, and b of
// B others. By the plain quotient of the shares, one of two members against none of the
// others beats everything.
//
//  1. The weighted log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi
//     & Quinn 2008): each side gets some more profiles that are like the average, and
//     the difference of the log odds is divided by its standard deviation. Small cells
//     have a wide deviation and fall back. But the quotient says how sure it is that
//     there is a difference, and grows with the root of the number looked at: of ten
//     thousand people a side, 52 % against 50 % of a frequent feature comes before 1 %
//     against 0.2 %, and the order of the list depends on the size of the sample.
//  2. The lower end of an interval of the same log odds ratio with the same prior
//     (chosen): how large the difference is at least. Small cells have wide intervals
//     and fall back as well, a larger sample moves each value towards the real
//     difference and not away to infinity, and a feature whose interval holds 0 is not
//     told at all.
//
// Thousands of features are asked about at once, and numbers are cut where the
// difference shows best, so the interval is of Deviations standard deviations, not of
// two: of two halves of a population that nothing distinguishes, nothing is told.
package insights
