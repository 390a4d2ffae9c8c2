package ingest

import (
	"encoding/json"

	"github.com/kindred-cdp/kindred/ingest/jsonscan"
	"github.com/kindred-cdp/kindred/ingest/wire"
)

// maxGroup is the greatest length of an account's id in bytes, Segment's own.
const maxGroup = 500

// Group returns the account that a group event names, and what it says of it: a
// JSON object, or nil. Other events name none, nor do those whose groupId is
// neither a text nor a number.
func (e *Event) Group() (id string, traits json.RawMessage, ok bool) {
	if e.Kind != wire.Behaviour || e.Type != "group" || jsonscan.IsNull(e.Properties) {
		return "", nil, false
	}
	m := jsonscan.ObjectOf(e.Properties)
	for m.Next() {
		switch string(m.Key) {
		case "groupId":
			id = groupID(m.Value)
		case "traits":
			if traits = nil; m.Value[0] == '{' {
				traits = m.Value
			}
		}
	}
	return id, traits, id != "" && len(id) <= maxGroup
}

func groupID(value []byte) string {
	if text, ok := jsonscan.Text(value); ok {
		return string(text)
	}
	if jsonscan.Type(value) == "number" {
		return string(value)
	}
	return ""
}
