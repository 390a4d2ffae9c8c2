package embedded

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// claimPort returns port if nothing listens there, or a free port for 0. The port is not held: the engine binds it
// a moment later, and reports the rare loss of that race itself.
func claimPort(name, host string, port int) (int, error) {
	ln, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return 0, portError(name, host, port, err)
	}
	got := ln.Addr().(*net.TCPAddr).Port
	if err := ln.Close(); err != nil {
		return 0, fmt.Errorf("release port %d: %w", got, err)
	}
	return got, nil
}

// portError names the port, the process that has it where the system tells, and the way out.
func portError(name, host string, port int, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s port %d on %s is in use%s; stop that process or shift all ports with --port-offset N", name, port, host, portOwner(port))
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s port %d on %s needs more rights: %w; choose a port above 1023 or use --port-offset N", name, port, host, err)
	}
	return fmt.Errorf("%s cannot listen on %s port %d: %w", name, host, port, err)
}
