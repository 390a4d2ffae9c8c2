package profiles

import (
	"sync/atomic"

	"github.com/kindred-cdp/kindred/identity"
)

// Answer is a place at a profile for what is made of it over and over, such as the
// encoded view, so that whoever reads the profile from a cache does it once. It is of
// that very profile: a copy, which may be a masked one, finds nothing in it.
type Answer struct {
	of *Profile
	in *Kept
}

// Kept is what was made of a profile that a cache holds, in whatever form: nothing, and
// there is nothing to drop, before it has a place. It is safe for concurrent use.
type Kept struct {
	room    *Answers
	asked   atomic.Bool // something was made before
	made    atomic.Pointer[answered]
	dropped atomic.Bool
}

type answered struct {
	v    any
	size int64
}

// Answers bounds the bytes of the answers of many profiles. It is safe for concurrent
// use.
type Answers struct {
	most int64
	held atomic.Int64
}

// NewAnswers returns room for answers of so many bytes.
func NewAnswers(most int64) *Answers { return &Answers{most: most} }

// Place makes k a place for the answer of one profile. It is to be called first.
func (a *Answers) Place(k *Kept) { k.room = a }

// Answering is a Store that may hold the answer of a profile without the profile.
type Answering interface {
	// Answer returns what is kept of the profile of an identifier, and whose it is; nil
	// where nothing is at hand. It reads nothing.
	Answer(workspace string, key identity.Key) (identity.ProfileID, any)
}

// At gives p this place. It is to be called before others see p.
func (k *Kept) At(p *Profile) { p.Answer = &Answer{of: p, in: k} }

// Answer returns what is kept, nil for nothing.
func (k *Kept) Answer() any {
	if made := k.made.Load(); made != nil {
		return made.v
	}
	return nil
}

// Answered returns what was kept at p, nil for nothing.
func (p *Profile) Answered() any {
	if p.Answer == nil || p.Answer.of != p {
		return nil
	}
	return p.Answer.in.Answer()
}

// Keep keeps v, of so many bytes, at p, if p has a place and there is room, and if it is
// not the first time: who is asked for once takes no room from those who are asked for
// over and over. v is not to be changed any more.
func (p *Profile) Keep(v any, size int64) {
	if p.Answer == nil || p.Answer.of != p {
		return
	}
	k := p.Answer.in
	if k.dropped.Load() || !k.asked.Swap(true) {
		return
	}
	if k.room.held.Add(size) > k.room.most || !k.made.CompareAndSwap(nil, &answered{v, size}) {
		k.room.held.Add(-size)
		return
	}
	if k.dropped.Load() {
		k.forget()
	}
}

// Drop forgets what is kept, and lets nothing be kept any more.
func (k *Kept) Drop() {
	k.dropped.Store(true)
	k.forget()
}

func (k *Kept) forget() {
	if made := k.made.Swap(nil); made != nil {
		k.room.held.Add(-made.size)
	}
}
