// Package inquiry lets a process that does not own a workspace's identity graph
// ask the one that does: why two identifiers are one profile, what holds a
// profile together, how healthy the graph is, which scored pairs wait for a
// decision, what other rules or a command would change. cmd serves NewHandler in
// the identity role and gives a Client to the api role; both are Inquirers, so
// who asks need not know where the graph is.
//
// The service is internal. It is meant for a loopback address or a network that
// only Kindred's processes reach; across hosts it belongs behind TLS, because
// answers hold personal data. Every request carries a token: an HMAC-SHA-256 of
// its time, path and body under a key derived from the installation's identity
// secret, so whoever has no secret learns nothing, and a request that was
// recorded can be sent again for a minute at most. No request changes anything.
// Neither side logs a value.
package inquiry
