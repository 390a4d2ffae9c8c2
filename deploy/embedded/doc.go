// Package embedded runs Kindred's own ClickHouse and its own Kafka broker on one machine, so that the product works
// with nothing installed but Go and Node.js.
//
// ClickHouse is the real engine, loaded from a shared library into a child process of the same binary ([ClickHouse],
// [EngineMain]); the library is fetched once and verified ([Library]). Kafka is a broker in this process that speaks
// the real protocol ([Kafka]). Both keep their data in a folder of their own, listen on loopback addresses only, and
// end with the process that started them.
//
// The embedded engine has a fault that a ClickHouse server has not: it aborts when it refuses a client of the native
// protocol. So this process listens on the native port itself, reads what a client says first, refuses wrong users,
// passwords and databases in the engine's words, and joins all others to the engine, which listens on a private port.
// The HTTP interface is the engine's own.
//
// The package never touches tables, topics or messages, and nothing but package cmd and the tests (through
// enginetest) imports it: all other packages see an address, and cannot tell an embedded engine from a cluster.
package embedded
