// Package sdktest runs the official clients of Segment and RudderStack, as their
// packages come from npm, against a running Kindred that is killed and started
// again while they send, and holds what is stored against what they were told to
// send. It has tests only; `make test-sdk` runs them, which needs Node.js 20 or
// later and Chromium.
package sdktest
