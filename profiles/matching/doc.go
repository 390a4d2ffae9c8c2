// Package matching finds the records of one person in a running workspace, where
// no identifier says that they are: it reads what records say from ClickHouse,
// learns a model of linkage from them (identity/linkage), scores pairs by it, and
// hands the scores to the identity ledger, which alone decides who is one profile.
//
// # Records
//
// A record is what one source says of a person:
//
//   - each identifier of namespace record, "<source>/<id>", as imports send it;
//     it says what the events say that carry the identifier;
//   - each user id, called "user_id/<id>"; it says what the events say that carry
//     the user id and no record.
//
// What a record says is the newest value of each person trait (Fields): a name,
// a birth date, an address. A trait whose newest value is null says nothing.
//
// The record of a user id is no identifier that events carry. It is tied to its
// user by evidence {user_id:X, record:user_id/X} of the source Source, rule Rule,
// published before the first pair of the record that counts. Its time is that of
// the first thing that the record said, so that publishing it again changes
// nothing.
//
// # Models and scores
//
// A Job learns a model, stores it and scores all records by it (kindred link
// run). Nothing counts until the rules of identity name the model. From then on a
// Worker scores what is new or changed, and takes back what a changed record no
// longer supports. Both publish the same: which pairs there are and what they
// weigh is a function of the model and of what the records say (linkage.Index),
// so that the order in which records came does not show. A worker that starts
// compares all scores with those that the ledger has and publishes what differs,
// so that nothing is lost by its death at any moment.
//
// # Restricted people
//
// A record of somebody whose processing is restricted says nothing: it is compared with
// nobody, teaches no model, and its pairs with records of others are taken back, those
// that wait for review too, so that no score can join the person whatever becomes of the
// thresholds. A pair of two records that are of the person already is not touched: what
// a score had joined stays together, but under a model of later, which scores no such
// pair, until the release. Evidence that names a restricted person is taken in and joins
// as ever; the profile that comes of it is restricted. Each look begins with who is
// restricted and asks once more before it publishes: what can still join is a score that
// was published some milliseconds before.
//
// # Where it stands
//
// The package reads and writes ClickHouse and knows no Kafka: whoever wires it
// gives it a Publisher, because profiles do not know ingest. It writes one table,
// linkage_models. A model holds hashes of the values that several persons share;
// who knows the hash function could confirm a guess by them, so the model itself
// is sealed with the key of the installation, and the card beside it has none.
package matching
