// Package tablefile reads files of records, as people have them, into a
// linkage.Table: CSV, TSV and their kin, each distinct value of a column kept
// once.
//
// The delimiter (comma, semicolon, tab, bar) and the line end are found from
// the beginning of the file, gzip by its magic number. Text is UTF-8, or UTF-16
// with or without a byte order mark; a value that is not UTF-8 is read as
// windows-1252 (of which latin-1 is a part), and the report says whether that
// was the whole file or a few values of it.
//
// Nothing is mended in silence. What makes the result wrong is an error that
// says where and what to do: no header, no such column, ids that are missing or
// not unique, rows that do not fit the header all over the file. What can be
// worked round is a Warning, returned beside the records: a short row, a stray
// quote, a NUL byte, a column without a value.
//
// The package writes no file and judges no value: what a missing value looks
// like ("n/a", "1900-01-01") is the business of the linkage.
package tablefile
