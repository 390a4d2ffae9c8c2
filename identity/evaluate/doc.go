// Package evaluate scores what was found to be one person against a known
// truth. It stores nothing, and is called by evaluations and tests, never by the
// process that resolves profiles, which must not know the truth.
//
// Pairwise scores profiles of identifiers. Compare scores clusters of records,
// in three ways that see different things: pairs, in which one large cluster
// outweighs everything; B-cubed, in which every record has one voice; and
// clusters that are exactly right. ByPrincipal and Components are the two simple
// methods that any resolution must beat.
//
// Sources of the measures: Menestrina, Whang and Garcia-Molina, "Evaluating
// entity resolution results", VLDB 2010, for pairs and exact clusters; Bagga and
// Baldwin, "Entity-based cross-document coreferencing using the vector space
// model", COLING-ACL 1998, for B-cubed.
//
// # Records that are missing
//
// A record without a truth cannot be judged: it is left out of everything, also
// of the size of the cluster that it is in. A record of the truth that is in no
// found cluster was not found to be anybody: it lowers recall as if it stood
// alone (B-cubed: 1 over the size of its true cluster), and does not take part
// in precision, which would otherwise rise with every record left out. Its true
// cluster is not exactly found, even when it is of that one record. Cai and
// Strube, "Evaluation metrics for end-to-end coreference resolution systems",
// SIGDIAL 2010, discuss the choices.
package evaluate
