// Package rulefile reads, checks, writes and compares the rules of identity as
// text that people declare and keep in version control: the ranks and limits
// of namespaces, blocked values, trusted sources, caps and thresholds. Text is all it knows: it opens no file, stores nothing, and never
// evaluates a rule. Whoever wires a workspace calls it (cmd), and the API
// through what cmd plugs in.
//
// # Two forms, one model
//
// A File has two forms of text with the same keys. TOML is for files: it has
// comments, no significant indentation, and is what the settings of Kindred
// use. JSON is for the API and the console, whose every other document is
// JSON. Both become the same tree with the same line numbers before anything
// is judged, so a fault reads alike in either. Parse tells them apart by the
// first character, because no TOML document starts with a brace.
//
// # What is left out
//
// A text may be partial: what it does not say keeps the value of Default, and
// a namespace without declared defaults starts from the text's own [default].
// Format writes everything, so a stored version means the same under a later
// release with other defaults. Keep what Format wrote, not what was typed.
//
// # What is no rule
//
// How raw values are normalised (the region of national phone numbers, tags of
// e-mail addresses) is not declared here: an event's identifiers are normalised
// when it comes in and never change, so a version of the rules, which is
// evaluated over the whole history, could not keep what it says. The settings
// of Kindred hold these options. Another option gives other identifiers to what
// comes in from then on; identifiers of before stay as they are, and the two
// forms of one address are one profile where other evidence joins them.
//
// # Faults
//
// Parse and Validate report every fault at once. Each is a *Fault with the key
// path, the line where there is a text, and the rule it breaks. A fault quotes
// key paths and numbers, never a listed value, which may be personal data.
package rulefile
