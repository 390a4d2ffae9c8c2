package ingest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// Replay names the dead letter that a record replays, and which attempt it is.
type Replay struct {
	Letter  Hash
	Attempt uint64
}

// String returns the letter's id as people see it: 32 hexadecimal digits.
func (h Hash) String() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], h[1])
	binary.BigEndian.PutUint64(b[8:], h[0])
	return hex.EncodeToString(b[:])
}

// ParseHash reads what String returns.
func ParseHash(s string) (Hash, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 16 {
		return Hash{}, fmt.Errorf("id must be 32 hexadecimal digits")
	}
	return Hash{binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[:8])}, nil
}

// SealReplay returns the value of wire.HeaderReplay. It is signed, because a
// replay that fails adds to the history of its letter instead of making a new
// one: were any producer's word taken for it, bytes could disappear.
func (d *Decoder) SealReplay(workspace string, r Replay) string {
	body := r.Letter.String() + "/" + strconv.FormatUint(r.Attempt, 10)
	return body + "/" + d.sealOf(workspace, body)
}

func (d *Decoder) sealOf(workspace, body string) string {
	lo, _ := d.keyer(workspace).Message("replay", body)
	return strconv.FormatUint(lo, 16)
}

// replayOf reads the header of a record. What carries no valid seal is no replay.
func (d *Decoder) replayOf(m *kafka.Message) *Replay {
	for i := range m.Headers {
		if m.Headers[i].Key != wire.HeaderReplay {
			continue
		}
		h := readHeaders(m)
		text := string(m.Headers[i].Value)
		cut := strings.LastIndexByte(text, '/')
		if cut < 0 || !workspaceName(h.workspace) || text[cut+1:] != d.sealOf(h.workspace, text[:cut]) {
			return nil
		}
		letter, attempt, _ := strings.Cut(text[:cut], "/")
		r := new(Replay)
		var err1, err2 error
		r.Letter, err1 = ParseHash(letter)
		r.Attempt, err2 = strconv.ParseUint(attempt, 10, 64)
		if err1 != nil || err2 != nil {
			return nil
		}
		return r
	}
	return nil
}

// What became of a replay.
const (
	ReplayStored    = "stored"    // it is an event now
	ReplayDuplicate = "duplicate" // an equal message was stored before
	ReplayFailed    = "failed"    // it broke a rule again
)

// Outcome is what became of one replay of a dead letter.
type Outcome struct {
	Replay
	Workspace string
	Result    string // one of the Replay constants
	Reason    Reason // of a failure, and its detail
	Detail    string
	Received  Millis
	Position  Position
}

// outcome notes what became of r, when it is a replay.
func (b *Batch) outcome(r decoded, result string) {
	if r.replay == nil {
		return
	}
	s := r.seen()
	o := Outcome{Replay: *r.replay, Workspace: s.Workspace, Result: result, Position: s.Position}
	if r.letter != nil {
		o.Result, o.Reason, o.Detail, o.Received = ReplayFailed, r.letter.Reason, r.letter.Detail, r.letter.Received
	} else {
		o.Received = r.event.Received
	}
	b.Outcomes = append(b.Outcomes, o)
}
