// Package normalize turns identifiers as people and programs write them into
// their one canonical form, so that equal things get equal keys. It is pure:
// deterministic, idempotent, without state, clock or network, and it never
// panics. Ingest calls it for every identifier of every event, and the API for
// every identifier in a path, so text that is already in canonical ASCII form
// passes without an allocation.
//
// Every value is cleaned: Unicode compatibility forms are folded (NFKC: full
// width, ligatures, circled digits), control characters and characters without
// a glyph (zero width, direction marks, soft hyphens, fillers) are removed, and
// white space, quotes and backslashes around it are cut. Then, by namespace:
//
//   - email: lower case; "mailto:" and "Name <address>" unwrapped; the domain
//     without its final dot and in ASCII (Punycode). Plus tags and dots stay:
//     whether they matter is the provider's choice, not ours. Options apply
//     what providers publish, or drop every tag, where a workspace asks for it.
//   - phone, landline: E.164, with ";ext=N" for an extension, because another
//     extension is another line. National numbers need the default region.
//   - social: lower case, without the @ of a handle ("instagram/ana").
//   - address: lower case, white space in single spaces.
//   - rfid: lower case. Anything else keeps its case, except that a UUID, which
//     is a number (RFC 9562), is written in lower case.
//
// # What records say of people
//
// Name, SameName, Date and Address read what is no identifier but tells two
// records of one person from those of two: linkage compares their parts, and
// people their text. They fold further than identifiers are folded: diacritics
// fall, and Greek and Cyrillic become Latin. Their results are never keys, so
// they may improve; the form of an identifier may not, because keys are stored.
// That is why identifiers of the namespace address keep their spelling.
//
// # What is dropped, what is kept
//
// Only what is empty by a fixed list in code gives ErrEmpty: nothing at all,
// null, undefined, nan, and zeros (0, 0.0, 000-00-0000, the all-zero UUID).
// The list must never depend on configuration, because an event's anchor is a
// function of the event alone.
//
// A value that its namespace cannot read, such as an e-mail without an @ or a
// phone of three digits, is not an error: its cleaned text is the identifier.
// An error would either lose an identifier in silence or condemn a good order
// for one bad field. Kept, it stays visible in the event and in the table of
// identifiers, a source that sends many of them can be found, and it joins no
// one, because identity.BlockedByDefault blocks unreadable values. A rule that
// wants them back changes the rules; the events need not change.
//
// Text that is not UTF-8, or that carries the replacement character of an
// earlier faulty decoding, gives ErrInvalid: two different values may already
// have become equal, and strangers would meet. Ingest keeps such an event as a
// dead letter with its bytes, so that it can be mended and replayed.
package normalize
