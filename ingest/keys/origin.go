package keys

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// AnyOrigin stands for every page and app in a list of origins.
const AnyOrigin = "*"

// MaxOrigins bounds the origins of a key.
const MaxOrigins = 50

// originForm is an origin as browsers send it: RFC 6454, section 6.2. Hosts in other
// scripts are in their ASCII form.
var originForm = regexp.MustCompile(`^([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::([1-9][0-9]{0,4}))?$`)

// CheckOrigin returns why no browser sends an origin. One that none sends would keep out
// whom it was meant for.
func CheckOrigin(origin string) error {
	m := originForm.FindStringSubmatch(origin)
	switch {
	case origin == AnyOrigin:
		return nil
	case len(origin) > 300 || m == nil:
		return errors.New(`must be scheme://host or scheme://host:port in small letters, without a path, such as https://shop.example, or * for all`)
	case m[1] == "https" && m[3] == "443", m[1] == "http" && m[3] == "80":
		return fmt.Errorf("must leave out the port %s, as browsers do for %s", m[3], m[1])
	case len(m[3]) == 5 && m[3] > "65535":
		return errors.New("must have a port up to 65535")
	}
	if ip, is := strings.CutPrefix(m[2], "["); is {
		ip = strings.TrimSuffix(ip, "]")
		if a, err := netip.ParseAddr(ip); err != nil || a.String() != ip {
			return errors.New("must have an IPv6 address in its shortest form")
		}
	}
	return nil
}

// checkOrigins returns every fault of the origins of a key of a role.
func checkOrigins(role string, origins []string) error {
	switch {
	case role != RolePublic && len(origins) > 0:
		return errors.New("origins are for keys of role public")
	case role == RolePublic && len(origins) == 0:
		return errors.New("a key of role public must name the origins of its pages, or * for all")
	case len(origins) > MaxOrigins:
		return fmt.Errorf("there must be at most %d origins", MaxOrigins)
	}
	var errs []error
	for i, origin := range origins {
		if err := CheckOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("origin %d %w", i+1, err))
		}
		if origin == AnyOrigin && len(origins) > 1 {
			errs = append(errs, errors.New("* stands alone"))
		}
	}
	return errors.Join(errs...)
}
