// Package simulate makes the traces that real customers leave around their
// invoices: web sessions with cookies and devices, app use, newsletter
// sign-ups, logins, calls, loyalty cards, a shared store tablet, family
// computers; with the mess of real life: typos, placeholder values, late and
// repeated messages, bots. Around it lies a town with stores and other venues, in
// which people post, ask, answer surveys, get mail, report positions and are read
// by tag readers and cameras. And there is an old CRM, of which only an export is
// left: some of its people are customers of the web too, but nothing in it says
// who, and it is full of typing errors, old addresses and people twice.
//
// Everything is drawn from a Config of printed base rates with one seed: the
// same configuration, customers and end give the same bytes. The package never
// imports identity, so it cannot know how profiles are resolved. It writes who
// really owns which identifier, who was in which zone of a store, at which venue a
// position was taken, and who the records of the CRM are, to separate files, which
// only the evaluation reads.
//
// People, addresses and numbers are invented. E-mail addresses are under the
// reserved top-level domain .example; phone numbers are of the range 555-0100
// to 555-0199, which is reserved for fiction.
package simulate
