// Package restrictions keeps whose data may be stored and not used: the restriction of
// processing of article 18 of the GDPR. A restriction is a definition like an API key:
// it travels as a command on kindred.control, the owner of that topic appends it to the
// table restrictions, and every API process follows the table.
//
// It is held by identifiers that were one person's alone, as keyed hashes, and never by
// the id of a profile: the profile that holds one of them is restricted. So a merge
// takes it along, an unmerge leaves it with the person, and a shared tablet restricts
// nobody else. Events are taken in and identity goes on; what reads profiles to use
// them asks here, or the view restricted_identifiers, and passes them over.
//
// The package decides neither whose an identifier is nor who may see what: the API asks
// the graph for the one, and answers the other.
package restrictions
