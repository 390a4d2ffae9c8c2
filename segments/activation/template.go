package activation

import (
	"errors"
	"net/url"
	"strings"
)

// piece is a part of a template of an address: text, or a placeholder.
type piece struct{ text, source, as string }

var errTemplate = errors.New("a brace is not closed, or not opened")

// splitTemplate parts an address with {source|as} in it.
func splitTemplate(text string) (pieces []piece, err error) {
	for {
		before, after, open := strings.Cut(text, "{")
		if strings.Contains(before, "}") {
			return nil, errTemplate
		}
		if before != "" {
			pieces = append(pieces, piece{text: before})
		}
		if !open {
			return pieces, nil
		}
		inner, rest, closed := strings.Cut(after, "}")
		if !closed {
			return nil, errTemplate
		}
		source, as, _ := strings.Cut(inner, "|")
		pieces = append(pieces, piece{source: source, as: as})
		text = rest
	}
}

// fill returns an address with its placeholders filled in and escaped, or
// errIncomplete where something is not known.
func (s *subject) fill(address string) (string, error) {
	pieces, err := splitTemplate(address)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, p := range pieces {
		if p.source == "" {
			b.WriteString(p.text)
			continue
		}
		v, ok := s.value(p.source)
		text := textOf(written(v, p.as))
		if !ok || text == "" || text == "." || text == ".." { // Dots would lead elsewhere.
			return "", errIncomplete
		}
		b.WriteString(strings.ReplaceAll(url.QueryEscape(text), "+", "%20")) // Fits a path as well as a query.
	}
	return b.String(), nil
}
