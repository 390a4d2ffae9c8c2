// Package evaluate scores profiles against a known truth: pairwise precision,
// recall and F1, and the two simple methods that any resolution must beat. It
// reads keys only, stores nothing, and is called by evaluations and tests, never
// by the process that resolves profiles, which must not know the truth.
//
// Source of the measure: Menestrina, Whang and Garcia-Molina, "Evaluating
// entity resolution results", VLDB 2010, pairwise F1.
package evaluate
