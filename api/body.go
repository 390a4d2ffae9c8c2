package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

// decode reads a JSON body of a known shape into v: one value, no unknown
// fields. Its errors are problems or what reading the body returns.
func decode(c *gin.Context, v any) error {
	if !isJSON(c.GetHeader("Content-Type")) || c.GetHeader("Content-Encoding") != "" {
		return unsupportedMedia()
	}
	text, err := io.ReadAll(c.Request.Body)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return badRequest("the body could not be read to its end")
	}
	if !utf8.Valid(text) { // The decoder would put something else in its place.
		return badRequest("the body must be UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return decodeProblem(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badRequest("the body must be one JSON value")
	}
	return nil
}

// isJSON takes a body for JSON when its type says so, and when it is what
// clients say without thinking: nothing, text, or what curl -d says of all it
// sends. Browsers cannot abuse this: they do not add the API key by themselves.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	switch media {
	case "application/json", "text/plain", "application/x-www-form-urlencoded":
		return true
	}
	return false
}

// decodeProblem words the errors of encoding/json without values of the body.
func decodeProblem(err error) error {
	var p *problem
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &p):
		return err
	case errors.As(err, &syntax):
		return badRequest(fmt.Sprintf("the body is not JSON at byte %d", syntax.Offset))
	case errors.As(err, &wrong):
		pointer := ""
		if wrong.Field != "" {
			pointer = "/" + strings.ReplaceAll(wrong.Field, ".", "/")
		}
		return badRequest("the body has a value of the wrong type", fault{pointer, "must be " + kindOf(wrong.Type) + ", and is " + valueKind(wrong.Value)})
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name := strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
		if !isFieldName(name) { // It may be anything, a value too.
			return badRequest("the body has a field that is not known")
		}
		return badRequest("the body has a field that is not known: " + name)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("the body ends within its JSON value")
	}
	return badRequest("the body could not be understood")
}

// send encodes v as JSON with an ETag, and answers 304 when the caller has the
// same answer already.
func send(c *gin.Context, v any) error {
	body, err := encodeBody(v)
	if err != nil {
		return err
	}
	sendEncoded(c, "application/json", body)
	return nil
}

// sendBytes is send for what is encoded already.
func sendBytes(c *gin.Context, media string, body []byte) {
	sendEncoded(c, media, newBody(body))
}

// encodedBody is an answer as it is sent. It may be sent many times, and many lie in a
// cache: what belongs to one is in few objects, each of which the collector looks for.
type encodedBody struct {
	plain   []byte
	length  [1]string // header Content-Length of plain; sent as it lies here, as those of names
	naming  sync.Once
	named   names
	packing sync.Once
	zipped  []byte
}

// names are the ETags of an answer: without quotes, and the header of either encoding.
type names struct {
	name          string
	plain, packed [1]string
}

func encodeBody(v any) (*encodedBody, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	plain := bytes.Clone(b.Bytes()) // The buffer has room to spare.
	return newBody(plain), nil
}

func newBody(plain []byte) *encodedBody {
	return &encodedBody{plain: plain, length: [1]string{strconv.Itoa(len(plain))}}
}

// names returns the ETags.
func (b *encodedBody) names() *names {
	b.naming.Do(func() {
		name := tagOf(b.plain)
		both := `"` + name + `""` + name + packedTag + `"` // Other bytes, another strong tag.
		n := len(name) + 2
		b.named = names{name: both[1 : n-1], plain: [1]string{both[:n]}, packed: [1]string{both[n:]}}
	})
	return &b.named
}

// packed returns the body in gzip.
func (b *encodedBody) packed() []byte {
	b.packing.Do(func() { b.zipped = pack(b.plain) })
	return b.zipped
}

// size is about what the body takes in memory, once it was packed.
func (b *encodedBody) size() int64 { return int64(len(b.plain)+len(b.plain)/2) + 256 }

func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Headers that many answers have; nobody changes the lists, which have no room.
var (
	varyEncoding = []string{"Accept-Encoding"}
	gzipEncoding = []string{"gzip"}
	revalidate   = []string{"private, no-cache"}
	jsonMedia    = []string{"application/json"}
)

func sendEncoded(c *gin.Context, media string, e *encodedBody) {
	h := c.Writer.Header()
	if media == jsonMedia[0] {
		h["Content-Type"] = jsonMedia
	} else {
		h.Set("Content-Type", media)
	}
	packed := len(e.plain) >= leastPacked && acceptsGzip(c.GetHeader("Accept-Encoding"))
	if h["Vary"] == nil {
		h["Vary"] = varyEncoding
	} else {
		h.Add("Vary", "Accept-Encoding")
	}
	if c.Request.Method == http.MethodGet {
		tags := e.names()
		h["Etag"] = tags.plain[:]
		if packed {
			h["Etag"] = tags.packed[:]
		}
		h["Cache-Control"] = revalidate
		if matches(c.GetHeader("If-None-Match"), tags.name) {
			c.Writer.WriteHeader(http.StatusNotModified)
			c.Writer.WriteHeaderNow()
			return
		}
	}
	body, length := e.plain, e.length[:]
	if packed {
		h["Content-Encoding"] = gzipEncoding
		body = e.packed()
		length = []string{strconv.Itoa(len(body))}
	}
	h["Content-Length"] = length // Else larger ones go in chunks.
	if c.Request.Method != http.MethodHead {
		expect(c.Request.Context(), len(body))
	}
	c.Writer.WriteHeader(http.StatusOK)
	_, _ = c.Writer.Write(body) // A write fails when the client is gone; nothing is left to do.
}

// matches compares weakly, as RFC 9110 §13.1.2 asks, with the tags of an answer in
// either encoding.
func matches(header, name string) bool {
	if header == "" {
		return false
	}
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" || part == `"`+name+`"` || part == `"`+name+packedTag+`"` {
			return true
		}
	}
	return false
}

// isFieldName reports whether a name has the form of those of this API, so that
// an error may repeat it.
func isFieldName(s string) bool {
	for _, r := range s {
		if r != '_' && (r < 'a' || r > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= 32
}

// kindOf says in words what a field takes.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number" // No other kind is in a body.
}

// valueKind says in words what encoding/json found.
func valueKind(found string) string {
	word, _, _ := strings.Cut(found, " ") // A number comes with its digits.
	switch word {
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "array":
		return "a list"
	case "object":
		return "an object"
	}
	return "another number"
}
