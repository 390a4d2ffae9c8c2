package activation

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// errAddress says that a destination leads to where none may: into the network that
// Kindred itself stands in.
var errAddress = errors.New("the address is private, local or reserved")

// inside are networks that are no part of the public internet, beyond those that the
// methods of netip.Addr know. What embeds an address of IPv4 is closed as a whole.
var inside = func() (list []netip.Prefix) {
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}()

// public reports whether an address is of the public internet.
func public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
		return false
	}
	for _, p := range inside {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// onlyPublic is the control of a dialler: it sees each address that a name has led to,
// just before it is dialled, so that a name that changes between a look and the dial
// gains nothing.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: it is none", errAddress)
	}
	if !public(at.Addr()) {
		return errAddress
	}
	return nil
}
