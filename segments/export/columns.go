package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
)

// Bounds of what can be asked for.
const (
	MaxColumns = 50
	maxName    = 200
)

// ErrColumns says that a list of columns is not as it must be.
var ErrColumns = errors.New("must be up to 50 of profile, since, identifier.NAMESPACE, identifiers.NAMESPACE, trait.NAME and score.NAME, each once, separated by commas")

// Column is one of a file.
type Column struct {
	text, what, name string
}

// ParseColumns reads a list such as "profile,since,identifier.email,trait.city". An
// empty one stands for profile and since.
func ParseColumns(list string) ([]Column, error) {
	if list == "" {
		list = "profile,since"
	}
	var columns []Column
	for _, text := range strings.Split(list, ",") {
		c := Column{text: text}
		c.what, c.name, _ = strings.Cut(text, ".")
		if !c.valid() || slices.ContainsFunc(columns, func(o Column) bool { return o.text == text }) || len(columns) == MaxColumns {
			return nil, ErrColumns
		}
		columns = append(columns, c)
	}
	return columns, nil
}

func (c Column) valid() bool {
	switch c.what {
	case "profile", "since":
		return c.text == c.what
	case "identifier", "identifiers":
		return identity.Namespace(c.name).Validate() == nil
	case "trait", "score":
		return c.name != "" && len(c.name) <= maxName
	}
	return false
}

// NeedProfiles reports whether some column needs more than who is a member.
func NeedProfiles(columns []Column) bool {
	return slices.ContainsFunc(columns, func(c Column) bool { return c.what != "profile" && c.what != "since" })
}

// of returns the value of a column as JSON; nil where there is none.
func (c Column) of(m segments.Member, p *profiles.Profile) (json.RawMessage, error) {
	var v any
	switch c.what {
	case "profile":
		v = m.Profile.String()
	case "since":
		v = m.Since.UTC().Format(time.RFC3339Nano)
	case "identifier", "identifiers":
		values := identifiers(p, identity.Namespace(c.name))
		if len(values) == 0 {
			return nil, nil
		}
		if v = values; c.what == "identifier" {
			v = values[0]
		}
	case "trait":
		for _, t := range p.Traits {
			if t.Name == c.name {
				return t.Value, nil
			}
		}
		return nil, nil
	case "score":
		i := slices.IndexFunc(p.Scores, func(s profiles.Score) bool { return s.Name == c.name })
		if i < 0 {
			return nil, nil
		}
		v = p.Scores[i].Value
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode a column: %w", err)
	}
	return raw, nil
}

// identifiers returns the values of a namespace, the last seen first.
func identifiers(p *profiles.Profile, ns identity.Namespace) (values []string) {
	all := slices.Clone(p.Identifiers)
	slices.SortStableFunc(all, func(a, b profiles.Identifier) int { return b.LastSeen.Compare(a.LastSeen) })
	for _, i := range all {
		if i.Namespace == ns {
			values = append(values, i.Value)
		}
	}
	return values
}
