// Package keys manages the API keys of workspaces while Kindred runs. A key is a
// definition like a tracking plan: it travels as a command on kindred.control, the
// owner of that topic appends it to the table api_keys, and every API process
// follows the table.
//
// A secret is made where it is asked for, shown once and forgotten: commands,
// tables and logs hold its SHA-256 alone, and the id of the key, which is no part
// of it. The keys of KINDRED_API_KEYS are not managed here; they open a new
// installation, and cannot be locked out.
package keys
