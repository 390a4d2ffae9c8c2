// Package jsonscan reads JSON (RFC 8259) in one pass and without copying: it
// checks the grammar and hands out the members of objects and the elements of
// arrays as slices of the input. It serves the hot path, where most of a
// message (properties, traits, context) is stored as the text that it arrived
// as and only a few fields are looked at.
//
// What it accepts is what encoding/json accepts, with a bound on the nesting;
// UTF-8 is left to the caller, who checks the whole input at once. A key that
// occurs twice is handed out twice, in the order of the text.
package jsonscan
