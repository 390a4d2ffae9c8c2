package files

import (
	"context"
	"io"
	"time"
)

// Format reads one layout of files.
type Format interface {
	// Name is the name that the command line uses, such as "online-retail".
	Name() string
	// Begin returns a conversion of one input. It reads nothing.
	Begin(opts Options) Conversion
}

// Options is what a conversion may depend on besides the content: together
// they determine every byte that it emits.
type Options struct {
	// File is the input's name, used in the positions of rejected lines.
	File string
	// AsOf is when the import was first begun. Lines dated a day later or
	// more are rejected, so one wrong date cannot move all others.
	AsOf time.Time
	// Workspace receives the messages.
	Workspace string
	// MaxMessageBytes bounds the value of one record; larger messages are
	// rejected line by line.
	MaxMessageBytes int
	// SHA256 is that of the content, in hexadecimal.
	SHA256 string
	// Shifted says that times will be moved, so that Survey must find them.
	Shifted bool
	// Path is that of the file when it can be read there as it is, and
	// TempFolder is for content that cannot be read as a stream.
	Path, TempFolder string
	// MaxOpenBytes bounds the lines held because their message is not complete.
	MaxOpenBytes int
}

// Survey is what a first reading of the input found.
type Survey struct {
	// Lines is the number of records after the header, readable or not.
	Lines int
	// Messages is the number of messages that the readable lines belong to.
	Messages int
	// Rejected is the number of unreadable lines.
	Rejected int
	// First and Last are the least and the greatest time of a readable line.
	// Both are zero when there is none.
	First, Last time.Time
}

// Conversion turns one input into records. It is used by one goroutine: first
// Survey, then Convert.
type Conversion interface {
	// Survey reads the whole content. It returns an error when the content is
	// not of this format at all, or cannot be read.
	Survey(ctx context.Context, r io.Reader) (Survey, error)
	// Convert reads the content again and emits its records, with every time
	// moved by shift. Its order and its bytes depend on the content, the
	// options and shift alone.
	Convert(ctx context.Context, r io.Reader, shift time.Duration, emit func(Record) error) error
	// Counts returns what Convert has emitted so far.
	Counts() Counts
}

// Counts says what became of the lines. Every readable line belongs to one
// message, and every message to one class.
type Counts struct {
	Lines       int         `json:"lines"` // after the header, readable or not; empty lines are none
	Orders      OrderCounts `json:"orders"`
	Refunds     int         `json:"refunds"`
	Adjustments int         `json:"adjustments"`
	Rejected    int         `json:"rejected"`  // lines that became reject records
	Messages    int         `json:"messages"`  // orders, refunds and adjustments
	Customers   int         `json:"customers"` // distinct customers with an order
	Revenue     Decimal     `json:"revenue"`   // of the sales lines of known customers' orders
	// MixedCountries counts messages whose lines name more than one country;
	// the first one is taken.
	MixedCountries int `json:"mixed_countries"`
	// Ignored counts records that the mapping says to leave out.
	Ignored int `json:"ignored,omitempty"`
}

// OrderCounts are the orders with a customer and those without.
type OrderCounts struct {
	Known int `json:"known"`
	Guest int `json:"guest"`
}

// Formats lists the formats, in the order in which help texts show them.
func Formats() []Format { return []Format{OnlineRetail{}} }

// FormatByName returns the format with the name, and whether there is one.
func FormatByName(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.Name() == name {
			return f, true
		}
	}
	return nil, false
}
