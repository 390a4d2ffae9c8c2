package api

import (
	"encoding/json"
	"fmt"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/text"
)

// remark is something to say about a part of a definition. Line and Column are the
// place within a text at the pointer, from 1.
type remark struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

// unreadableText is the problem of a text that is no definition.
func unreadableText(of *text.Invalid) *problem {
	faults, places := make([]fault, len(of.Faults)), make([]remark, len(of.Faults))
	for i, f := range of.Faults {
		faults[i] = fault{"/text", fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Detail)}
		places[i] = remark{"/text", f.Detail, f.Line, f.Column}
	}
	p := badRequest("the text of the segment breaks rules", faults...)
	p.TextErrors = places
	return p
}

// saying is a definition in the form in which it was sent.
type saying struct {
	definition segments.Definition
	text       *text.Text // nil where it was JSON
}

// said reads a definition from the one of two members of a body that is there.
func said(definition json.RawMessage, words *string) (saying, error) {
	switch {
	case len(definition) > 0 && words != nil:
		return saying{}, badRequest("the body must have a definition or a text, not both", fault{"/text", "has no place beside definition"})
	case words != nil:
		t, err := text.Parse(*words)
		if err != nil {
			return saying{}, err
		}
		return saying{t.Definition, t}, nil
	case len(definition) == 0:
		return saying{}, badRequest("the body must have a definition or a text", fault{"/definition", "is missing"})
	}
	d, err := segments.Parse(definition)
	return saying{definition: d}, err
}

// warnings tells which names nobody uses. That it cannot be told is no reason not to
// answer what was asked.
func (s *Server) warnings(c *gin.Context, of saying) []remark {
	list := []remark{}
	if s.deps.Vocabulary == nil {
		return list
	}
	known, err := s.deps.Vocabulary.Names(c.Request.Context(), workspaceOf(c))
	if err != nil {
		s.log.Warn("names of a workspace", "workspace", workspaceOf(c), "error", err)
		return list
	}
	for _, w := range of.definition.Warnings(known) {
		f := remark{Pointer: "/definition" + w.Pointer, Detail: w.Detail}
		if of.text != nil {
			f.Pointer = "/text"
			f.Line, f.Column = of.text.Position(w.Pointer)
		}
		list = append(list, f)
	}
	return list
}

type parseRequest struct {
	Definition json.RawMessage `json:"definition"`
	Text       *string         `json:"text"`
}

type parseResponse struct {
	Definition segments.Definition `json:"definition"`
	Text       string              `json:"text"`
	Warnings   []remark            `json:"warnings"`
}

// parseSegment answers POST /v1/segments/parse: a definition in both forms.
func (s *Server) parseSegment(c *gin.Context) error {
	var request parseRequest
	if err := decode(c, &request); err != nil {
		return err
	}
	of, err := said(request.Definition, request.Text)
	if err != nil {
		return err
	}
	words, err := text.Format(of.definition)
	if err != nil {
		return err
	}
	return send(c, parseResponse{Definition: of.definition, Text: words, Warnings: s.warnings(c, of)})
}
