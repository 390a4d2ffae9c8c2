package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// route is one operation. The OpenAPI document lists the same ones, which a
// test checks.
type route struct {
	method  string
	pattern string
	role    Role // "" is open to all
	handle  func(*gin.Context) error
}

// routes is the whole surface of the API.
func (s *Server) routes() []route {
	list := []route{
		{http.MethodPost, "/v1/segments/preview", RoleRead, s.previewSegment},
		{http.MethodPost, "/v1/segments/parse", RoleRead, s.parseSegment},
		{http.MethodPost, "/v1/segments/overlap", RoleRead, s.postSegmentOverlap},
		{http.MethodPost, eventsPattern, RoleWrite, s.postEvents},
		{http.MethodPost, webhooksPattern, "", s.postWebhook},
		{http.MethodGet, webhooksPattern, "", s.getWebhook},
		{http.MethodGet, settingsPattern, "", s.getProjectSettings},
		{http.MethodPost, clientMetrics, "", s.postClientMetrics},
		{http.MethodGet, "/healthz", "", s.getHealth},
		{http.MethodGet, "/readyz", "", s.getReadiness},
		{http.MethodGet, "/metrics", "", s.getMetrics()},
		{http.MethodGet, "/openapi.json", "", s.getOpenAPI},
		s.docsRoute(),
	}
	return slices.Concat(list, s.reading(s.profileRoutes()), s.reading(s.segmentRoutes()), s.liveRoutes(), s.destinationRoutes(), s.identityRoutes(), s.modelRoutes(), s.forecastRoutes(), s.groupRoutes(), s.cohortRoutes(), s.planRoutes(), s.letterRoutes(), s.accessRoutes(), s.privacyRoutes(), s.restrictionRoutes())
}

// Operation is one operation of the API, for tools that compare.
type Operation struct {
	Method string
	Path   string // with parameters as {name}
	Role   Role   // "" is open to all
	Shows  string // what answers have of people: none, masked or whole
	Change bool   // whether it goes on record whoever asks for it
}

// Operations lists what the server routes.
func (s *Server) Operations() []Operation {
	var list []Operation
	for _, r := range append(s.routes(), s.trackingRoutes()...) {
		parts := strings.Split(r.pattern, "/")
		for i, part := range parts {
			if name, ok := strings.CutPrefix(part, ":"); ok {
				parts[i] = "{" + name + "}"
			}
		}
		rule := ruleOf(r)
		list = append(list, Operation{Method: r.method, Path: strings.Join(parts, "/"), Role: r.role, Shows: string(rule.shows), Change: rule.change})
	}
	return list
}

// newEngine builds gin without its own logger, recovery and redirects.
func (s *Server) newEngine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode) // Debug mode prints routes to standard output.
	e := gin.New()
	// Paths are matched as they were sent, so that %2F does not split a
	// segment; handlers decode what they take from it.
	e.UseEscapedPath, e.UnescapePathValues = true, false
	e.RedirectTrailingSlash, e.RedirectFixedPath = false, false
	e.HandleMethodNotAllowed = true
	e.ForwardedByClientIP = false
	e.Use(s.identify, s.observe, s.recoverPanic, s.guard, s.crossOrigin)
	for _, r := range s.routes() {
		e.Handle(r.method, r.pattern, s.authorize(r), s.audited(r), s.adapt(r.handle))
	}
	for _, r := range s.trackingRoutes() {
		e.Handle(r.method, r.pattern, s.adapt(r.handle)) // They look for the key in the body as well.
	}
	e.NoRoute(func(c *gin.Context) { s.fail(c, noRoute()) })
	e.NoMethod(func(c *gin.Context) { s.fail(c, methodNotAllowed()) })
	return e
}

// adapt lets a handler return its error.
func (s *Server) adapt(handle func(*gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := handle(c); err != nil {
			s.fail(c, err)
		}
	}
}

func (s *Server) getMetrics() func(*gin.Context) error {
	h := promhttp.HandlerFor(s.deps.Gatherer, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return func(c *gin.Context) error {
		h.ServeHTTP(c.Writer, c.Request)
		return nil
	}
}
