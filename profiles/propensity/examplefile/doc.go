// Package examplefile reads a table of examples, one a line, for propensity: a
// column with the answer, features of any kind, and perhaps an id and a time.
//
// Columns become numbers, dates or categories by what stands in them. What
// cannot be used is left out and counted with a reason: rows without a time,
// columns without a value or whose values nearly all differ, cells that are no
// number among numbers. What makes the result wrong is an error: no such
// column, a column named twice that is asked for, an answer that has one value.
package examplefile
