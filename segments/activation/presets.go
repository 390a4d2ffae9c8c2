package activation

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// Preset is the form that a known receiver wants. The header with its key is a secret
// of the destination: Authorization of the receivers here.
type Preset struct {
	URL        string // where it is the same for all; else the destination has it
	Method     string
	Fields     []Field
	Subscribes bool // needs consent to marketing by e-mail unless another is named
}

// Presets returns the names of the forms of known receivers.
func Presets() []string {
	names := slices.Sorted(maps.Keys(presets))
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

func text(s string) json.RawMessage {
	raw, err := json.Marshal(s)
	if err != nil {
		return nil // Impossible: a text always marshals.
	}
	return raw
}

// presets by name; "" is none.
var presets = map[string]Preset{
	"": {},
	// A contact is made or changed by its address; each segment is a property of its
	// own, kindred_<segment>, to be made once in HubSpot as a single checkbox.
	"hubspot-contacts": {
		URL: "https://api.hubapi.com/crm/v3/objects/contacts/batch/upsert", Method: http.MethodPost,
		Fields: []Field{
			{To: "inputs.0.idProperty", Value: text("email")},
			{To: "inputs.0.id", From: "identifier.email", Required: true},
			{To: "inputs.0.properties.email", From: "identifier.email"},
			{To: "inputs.0.properties.firstname", From: "trait.first_name"},
			{To: "inputs.0.properties.lastname", From: "trait.last_name"},
			{To: "inputs.0.properties.phone", From: "identifier.phone"},
			{To: "inputs.0.properties.kindred_{segment}", From: "entered", As: "text"},
		},
	},
	// A subscriber is made or changed; url is that of the list with the subscriber:
	// https://DC.api.mailchimp.com/3.0/lists/LIST/members/{identifier.email|md5}. What a
	// segment means to the list is a merge field, such as
	// {"to": "merge_fields.LOYAL", "from": "entered", "as": "text"}.
	"mailchimp-members": {
		Method: http.MethodPut, Subscribes: true,
		Fields: []Field{
			{To: "email_address", From: "identifier.email", Required: true},
			{To: "status_if_new", Value: text("subscribed")},
			{To: "merge_fields.FNAME", From: "trait.first_name"},
			{To: "merge_fields.LNAME", From: "trait.last_name"},
		},
	},
	// A tag named like the segment is put on a subscriber that is there, or taken off;
	// url ends in /members/{identifier.email|md5}/tags.
	"mailchimp-tags": {
		Method: http.MethodPost,
		Fields: []Field{
			{To: "tags.0.name", From: "segment"},
			{To: "tags.0.status", From: "entered", Values: map[string]json.RawMessage{"true": text("active"), "false": text("inactive")}},
		},
	},
}
