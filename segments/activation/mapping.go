package activation

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// subject is what a message is made of: a change, and what is known of its profile.
type subject struct {
	workspace   string
	destination ID
	change      segments.Change
	key         string
	profile     *profiles.Profile // never nil
	address     string            // of e-mail, of whom it is sent to
	erased      bool              // all that is told of the profile
}

// merged is the profile that the one of the change is part of now; zero for itself.
func (s *subject) merged() identity.ProfileID {
	if s.profile.ID == s.change.Profile {
		return 0
	}
	return s.profile.ID
}

// sourceWords says what fields can be made of.
const sourceWords = "identifier.NAMESPACE (the newest), identifiers.NAMESPACE (all), trait.NAME, score.NAME, profile, segment, change, entered, time, key, workspace or destination"

// plainSources are those without a name behind a dot.
var plainSources = []string{"profile", "segment", "change", "entered", "time", "key", "workspace", "destination"}

func knownSource(text string) bool {
	what, name, named := strings.Cut(text, ".")
	if !named {
		return slices.Contains(plainSources, text)
	}
	switch what {
	case "identifier", "identifiers":
		return identity.Namespace(name).Validate() == nil
	case "trait", "score":
		return name != "" && len(name) <= maxText
	}
	return false
}

// value returns what a source is for a subject; false where there is nothing.
func (s *subject) value(source string) (any, bool) {
	what, name, _ := strings.Cut(source, ".")
	switch what {
	case "identifier":
		list := s.identifiers(identity.Namespace(name))
		if len(list) == 0 {
			return nil, false
		}
		return list[0], true
	case "identifiers":
		list := s.identifiers(identity.Namespace(name))
		return list, len(list) > 0
	case "trait":
		for _, t := range s.profile.Traits {
			if t.Name == name {
				return t.Value, true
			}
		}
		return nil, false
	case "score":
		for _, c := range s.profile.Scores {
			if c.Name == name {
				return c.Value, true
			}
		}
		return nil, false
	}
	return s.plain(source), true
}

func (s *subject) plain(source string) any {
	switch source {
	case "profile":
		return s.change.Profile.String()
	case "segment":
		return string(s.change.Segment)
	case "change":
		return direction(s.change.Entered)
	case "entered":
		return s.change.Entered
	case "time":
		return s.change.Time.UTC().Format(time.RFC3339Nano)
	case "key":
		return s.key
	case "workspace":
		return s.workspace
	}
	return string(s.destination)
}

// identifiers returns the values of a namespace, the last seen first.
func (s *subject) identifiers(ns identity.Namespace) []string {
	if ns == identity.Email && s.address != "" {
		return []string{s.address}
	}
	var all []profiles.Identifier
	for _, i := range s.profile.Identifiers {
		if i.Namespace == ns {
			all = append(all, i)
		}
	}
	slices.SortStableFunc(all, func(a, b profiles.Identifier) int { return b.LastSeen.Compare(a.LastSeen) })
	values := make([]string, len(all))
	for i := range all {
		values[i] = all[i].Value
	}
	return values
}

// forms are the ways to write a value. A hash is of the text in lower case and without
// space around it, as those who match hashed addresses ask for.
var forms = []string{"text", "lower", "sha256", "md5", "unix"}

func knownForm(as string) bool { return as == "" || slices.Contains(forms, as) }

// written returns a value in a form.
func written(v any, as string) any {
	text := textOf(v)
	low := strings.ToLower(strings.TrimSpace(text))
	switch as {
	case "text":
		return text
	case "lower":
		return low
	case "sha256":
		sum := sha256.Sum256([]byte(low))
		return hex.EncodeToString(sum[:])
	case "md5":
		sum := md5.Sum([]byte(low)) // Not for secrecy: it is how some receivers name a subscriber.
		return hex.EncodeToString(sum[:])
	case "unix":
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t.Unix()
		}
	}
	return v
}

// textOf is the text of a value: that of a JSON text without its quotes.
func textOf(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	raw, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = json.Marshal(v); err != nil {
			return "" // Impossible: values are texts, lists of texts, numbers and booleans.
		}
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// of returns the value of a field, and whether there is one.
func (f Field) of(s *subject) (any, bool) {
	if len(f.Value) > 0 {
		return f.Value, true
	}
	v, ok := s.value(f.From)
	if !ok {
		return nil, false
	}
	v = written(v, f.As)
	if f.Values != nil {
		other, ok := f.Values[textOf(v)]
		return other, ok
	}
	return v, true
}

// path is where a field stands.
func (f Field) path(segment string) []string {
	return strings.Split(strings.ReplaceAll(f.To, "{segment}", segment), ".")
}

// errIncomplete says that the receiver needs something that is not known.
var errIncomplete = errors.New("incomplete")

// object makes an object of fields.
func (s *subject) object(fields []Field) (any, error) {
	t := &tree{}
	for _, f := range fields {
		v, ok := f.of(s)
		switch {
		case ok:
			if err := t.put(f.path(string(s.change.Segment)), v); err != nil {
				return nil, err
			}
		case f.Required:
			return nil, errIncomplete
		}
	}
	return t.json(), nil
}

// tree is a JSON value that grows by paths.
type tree struct {
	value    any
	set      bool
	members  map[string]*tree
	elements []*tree
}

// maxElements bounds the lists of a body.
const maxElements = 100

var errPaths = errors.New("stands where another field has something else")

// put sets the value at a path. What is set twice takes the later value.
func (t *tree) put(path []string, v any) error {
	if len(path) == 0 {
		if t.members != nil || t.elements != nil {
			return errPaths
		}
		t.value, t.set = v, true
		return nil
	}
	if t.set || path[0] == "" {
		return errPaths
	}
	if n, err := strconv.Atoi(path[0]); err == nil && n >= 0 && n < maxElements {
		if t.members != nil {
			return errPaths
		}
		for len(t.elements) <= n {
			t.elements = append(t.elements, &tree{})
		}
		return t.elements[n].put(path[1:], v)
	}
	if t.elements != nil {
		return errPaths
	}
	if t.members == nil {
		t.members = map[string]*tree{}
	}
	if t.members[path[0]] == nil {
		t.members[path[0]] = &tree{}
	}
	return t.members[path[0]].put(path[1:], v)
}

// json is the value that has grown. Elements that nothing was put at are left out.
func (t *tree) json() any {
	switch {
	case t.set:
		return t.value
	case t.elements != nil:
		list := []any{}
		for _, e := range t.elements {
			if e.set || e.members != nil || e.elements != nil {
				list = append(list, e.json())
			}
		}
		return list
	}
	members := map[string]any{}
	for name, m := range t.members {
		members[name] = m.json()
	}
	return members
}

// cut returns at most n bytes of a text, whole characters.
func cut(text string, n int) string {
	for len(text) > n || !utf8.ValidString(text) {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-max(size, 1)]
	}
	return text
}
