package identity

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unsafe"
)

// evidenceVersion is the first byte of a record of the evidence topic in the
// compact form. No JSON text starts with it.
const evidenceVersion = 1

// AppendEvidence appends e to b in the compact form of the evidence topic: the
// version byte, then the fields in the order of Evidence, with every text after
// its length, keys and the anchor as 8 bytes, other numbers as varints.
// e must have at most MaxMembers members.
func AppendEvidence(b []byte, e *Evidence) []byte {
	b = append(b, evidenceVersion)
	b = appendText(b, e.Workspace)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Anchor))
	b = append(b, byte(len(e.Members)))
	for _, m := range e.Members {
		b = appendText(b, string(m.Namespace))
		b = appendText(b, m.Value)
		b = binary.LittleEndian.AppendUint64(b, uint64(m.Key))
	}
	b = appendText(b, e.Source)
	b = binary.AppendVarint(b, int64(e.Period))
	b = appendText(b, e.Rule)
	b = binary.AppendVarint(b, e.Span.FirstEvent)
	b = binary.AppendVarint(b, e.Span.FirstReceived)
	b = binary.AppendVarint(b, int64(e.Span.LastEvent))
	b = binary.AppendVarint(b, int64(e.Span.LastReceived))
	b = binary.AppendVarint(b, e.Witness.Time)
	return appendText(b, e.Witness.MessageID)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Errors of records of the evidence topic. They never quote the record: it
// holds personal data.
var (
	errEvidenceJSON    = errors.New("value is not the JSON of evidence")
	errEvidenceCut     = errors.New("value is not evidence: it ends early, or a number is out of range")
	errEvidenceTrail   = errors.New("value is not evidence: it goes on after its end")
	errEvidenceMembers = fmt.Errorf("evidence must have 1 to %d members", MaxMembers)
)

// EvidenceDecoder reads records of the evidence topic: in the compact form of
// AppendEvidence, or as the JSON of Evidence, which earlier releases wrote and
// producers of their own may write. The zero value is ready for use, by one
// goroutine at a time.
type EvidenceDecoder struct {
	room []Member // for the members of records to come
}

// Decode returns the evidence in value. It checks the form only, not what the
// evidence says. The texts of the result share the bytes of value, which must
// not change any more: whoever keeps one for long clones it.
func (d *EvidenceDecoder) Decode(value []byte) (Evidence, error) {
	if len(value) == 0 || value[0] != evidenceVersion {
		var e Evidence
		if err := json.Unmarshal(value, &e); err != nil {
			return Evidence{}, errEvidenceJSON
		}
		return e, nil
	}
	var e Evidence
	r := evidenceReader{rest: unsafe.String(unsafe.SliceData(value), len(value))[1:]}
	e.Workspace = r.text()
	e.Anchor = AnchorID(r.key())
	n := int(r.byte())
	if n > MaxMembers {
		return Evidence{}, errEvidenceMembers
	}
	e.Members = d.members(n)
	for i := range e.Members {
		m := &e.Members[i]
		m.Namespace, m.Value = Namespace(r.text()), r.text()
		m.Key = Key(r.key())
	}
	e.Source = r.text()
	e.Period = Period(r.small())
	e.Rule = r.text()
	e.Span = Span{FirstEvent: r.number(), FirstReceived: r.number(), LastEvent: Day(r.small()), LastReceived: Day(r.small())}
	e.Witness.Time = r.number()
	e.Witness.MessageID = r.text()
	switch {
	case r.bad:
		return Evidence{}, errEvidenceCut
	case r.rest != "":
		return Evidence{}, errEvidenceTrail
	}
	return e, nil
}

// members returns room for n members, many records to one allocation.
func (d *EvidenceDecoder) members(n int) []Member {
	if n == 0 {
		return nil
	}
	if len(d.room) < n {
		d.room = make([]Member, 256)
	}
	m := slices.Clip(d.room[:n])
	d.room = d.room[n:]
	return m
}

// evidenceReader reads the compact form from front to back. After the first
// thing that is not there it is bad and returns zeros.
type evidenceReader struct {
	rest string
	bad  bool
}

func (r *evidenceReader) fail() {
	r.rest, r.bad = "", true
}

func (r *evidenceReader) byte() byte {
	if r.rest == "" {
		r.fail()
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

// key reads 8 bytes.
func (r *evidenceReader) key() (k uint64) {
	if len(r.rest) < 8 {
		r.fail()
		return 0
	}
	s := r.rest[:8]
	r.rest = r.rest[8:]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// length reads an unsigned varint of up to 64 bits.
func (r *evidenceReader) length() (v uint64) {
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		c := r.rest[i]
		if i == binary.MaxVarintLen64-1 && c > 1 {
			break // More than 64 bits.
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return v
		}
	}
	r.fail()
	return 0
}

func (r *evidenceReader) text() string {
	n := r.length()
	if n > uint64(len(r.rest)) {
		r.fail()
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// number reads a signed varint.
func (r *evidenceReader) number() int64 {
	u := r.length()
	return int64(u>>1) ^ -int64(u&1)
}

// small reads a signed varint of 32 bits.
func (r *evidenceReader) small() int32 {
	v := r.number()
	if v != int64(int32(v)) {
		r.fail()
	}
	return int32(v)
}
