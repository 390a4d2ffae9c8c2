package segments

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// jsonValue is a parsed JSON value that keeps the order of members and knows
// duplicates, which encoding/json would drop in silence.
type jsonValue struct {
	kind    jsonKind
	text    string // of strings and numbers
	truth   bool
	items   []jsonValue
	members []jsonMember
}

type jsonMember struct {
	name  string
	value jsonValue
}

type jsonKind string

const (
	isNull   jsonKind = "null"
	isBool   jsonKind = "a boolean"
	isNumber jsonKind = "a number"
	isString jsonKind = "a string"
	isArray  jsonKind = "an array"
	isObject jsonKind = "an object"
)

// errDepth stops the parser before a hostile text can exhaust the stack.
var errDepth = errors.New("nested too deeply")

// parseJSON reads exactly one JSON value, nested at most depth levels.
func parseJSON(text []byte, depth int) (jsonValue, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := readValue(dec, depth)
	if err != nil {
		var syntax *json.SyntaxError
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return v, errors.New("text ends within the value")
		case errors.As(err, &syntax):
			return v, fmt.Errorf("not JSON at byte %d", syntax.Offset)
		}
		return v, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return v, fmt.Errorf("more text after the value at byte %d", dec.InputOffset())
	}
	return v, nil
}

func readValue(dec *json.Decoder, depth int) (jsonValue, error) {
	t, err := dec.Token()
	if err != nil {
		return jsonValue{}, err
	}
	switch t := t.(type) {
	case json.Delim:
		if depth == 0 {
			return jsonValue{}, errDepth
		}
		if t == '[' {
			return readArray(dec, depth-1)
		}
		return readObject(dec, depth-1)
	case string:
		return jsonValue{kind: isString, text: t}, nil
	case json.Number:
		return jsonValue{kind: isNumber, text: t.String()}, nil
	case bool:
		return jsonValue{kind: isBool, truth: t}, nil
	}
	return jsonValue{kind: isNull}, nil
}

func readArray(dec *json.Decoder, depth int) (jsonValue, error) {
	v := jsonValue{kind: isArray}
	for dec.More() {
		item, err := readValue(dec, depth)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
	}
	_, err := dec.Token()
	return v, err
}

func readObject(dec *json.Decoder, depth int) (jsonValue, error) {
	v := jsonValue{kind: isObject}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return v, err
		}
		value, err := readValue(dec, depth)
		if err != nil {
			return v, err
		}
		v.members = append(v.members, jsonMember{name: name.(string), value: value})
	}
	_, err := dec.Token()
	return v, err
}
