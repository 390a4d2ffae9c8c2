package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// The reference page is the OpenAPI document as a person reads it: one page of HTML
// without scripts, made from the document that the binary holds, so that the two
// cannot disagree.

//go:embed docs.html
var docsTemplate string

//go:embed docs.css
var docsStyle string

// docsPage makes the page once; it is the same for every server.
var docsPage = sync.OnceValues(func() ([]byte, error) { return renderDocs(document) })

// docsPolicy lets the page have its style, by its hash, and nothing else.
var docsPolicy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(docsStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

// getDocs answers GET /docs.
func (s *Server) getDocs(c *gin.Context) error {
	page, err := docsPage()
	if err != nil {
		return err
	}
	c.Header("Content-Security-Policy", docsPolicy())
	sendBytes(c, "text/html; charset=utf-8", page)
	return nil
}

// The parts of an OpenAPI document that the page shows.
type (
	docsDocument struct {
		Info  struct{ Title, Description string }
		Tags  []docsTag
		Paths map[string]map[string]*docsOperation
		Parts struct {
			Schemas    map[string]*docsSchema
			Parameters map[string]*docsParameter
			Responses  map[string]*docsResponse
		} `json:"components"`
	}
	docsTag struct{ Name, Description string }

	docsOperation struct {
		Tags        []string
		Summary     string
		Description string
		Role        string `json:"x-kindred-role"`
		Parameters  []*docsParameter
		Body        struct{ Content map[string]docsMedia } `json:"requestBody"`
		Responses   map[string]*docsResponse
	}
	docsParameter struct {
		Ref         string `json:"$ref"`
		Name, In    string
		Required    bool
		Description string
		Schema      *docsSchema
	}
	docsResponse struct {
		Ref         string `json:"$ref"`
		Description string
		Content     map[string]docsMedia
	}
	docsMedia struct{ Schema *docsSchema }

	docsSchema struct {
		Ref         string `json:"$ref"`
		Type        any
		Format      string
		Description string
		Enum        []any
		Minimum     any
		Maximum     any
		Default     any
		Properties  map[string]*docsSchema
		Required    []string
		Items       *docsSchema
		OneOf       []*docsSchema
		Additional  json.RawMessage `json:"additionalProperties"`
	}
)

// docsEntry is an operation on the page.
type docsEntry struct {
	*docsOperation
	Method, Path, Anchor string
	Parameters           []*docsParameter
	Takes                []docsShape
	Answers              []docsAnswer
}

// docsShape is a body by its media type.
type docsShape struct {
	Media string
	Type  template.HTML
}

type docsAnswer struct {
	Status, Description string
	Shapes              []docsShape
}

// renderDocs writes the page of a document.
func renderDocs(text []byte) ([]byte, error) {
	var d docsDocument
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("read the document: %w", err)
	}
	sections := map[string][]docsEntry{}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			e := d.entry(method, path)
			for _, tag := range e.Tags {
				sections[tag] = append(sections[tag], e)
			}
		}
	}
	page, err := template.New("docs").Funcs(template.FuncMap{
		"type":     func(s *docsSchema) template.HTML { return s.html() },
		"section":  func(tag string) []docsEntry { return sections[tag] },
		"required": func(s *docsSchema, name string) bool { return slices.Contains(s.Required, name) },
		"id":       anchor,
	}).Parse(docsTemplate)
	if err != nil {
		return nil, fmt.Errorf("parse the page: %w", err)
	}
	var b bytes.Buffer
	if err := page.Execute(&b, map[string]any{"Document": d, "Style": template.CSS(docsStyle)}); err != nil { //nolint:gosec // The style is a file of this package.
		return nil, fmt.Errorf("write the page: %w", err)
	}
	return b.Bytes(), nil
}

func (d *docsDocument) entry(method, path string) docsEntry {
	o := d.Paths[path][method]
	e := docsEntry{docsOperation: o, Method: strings.ToUpper(method), Path: path, Anchor: anchor(method + path), Takes: shapes(o.Body.Content)}
	for _, p := range o.Parameters {
		if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
			p = d.Parts.Parameters[name]
		}
		e.Parameters = append(e.Parameters, p)
	}
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		r := o.Responses[status]
		if name, ok := strings.CutPrefix(r.Ref, "#/components/responses/"); ok {
			r = d.Parts.Responses[name]
		}
		e.Answers = append(e.Answers, docsAnswer{status, r.Description, shapes(r.Content)})
	}
	return e
}

func shapes(content map[string]docsMedia) []docsShape {
	var list []docsShape
	for _, media := range slices.Sorted(maps.Keys(content)) {
		list = append(list, docsShape{media, content[media].Schema.html()})
	}
	return list
}

// html says in a few words what a schema takes, with links to those that have a
// name.
func (s *docsSchema) html() template.HTML {
	if s == nil {
		return "any value"
	}
	var additional *docsSchema
	_ = json.Unmarshal(s.Additional, &additional) // true and false are no schemas.
	switch {
	case s.Ref != "":
		name := template.HTMLEscapeString(s.Ref[strings.LastIndexByte(s.Ref, '/')+1:])
		return template.HTML(`<a href="#schema-` + anchor(name) + `">` + name + `</a>`) //nolint:gosec // Escaped above.
	case s.Items != nil:
		return "list of " + s.Items.html()
	case len(s.OneOf) > 0:
		all := make([]string, len(s.OneOf))
		for i, one := range s.OneOf {
			all[i] = string(one.html())
		}
		return template.HTML(strings.Join(all, " or ")) //nolint:gosec // Each is escaped.
	case additional != nil && len(s.Properties) == 0:
		return "object of " + additional.html()
	case len(s.Enum) > 0:
		return template.HTML(template.HTMLEscapeString(strings.Trim(fmt.Sprintf("%q", s.Enum), "[]"))) //nolint:gosec // Escaped.
	case s.Type == nil:
		return "any value"
	}
	text := strings.Trim(fmt.Sprint(s.Type), "[]")
	if s.Format != "" {
		text += ", " + s.Format
	}
	if s.Minimum != nil && s.Maximum != nil {
		text += fmt.Sprintf(", %v to %v", s.Minimum, s.Maximum)
	}
	if s.Default != nil {
		text += fmt.Sprintf(", %v without it", s.Default)
	}
	return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // Escaped.
}

// anchor makes a name for a link of what can be one.
func anchor(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, text)
}

// docsRoute is open: it shows what is there, and no data.
func (s *Server) docsRoute() route { return route{http.MethodGet, "/docs", "", s.getDocs} }
