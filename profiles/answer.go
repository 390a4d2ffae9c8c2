package profiles

import "sync/atomic"

// Answer is a place at a profile for what is made of it over and over, such as the
// encoded view, so that whoever reads the profile from a cache does it once. It is of
// that very profile: a copy, which may be a masked one, finds nothing in it.
type Answer struct {
	of      *Profile
	room    *Answers
	asked   atomic.Bool // something was made of it before
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

// Open gives p a place for an answer. It is to be called before others see p.
func (a *Answers) Open(p *Profile) { p.Answer = &Answer{of: p, room: a} }

// Answered returns what was kept at p, nil for nothing.
func (p *Profile) Answered() any {
	if p.Answer == nil || p.Answer.of != p {
		return nil
	}
	if made := p.Answer.made.Load(); made != nil {
		return made.v
	}
	return nil
}

// Keep keeps v, of so many bytes, at p, if p has a place and there is room, and if it is
// not the first time: who is asked for once takes no room from those who are asked for
// over and over. v is not to be changed any more.
func (p *Profile) Keep(v any, size int64) {
	a := p.Answer
	if a == nil || a.of != p || a.dropped.Load() || !a.asked.Swap(true) {
		return
	}
	if a.room.held.Add(size) > a.room.most || !a.made.CompareAndSwap(nil, &answered{v, size}) {
		a.room.held.Add(-size)
		return
	}
	if a.dropped.Load() {
		a.forget()
	}
}

// Drop forgets what is kept at p, and lets nothing be kept any more.
func (p *Profile) Drop() {
	if a := p.Answer; a != nil && a.of == p {
		a.dropped.Store(true)
		a.forget()
	}
}

func (a *Answer) forget() {
	if made := a.made.Swap(nil); made != nil {
		a.room.held.Add(-made.size)
	}
}
