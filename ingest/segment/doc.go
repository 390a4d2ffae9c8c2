// Package segment translates the calls of Segment's HTTP Tracking API, as
// Segment's and RudderStack's clients send them, into messages of package wire.
// It is pure: bytes in, items for the intake out. The HTTP side (authorisation,
// compression, limits of a request, status codes) is package api; Kafka is
// package intake; cmd/kindred joins the three.
//
// Whatever was readable as an event becomes exactly one item: a message, or a
// rejection that ends as a dead letter with its bytes and its place. A body that
// is no JSON object, lacks its batch or has too many entries becomes one
// rejection, cut at a bound, and is refused as a whole.
//
// # What becomes what
//
// Type: the path names it for single calls, the entry's "type" in a batch, in
// any case. Name: the event of track; the name of page and screen, or "Page" and
// "Screen"; "Identify", "Group", "Alias". A page's name and category are also
// put among its properties where those lack them.
//
// Message id: kept; a number is written as text; more than 200 bytes are
// refused. A missing one is made at random, so that a retry of such a call
// counts twice, which no reading of the call could avoid.
//
// Times: original_time is "timestamp", or else "originalTimestamp"; sent_time is
// the "sentAt" of the envelope, which is written at sending, or else the
// entry's. The event's time is receivedAt - (sentAt - original): the client's
// clock may be wrong, but by the same amount for both. Without sentAt, in an
// import, or where the correction leads out of the range, the original stands.
// Without an original the time is the receipt and the message is marked undated.
// Dates are ISO 8601 with or without zone (then UTC), seconds or fraction, the
// form of HTTP and of JavaScript's toString, and numbers since 1970 in seconds,
// milliseconds, microseconds or nanoseconds by their magnitude. A date that does
// not exist, or lies outside 1900 to 2299, is refused.
//
// Identifiers: userId is user_id, anonymousId is anonymous_id (numbers as text).
// As in Segment's Unify, email and phone are taken from the traits of identify,
// and from context.traits and properties of every call; context.device.id and
// advertisingId are device, context.device.token is push_token, and each entry
// of context.externalIds of the collection users is an identifier of its type
// (android.id and the like are device; a type of another form is folded to lower
// case and underscores). groupId is no person's identifier: the call keeps it
// with the group's traits among its properties. One of userId, anonymousId or
// any of the others is required. An alias carries userId and previousId, the
// latter as anonymous_id when it is the message's own or has the form of a UUID,
// which is what clients generate, and as user_id otherwise. Its type goes with it,
// and evidence of it has the rule "alias"; what follows from the two meeting is
// decided by package identity, and by its rules where they let the source rename.
// userId, anonymousId and previousId must be readable; any other identifier that
// is not is left out, the event stays, and the answer carries a warning.
//
// Traits are those of identify (root, or else context.traits, where RudderStack
// puts them); a null stays a null, which removes the trait. Traits that another
// call's context repeats stay in its context.
//
// Context: the envelope's under the entry's own, member by member, with channel,
// integrations (merged likewise), the session id that an Amplitude integration
// carries where the context has none, and the caller's address as context.ip
// when context.direct is true. writeKey, receivedAt, type, version, _metadata
// and members that Segment does not know are not stored.
//
// Orders: "Order Completed" and "Order Refunded" (and the first specification's
// "Completed Order" and "Refunded Order") become transactions when they name an
// order_id and an amount. The amount is revenue, or subtotal, or total less tax
// and shipping, or the sum over products; those of refunds are negative. The
// currency is USD where none is named, as Segment says. An order that breaks a
// rule stays behaviour, with a warning. "Order Cancelled" and "Order Updated"
// stay behaviour as well: shops send them beside a refund or a completion, and
// money must not move twice.
//
// Limits are those of Config; beside them, what stands in a batch next to its
// entries may have 8 KiB for each of context and integrations, and one event has
// at most twenty warnings. An entry nested deeper than jsonscan reads, or that is
// not UTF-8, costs only itself.
//
// Duplicate keys: the last one counts; within properties, traits and context the
// text is kept as it came. Text that is not UTF-8 refuses its entry only.
package segment
