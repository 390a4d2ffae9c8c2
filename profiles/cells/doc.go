// Package cells reads the cells of tables that people export: numbers and dates
// as programs and countries write them, and the many ways of saying nothing.
//
// It reads one cell at a time and decides nothing in silence: what it cannot
// read it says so, and where a column of dates could be read in two ways
// (03/04/2011), OrderOf says that, too. The file commands and the models of
// profiles use it. It does no input or output.
package cells
