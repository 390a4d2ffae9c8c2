package enginetest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Ports of servers that start later. They lie below those that Linux (from 32768) and
// macOS (from 49152) give to connections and to listeners on port 0: such a port is soon
// somebody else's, and a server may take half a minute until it listens.
const (
	firstPort = 10_000
	lastPort  = 32_767
	portTries = 1_000
)

// FreePorts returns n ports of 127.0.0.1 on which nothing listens, and which no other
// test, of this process or of another, gets before this one ends.
func FreePorts(t testing.TB, n int) (ports []int) {
	t.Helper()
	for range portTries {
		if len(ports) == n {
			return ports
		}
		if port := firstPort + rand.IntN(lastPort-firstPort+1); holdPort(t, port) {
			ports = append(ports, port)
		}
	}
	t.Fatalf("%d of %d free ports found in %d tries", len(ports), n, portTries)
	return nil
}

// holdPort tells whether a port is free, and keeps it from other tests until t ends. What
// keeps it is a UDP socket of the same number, which is not in the way of TCP.
func holdPort(t testing.TB, port int) bool {
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	held, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		_ = held.Close()
		return false
	}
	t.Cleanup(func() { _ = held.Close() })
	if err := l.Close(); err != nil {
		t.Fatal(fmt.Errorf("release port %d: %w", port, err))
	}
	return true
}
