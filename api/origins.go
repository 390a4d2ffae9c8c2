package api

import (
	"net/http"
	"regexp"
	"slices"

	"github.com/gin-gonic/gin"
)

// anyOrigin stands for all origins in the list of a key.
const anyOrigin = "*"

const maxOrigins = 50

// originForm is the shape of an origin; the keeper of keys knows the rules.
var originForm = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://[^/?#@\s]+$`)

func checkOrigins(k NewKey, faults *faultList) {
	const detail = `must be the origins of the pages that send with a key of role public, such as ["https://shop.example"], or ["*"] for all`
	known := func(origin string) bool {
		return origin == anyOrigin || len(origin) <= 300 && originForm.MatchString(origin)
	}
	if (len(k.Origins) > 0) != (k.Role == RolePublic) || len(k.Origins) > maxOrigins || slices.ContainsFunc(k.Origins, func(o string) bool { return !known(o) }) {
		faults.add("/origins", detail)
	}
}

// admits reports whether the key may be used by who sends r. A browser says from which
// origin a page sends, and a page cannot make it say another; it compares letter by
// letter, as the browser does. Programs and apps say none: whoever reads the key from a
// page can be one, so this keeps out other people's pages and no thieves.
func (k Key) admits(r *http.Request) bool {
	said := r.Header.Values("Origin")
	if len(k.Origins) == 0 || len(said) == 0 || slices.Contains(k.Origins, anyOrigin) {
		return true
	}
	return len(said) == 1 && slices.Contains(k.Origins, said[0])
}

// opensTo reports whether pages of an origin may send with any key.
func (s *Server) opensTo(r *http.Request) bool {
	open := func(k Key) bool { return (k.Role == RoleWrite || k.Role == RolePublic) && s.lives(k) && k.admits(r) }
	if s.deps.Keyring == nil || slices.ContainsFunc(s.keys, open) {
		return true
	}
	said := r.Header.Values("Origin")
	return len(said) == 1 && s.deps.Keyring.Admits(said[0], s.deps.Now())
}

// closedTo refuses a page whose origin the key does not name, and lets it read no more
// than that it was refused.
func (s *Server) closedTo(c *gin.Context) error {
	c.Writer.Header().Del("Access-Control-Allow-Origin")
	s.metrics.foreign.Inc()
	return newProblem(http.StatusForbidden, "origin-not-allowed", "The API key may not be used by this page",
		"the key is for pages of other origins; an administrator makes a key with the origin of the page")
}
