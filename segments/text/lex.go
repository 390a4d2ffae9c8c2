package text

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// kind says what a token is.
type kind int

const (
	end    kind = iota
	word        // of the language, or a bare name
	quoted      // a string; text is what it says
	number      // a number, duration or time, told apart by its place
	sign        // an operator, a bracket or a comma
)

// token is a piece of text at a byte offset.
type token struct {
	kind kind
	text string
	at   int
}

// words are those of the language. A trait that a leaf begins with cannot be one of
// them; elsewhere the place tells a name from a word.
var words = set(`accounts after all and any average bought by category cell consent contains days denied did exists false first from
	granted has holdout household in inside last location lower max min minutes near not nps of optional or orders persona product refunds revenue score segment sentiment sequence span stage sum
	then times trait true unknown until upper where without zone`)

// nouns are words that read well as names.
var nouns = set(`accounts average consent days first holdout household last lower max min orders persona refunds revenue score segment span stage sum times upper zone`)

func set(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

// signs, the longer ones first.
var signs = []string{"[].", "!=", ">=", "<=", "=", ">", "<", "(", ")", ",", "%"}

// lex cuts text into tokens, the last of which is the end.
func lex(text string) ([]token, *Fault) {
	var tokens []token
	for at := 0; ; {
		for at < len(text) && strings.IndexByte(" \t\r\n", text[at]) >= 0 {
			at++
		}
		if at == len(text) {
			return append(tokens, token{kind: end, at: at}), nil
		}
		t, size := next(text[at:])
		if size == 0 {
			r, _ := utf8.DecodeRuneInString(text[at:])
			if r == '"' {
				return nil, fault(text, at, "is a string that does not end, or breaks the rules of JSON")
			}
			return nil, fault(text, at, "has no place in a definition: "+string(r))
		}
		t.at = at
		tokens = append(tokens, t)
		at += size
	}
}

// next reads the token that text begins with; its size is 0 where there is none.
func next(text string) (token, int) {
	if text[0] == '"' {
		n := closing(text)
		var s string
		if n == 0 || json.Unmarshal([]byte(text[:n]), &s) != nil {
			return token{}, 0
		}
		return token{kind: quoted, text: s}, n
	}
	for _, s := range signs {
		if strings.HasPrefix(text, s) {
			return token{kind: sign, text: s}, len(s)
		}
	}
	n := 0
	switch {
	case letter(text[0]):
		for n < len(text) && (letter(text[n]) || digit(text[n]) || text[n] == '.') {
			n++
		}
		return token{kind: word, text: text[:n]}, n
	case digit(text[0]), text[0] == '-' && len(text) > 1 && digit(text[1]):
		for n++; n < len(text) && (letter(text[n]) || digit(text[n]) || strings.IndexByte(".:+-", text[n]) >= 0); {
			n++
		}
		return token{kind: number, text: text[:n]}, n
	}
	return token{}, 0
}

// closing returns the length of the string that text begins with, 0 if it has no end.
func closing(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

func letter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '_' }
func digit(b byte) bool  { return b >= '0' && b <= '9' }

// bare reports whether a name is a word token, so that it can stand without quotes.
func bare(name string) bool {
	if name == "" || !letter(name[0]) {
		return false
	}
	for i := range len(name) {
		if !letter(name[i]) && !digit(name[i]) && name[i] != '.' {
			return false
		}
	}
	return true
}
