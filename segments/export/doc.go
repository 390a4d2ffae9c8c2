// Package export writes the members of a segment as CSV, as NDJSON, or as Parquet, one
// row a member, with the columns that are asked for. It reads nobody itself: its caller
// hands it members and profiles as the reader of the file may see them.
package export
