package rulefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxDepth is deeper than any key path of the rules.
const maxDepth = 16

// readJSON returns the tree of a JSON document. It goes by tokens, because
// encoding/json keeps no lines and takes the last of two equal keys in silence.
func readJSON(text []byte) (*node, *Fault) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	r := jsonReader{d: d, at: liner{text: text, line: 1}}
	root, err := r.value(0)
	if err == nil {
		if _, err = d.Token(); err == nil {
			err = errors.New("there is more after the end of the document")
		} else if errors.Is(err, io.EOF) {
			return root, nil
		}
	}
	return nil, &Fault{Line: r.line(), Rule: "is not JSON: " + jsonReason(err)}
}

// jsonReason returns the decoder's words; they quote one character at most.
func jsonReason(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the document ends too early"
	}
	return err.Error()
}

type jsonReader struct {
	d  *json.Decoder
	at liner
}

func (r *jsonReader) line() int { return r.at.of(int(r.d.InputOffset())) }

// value reads one value.
func (r *jsonReader) value(depth int) (*node, error) {
	token, err := r.d.Token()
	if err != nil {
		return nil, err
	}
	n := &node{line: r.line()}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return nil, errors.New("the document is nested too deeply")
		}
		if t == '{' {
			n.value, err = r.object(depth + 1)
		} else {
			n.value, err = r.list(depth + 1)
		}
	case json.Number:
		n.value = number(t.String())
	default:
		n.value = t
	}
	return n, err
}

func (r *jsonReader) object(depth int) (table, error) {
	t := table{}
	for r.d.More() {
		token, err := r.d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string) // the decoder accepts nothing else as a key
		line := r.line()
		if t[key] != nil {
			return nil, fmt.Errorf("key %s is there twice", quoteKey(key))
		}
		child, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		child.line = line
		t[key] = child
	}
	_, err := r.d.Token()
	return t, err
}

func (r *jsonReader) list(depth int) ([]*node, error) {
	list := []*node{}
	for r.d.More() {
		child, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, child)
	}
	_, err := r.d.Token()
	return list, err
}

// number returns an int64 where the text is a whole number that fits.
func number(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	f, _ := strconv.ParseFloat(s, 64)
	return f
}
