// Package activation tells destinations who enters and leaves segments: a webhook, a
// receiver that speaks Segment's calls, or people themselves by e-mail. It keeps the
// definitions of destinations, sends what they are to be told, and is the only writer
// of the tables destinations, destination_places, destination_told, destination_letters
// and destination_erasures.
//
// # Once in the end, and in order
//
// A destination reads segment_changes in the order of (block, segment, profile) from a
// place of its own. The place moves behind changes that are dealt with: taken by the
// receiver, withheld, or dead letters. It is stored after all else that says so, so a
// process that is killed anywhere leaves a successor who tells some changes again and
// misses none. A change has the same key whenever it is told (the header
// Idempotency-Key): who drops keys that it has seen is told exactly once.
//
// Changes of several profiles are sent side by side; of two changes of one profile the
// second waits until the first is dealt with. Each destination has a goroutine, a
// window and a place: one that does not answer delays no other.
//
// # What fails
//
// A failure that may pass (no connection, 408, 425, 429, 5xx) is tried again after a
// time that doubles, with jitter, or that the receiver names in Retry-After. Another
// 4xx, an address that may not be called, or a message that lacks what the receiver
// needs is a dead letter at once, as is what has failed often enough. Letters can be
// sent again; one that a later change has overtaken is then obsolete.
//
// # What is not sent
//
// All is looked up within the second before each attempt, not when the change was
// found: the profile, its consent for the purpose and channel of the destination, and
// whether its processing is restricted. Somebody who is gone is nobody to a
// destination. That a profile left is told in spite of a missing consent to whom was
// told that it entered: a receiver must not keep whom it may no longer have.
//
// # Erasure
//
// Before the rows go that say who was told of somebody who is erased, the receivers are
// put down in destination_erasures, which keeps hashes only. One that knows profiles by
// their ids is told to delete, in the order of the profile's messages; for others it is
// on record that somebody has to. One that was told of the person again since, who has
// come anew, is not. Whoever is erased while a message is on its way is put down when
// that has arrived.
//
// # Secrets
//
// What signs deliveries, and headers with keys of a receiver, are sealed with a key
// that is made from the installation's id key before they leave the process that they
// came to, and opened where they are used. They are in no list, log or error.
package activation
