package api

import (
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// disclosure says what the answers of a route have of people.
type disclosure string

const (
	// nobody: no value of a person, and no person is named.
	nobody disclosure = "none"
	// masked: persons are named, and their values are masked for those who may not
	// see them.
	masked disclosure = "masked"
	// whole: values of persons as they are. Marketers may not use the route.
	whole disclosure = "whole"
)

// access is what there is to know of a route beside its role.
type access struct {
	shows  disclosure
	change bool // it changes something, and goes on record whoever asks for it
}

// accessRules are those of the routes with keys. A route that is not named shows
// values as they are, and changes something unless its method is GET: what was
// forgotten is closed to marketers and on record. A test asks for every route of
// the document to be named.
var accessRules = map[string]access{
	"GET /v1/profiles/:id":                    {masked, false},
	"GET /v1/profiles/:id/identity":           {masked, false},
	"GET /v1/profiles/:id/traits":             {masked, false},
	"GET /v1/profiles/:id/scores":             {masked, false},
	"GET /v1/profiles/:id/household":          {masked, false},
	"GET /v1/profiles/:id/accounts":           {masked, false},
	"GET /v1/profiles/:id/identifiers":        {masked, false},
	"GET /v1/profiles/:id/timeline":           {masked, false},
	"GET /v1/profiles/:id/products":           {masked, false},
	"GET /v1/profiles/:id/contacts":           {masked, false},
	"POST /v1/profiles/batch":                 {masked, false},
	"GET /v1/accounts/:id":                    {masked, false},
	"GET /v1/profiles":                        {whole, false}, // Letter by letter a search would tell what a mask hides.
	"GET " + segmentProfile + "/traits":       {whole, false},
	"GET " + segmentProfile + "/external_ids": {whole, false},
	"GET " + segmentProfile + "/events":       {whole, false},
	"GET " + segmentProfile + "/metadata":     {whole, false},
	"GET " + segmentProfile + "/links":        {whole, false},
	"POST /v1/segments/preview":               {masked, false},
	"POST /v1/segments/overlap":               {nobody, false},
	"GET /v1/segments/:segment/insights":      {nobody, false},
	"GET /v1/personas":                        {nobody, false},
	"GET /v1/lifecycle":                       {nobody, false},
	"GET /v1/cohorts":                         {nobody, false},
	"GET /v1/segments":                        {nobody, false},
	"GET /v1/segments/:segment":               {masked, false}, // A definition has what its author has written.
	"GET /v1/segments/:segment/versions":      {masked, false},
	"PUT /v1/segments/:segment":               {nobody, true},
	"DELETE /v1/segments/:segment":            {nobody, true},
	"GET /v1/segments/:segment/members":       {masked, false},
	"GET /v1/segments/:segment/changes":       {masked, false},
	"GET " + exportPattern:                    {masked, true}, // A copy leaves the house, whoever takes it.
	"GET /v1/profiles/:id/segments":           {masked, false},
	"GET /v1/destinations":                    {nobody, false},
	"GET " + oneDestination:                   {masked, false}, // A definition has what its author has written.
	"PUT " + oneDestination:                   {nobody, true},
	"DELETE " + oneDestination:                {nobody, true},
	"POST " + oneDestination + "/test":        {masked, false},
	"GET " + oneDestination + "/letters":      {whole, false}, // Receivers may repeat what they were sent.
	"POST " + oneDestination + "/sync":        {nobody, true},
	"POST " + oneDestination + "/redeliver":   {nobody, true},
	"POST /v1/segments/parse":                 {nobody, false},
	"GET /v1/identity/why":                    {masked, false},
	"GET /v1/identity/health":                 {masked, false},
	"GET /v1/identity/review":                 {masked, false},
	"POST " + decisionPattern:                 {masked, true},
	"GET /v1/identity/rules":                  {nobody, false},
	"POST /v1/identity/rules":                 {nobody, true},
	"GET " + dryRunPattern:                    {nobody, false},
	"POST " + dryRunPattern:                   {masked, false},
	"POST /v1/identity/commands":              {masked, true},
	"GET /v1/identity/commands/:id":           {masked, false},
	"POST /v1/identity/unmerge":               {masked, true},
	"POST /v1/identity/link":                  {masked, true},
	"POST /v1/identity/separate":              {masked, true},
	"POST /v1/identity/block":                 {masked, true},
	"POST /v1/identity/unblock":               {masked, true},
	"POST /v1/identity/undo":                  {masked, true},
	"GET /v1/identity/models":                 {nobody, false},
	"GET /v1/identity/models/:version":        {nobody, false},
	"GET /v1/models":                          {nobody, false},
	"GET " + oneModel:                         {masked, false}, // Its segment has what its author has written.
	"GET " + oneModel + "/card":               {nobody, false},
	"PUT " + oneModel:                         {nobody, true},
	"DELETE " + oneModel:                      {nobody, true},
	"POST " + oneModel + "/train":             {nobody, true},
	"POST " + oneModel + "/promote":           {nobody, true},
	"GET /v1/plans":                           {nobody, false},
	"POST /v1/plans/check":                    {nobody, false},
	"GET /v1/plans/:plan":                     {nobody, false},
	"PUT /v1/plans/:plan":                     {nobody, true},
	"DELETE /v1/plans/:plan":                  {nobody, true},
	"GET /v1/plans/:plan/violations":          {whole, false}, // Keys of clients' objects can be anything.
	"GET /v1/dead-letters":                    {whole, false},
	"GET /v1/dead-letters/summary":            {nobody, false},
	"POST /v1/dead-letters/replay":            {nobody, true},
	"POST /v1/dead-letters/discard":           {nobody, true},
	"GET /v1/dead-letters/:id":                {whole, false},
	"POST /v1/dead-letters/:id/edit":          {nobody, true},
	"POST /v1/dead-letters/:id/replay":        {nobody, true},
	"POST /v1/dead-letters/:id/discard":       {nobody, true},
	"POST /v1/dead-letters/:id/note":          {nobody, true},
	"POST " + erasurePattern:                  {whole, true},
	"GET " + erasurePattern + "/:id":          {nobody, false},
	"GET /v1/privacy/access/:id":              {whole, false},
	"POST /v1/privacy/correction/:id":         {nobody, true},
	"POST " + restrictionPattern:              {masked, true},
	"GET " + restrictionPattern + "/:id":      {masked, false},
	"DELETE " + restrictionPattern + "/:id":   {masked, true},
	"GET /v1/profiles/:id/consent":            {masked, false}, // Addresses are for admins.
	"POST /v1/profiles/:id/consent":           {nobody, true},
	"GET " + keysPattern:                      {nobody, false},
	"POST " + keysPattern:                     {nobody, true},
	"POST " + keysPattern + "/:id/revoke":     {nobody, true},
	"POST " + keysPattern + "/:id/rotate":     {nobody, true},
	"GET " + auditPattern:                     {whole, false},
}

// ruleOf returns the rule of a route. Those that take events in, and those that
// are open, show nothing and are no decisions of anybody.
func ruleOf(r route) access {
	rule, named := accessRules[r.method+" "+r.pattern]
	switch {
	case named:
		return rule
	case r.role == "", takesEvents(r):
		return access{shows: nobody}
	}
	return access{whole, r.method != http.MethodGet && r.method != http.MethodHead}
}

func takesEvents(r route) bool {
	return r.role == RoleWrite && (r.pattern == eventsPattern || isTracking(r.pattern))
}

// Keyring finds the keys that are managed while Kindred runs. It is safe for
// concurrent use and answers from memory.
type Keyring interface {
	// Find returns the key of a secret's hash, also one that was revoked or has
	// expired.
	Find(hash [sha256.Size]byte) (Key, bool)
	// Admits reports whether any live key that sends events may be used by pages of
	// an origin; also before the keys have been read.
	Admits(origin string, at time.Time) bool
	// Loaded reports whether the keys have been read once. Before, no key can be
	// called unknown.
	Loaded() bool
}

// lookup finds the key of a secret, whatever has become of it.
func (s *Server) lookup(secret string) (Key, bool) {
	hash := HashSecret(secret)
	if key, ok := s.keys.find(hash); ok {
		return key, true
	}
	if s.deps.Keyring == nil {
		return Key{}, false
	}
	return s.deps.Keyring.Find(hash)
}

// lives reports whether a key may be used now.
func (s *Server) lives(k Key) bool {
	return !k.Revoked && (k.Expires.IsZero() || s.deps.Now().Before(k.Expires))
}

// unknown refuses a key that is not known, or asks to come again while the keys
// are not known: a client that is told that its key is wrong gives up.
func (s *Server) unknown(detail string) *problem {
	if s.deps.Keyring != nil && !s.deps.Keyring.Loaded() {
		return newProblem(http.StatusServiceUnavailable, "keys-not-loaded", "The API keys are not loaded yet", "send the same request again")
	}
	return unauthorized(detail)
}

// admit binds the request to a key that lives and is within its rate.
func (s *Server) admit(c *gin.Context, key Key) error {
	c.Set(contextKey, key)
	switch {
	case key.Revoked:
		return unauthorized("the key was revoked")
	case !s.lives(key):
		return unauthorized("the key has expired")
	case !key.admits(c.Request):
		return s.closedTo(c)
	}
	if wait := s.limits.take(key, s.deps.Now()); wait > 0 {
		s.metrics.limited.Inc()
		return rateLimited(wait)
	}
	return nil
}

func rateLimited(wait time.Duration) *problem {
	p := newProblem(http.StatusTooManyRequests, "rate-limited", "The API key sends requests faster than it may",
		"send the same request again after the seconds of Retry-After")
	p.retryAfter = Busy{wait}.seconds()
	return p
}

// authorize lets keys pass that may use the route, and binds the request to
// their workspace.
func (s *Server) authorize(r route) gin.HandlerFunc {
	rule := ruleOf(r)
	return func(c *gin.Context) {
		if r.role == "" {
			return
		}
		secret, ok := secretOf(c.Request)
		if !ok {
			s.fail(c, unauthorized("send Authorization: Bearer KEY, or Basic with the key as user name"))
			return
		}
		key, ok := s.lookup(secret)
		if !ok {
			s.fail(c, s.unknown("the key is not known"))
			return
		}
		if err := s.admit(c, key); err != nil {
			s.fail(c, err)
			return
		}
		switch {
		case !key.Role.may(r.role), key.Role == RolePublic && !takesEvents(r):
			s.fail(c, forbidden(r.role))
		case key.Role == RoleMarketer && rule.shows == whole:
			s.fail(c, newProblem(http.StatusForbidden, "forbidden", "The API key may not do this",
				"answers have personal values as they are, which keys of role marketer do not see"))
		default:
			return
		}
		s.refusalOnRecord(c, r)
	}
}
