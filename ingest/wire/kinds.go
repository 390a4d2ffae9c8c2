package wire

import "encoding/json"

// Post is the typed part of a social event: a post, comment, mention or
// direct message.
type Post struct {
	// Network is where it was said, such as "instagram". Required.
	Network string `json:"network"`
	PostID  string `json:"post_id,omitempty"`
	// ThreadID groups a conversation; empty when the network has no threads.
	ThreadID string `json:"thread_id,omitempty"`
	// Direction is "inbound" (said by the customer, the default) or "outbound".
	Direction string `json:"direction,omitempty"`
	// Visibility is "public" (the default) or "private".
	Visibility string `json:"visibility,omitempty"`
	// Intent is "question", "complaint", "praise" or "other", when known.
	Intent string `json:"intent,omitempty"`
	// AuthorType is "human" or "automated", when known.
	AuthorType string `json:"author_type,omitempty"`
	Author     string `json:"author,omitempty"` // handle or name as the network gives it
	Text       string `json:"text,omitempty"`
	URL        string `json:"url,omitempty"`
	Reactions  int64  `json:"reactions,omitempty"` // likes, shares and the like
	// Language is BCP 47, such as "en"; found from Text when empty.
	Language string `json:"language,omitempty"`
	// Sentiment is -1 (negative) to 1; found from Text when absent and the
	// language allows it.
	Sentiment *float64 `json:"sentiment,omitempty"`
}

// Fix is the typed part of a location event: one position fix or check-in.
type Fix struct {
	Lat *float64 `json:"lat"` // degrees, WGS 84, -90 to 90; required
	Lon *float64 `json:"lon"` // degrees, WGS 84, -180 to 180; required
	// Accuracy is the radius in metres that holds the true place with 68 %;
	// 0 when unknown.
	Accuracy float64 `json:"accuracy,omitempty"`
	// Venue is the id of a venue of the catalogue, when the producer knows it;
	// found from the position otherwise.
	Venue string `json:"venue,omitempty"`
}

// SupportContact is the typed part of a support event: a message or a change of state
// of one case.
type SupportContact struct {
	CaseID  string `json:"case_id"` // required
	Channel string `json:"channel"` // such as "phone", "email", "chat", "in_store", "bot"; required
	// Direction is "inbound" (the default) or "outbound".
	Direction string `json:"direction,omitempty"`
	// AuthorType is "human" or "automated", when known.
	AuthorType string `json:"author_type,omitempty"`
	// Status is "open", "pending", "solved", "closed" or "reopened", when known.
	Status string `json:"status,omitempty"`
	// SelfService is the outcome of a self-service contact: "resolved",
	// "escalated" or "abandoned"; empty for assisted ones.
	SelfService string `json:"self_service,omitempty"`
	Topic       string `json:"topic,omitempty"`
	Subject     string `json:"subject,omitempty"`
	Text        string `json:"text,omitempty"`
	// Agent names who answered, as the help desk does.
	Agent string `json:"agent,omitempty"`
	// ResponseSeconds is the time until this answer; absent when it is none.
	ResponseSeconds *float64 `json:"response_seconds,omitempty"`
	Language        string   `json:"language,omitempty"`
	Sentiment       *float64 `json:"sentiment,omitempty"`
}

// Answer is the typed part of a feedback event: one answer to one question.
type Answer struct {
	// Instrument is "nps", "csat", "ces", "review" or "free". Required.
	Instrument string `json:"instrument"`
	// Score is the answer; absent for free text.
	Score *float64 `json:"score,omitempty"`
	// ScaleMin and ScaleMax bound Score; absent they are 0 to 10 for nps, 1 to
	// 5 for csat and review, and 1 to 7 for ces.
	ScaleMin *float64 `json:"scale_min,omitempty"`
	ScaleMax *float64 `json:"scale_max,omitempty"`
	Comment  string   `json:"comment,omitempty"`
	// Survey, Question and Wave say what was asked and in which round.
	Survey   string `json:"survey,omitempty"`
	Question string `json:"question,omitempty"`
	Wave     string `json:"wave,omitempty"`
	// Subject is what a review is about, such as a product id.
	Subject   string   `json:"subject,omitempty"`
	Language  string   `json:"language,omitempty"`
	Sentiment *float64 `json:"sentiment,omitempty"`
}

// Reading is the typed part of a sensor event: one reading of one device.
type Reading struct {
	// Technology is "rfid", "beacon", "iot" or "video". Required.
	Technology string `json:"technology"`
	// Device is the reader, gateway or camera. Required.
	Device string `json:"device"`
	// Zone is the place that the device watches; needed to fold into visits.
	Zone string `json:"zone,omitempty"`
	// Phase is "enter", "dwell" or "leave" when the device says so itself.
	Phase string `json:"phase,omitempty"`
	// Value and Unit are what was measured, such as -61 and "dBm".
	Value *float64 `json:"reading,omitempty"`
	Unit  string   `json:"unit,omitempty"`
	// DwellSeconds is the stay that the device has measured itself.
	DwellSeconds *float64 `json:"dwell_seconds,omitempty"`
}

// Outreach is the typed part of a contact event: what became of one message that
// the brand sent.
type Outreach struct {
	// Action is "sent", "delivered", "opened", "clicked", "replied", "bounced",
	// "complained", "unsubscribed" or "suppressed". Required.
	Action string `json:"action"`
	// Channel is "email", "sms", "push", "whatsapp", "post", "phone", "web" or
	// another lower-case name. Required.
	Channel  string `json:"channel"`
	Campaign string `json:"campaign,omitempty"`
	Template string `json:"template,omitempty"`
	// MessageID is the id of the message sent, equal for all its actions.
	MessageID string `json:"message_id,omitempty"`
	Subject   string `json:"subject,omitempty"`
	Link      string `json:"link,omitempty"`
	Detail    string `json:"detail,omitempty"` // such as the reason of a bounce
}

// Entry is the typed part of a catalogue event: the state of one entry from
// the event's time on. The latest state stands.
type Entry struct {
	// Type is "product", "store", "venue" or "action". Required.
	Type string `json:"type"`
	// ItemID is the entry's id, unique by type. Required.
	ItemID   string      `json:"item_id"`
	Name     string      `json:"name,omitempty"`
	Category []string    `json:"category,omitempty"` // path from the widest to the narrowest
	Brand    string      `json:"brand,omitempty"`
	Variant  string      `json:"variant,omitempty"`
	Currency string      `json:"currency,omitempty"` // ISO 4217, of price and cost
	Price    json.Number `json:"price,omitempty"`
	Cost     json.Number `json:"cost,omitempty"`
	// Active is true unless said otherwise.
	Active *bool  `json:"active,omitempty"`
	URL    string `json:"url,omitempty"`
	Image  string `json:"image,omitempty"`
	// Lat, Lon and Radius place a store or venue: degrees, and metres within
	// which it extends (0 when unknown).
	Lat    *float64 `json:"lat,omitempty"`
	Lon    *float64 `json:"lon,omitempty"`
	Radius float64  `json:"radius,omitempty"`
}
