package api

import (
	_ "embed"
	"net/http"

	"github.com/gin-gonic/gin"
)

// document describes the routes of this package in OpenAPI 3.1. It is written
// by hand; tests hold it against the routes and the answers.
//
//go:embed openapi.json
var document []byte

func (s *Server) getOpenAPI(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/json", document)
	return nil
}
