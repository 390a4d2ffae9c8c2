// Package synthetic makes records of invented persons whose truth is known, for
// tests and benchmarks of linkage and for trying it without data of one's own.
//
// Generate draws people, alone or in households, with frequency-skewed names of
// several nations, and gives each of them one record or several. The records
// after the first have the faults that real files have: slips of the keyboard,
// of the ear and of scanners, nicknames and initials, swapped names, a marriage
// or a move in between, dates with day and month exchanged, values that are
// missing, cut off or in the wrong column. Twins, fathers and sons of one name
// and couples with one telephone are there to be told apart.
//
// The same Config gives the same bytes on every machine: all draws are integer
// arithmetic on PCG. The lists of names are this package's own; nobody real is
// in them but by accident.
package synthetic
