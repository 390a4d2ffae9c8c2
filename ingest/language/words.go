package language

import (
	"strings"
	"unicode"
)

// maxScanned bounds the bytes of a text that are looked at; more of a long text
// changes neither its language nor its tone.
const maxScanned = 8 << 10

// scanned returns the part of the text that is looked at.
func scanned(text string) string {
	if len(text) > maxScanned {
		text = strings.ToValidUTF8(text[:maxScanned], "")
	}
	return text
}

// words returns the words of a text in lower case, with apostrophes inside, and
// "!" and "?" as words of their own.
func words(text string) []string {
	text = strings.ReplaceAll(strings.ToLower(text), "’", "'")
	var out []string
	start := -1
	end := func(i int) {
		if start >= 0 {
			if w := strings.Trim(text[start:i], "'"); w != "" {
				out = append(out, w)
			}
			start = -1
		}
	}
	for i, r := range text {
		if unicode.IsLetter(r) || unicode.IsMark(r) || r == '\'' {
			if start < 0 {
				start = i
			}
			continue
		}
		end(i)
		if r == '!' || r == '?' {
			out = append(out, string(r))
		}
	}
	end(len(text))
	return out
}
