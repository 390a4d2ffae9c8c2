package profiles

import "testing"

// TestAnswersAreOfTheirProfile: what is kept at a profile is neither found at a copy of
// it, such as a masked one, nor after it was dropped, and all of it stays within bounds.
func TestAnswersAreOfTheirProfile(t *testing.T) {
	room := NewAnswers(100)
	p, other := &Profile{ID: 1}, &Profile{ID: 2}
	p.Keep("nowhere", 1)
	if p.Answered() != nil {
		t.Error("a profile without a place keeps something")
	}
	var place, elsewhere Kept
	room.Place(&place)
	room.Place(&elsewhere)
	place.At(p)
	elsewhere.At(other)
	p.Keep("once", 60)
	if got := p.Answered(); got != nil {
		t.Errorf("kept %v, of what was made but once", got)
	}
	p.Keep("first", 60)
	p.Keep("second", 10)
	if got := p.Answered(); got != "first" {
		t.Errorf("kept %v", got)
	}
	if masked := p.Masked(); masked.Answered() != nil {
		t.Error("a masked copy answers as the profile does")
	}
	other.Keep("too much", 41)
	other.Keep("too much", 41)
	if other.Answered() != nil {
		t.Error("more is kept than there is room for")
	}
	masked := p.Masked()
	masked.Keep("of another", 1)
	if got := p.Answered(); got != "first" {
		t.Errorf("through a copy, %v is kept", got)
	}
	again := &Profile{ID: 1} // The same, decoded once more.
	place.At(again)
	if got := again.Answered(); got != "first" || place.Answer() != "first" {
		t.Errorf("%v is kept at the place", got)
	}
	place.Drop()
	p.Keep("late", 1)
	if p.Answered() != nil {
		t.Error("something is kept after it was dropped")
	}
	other.Keep("fits now", 100)
	if other.Answered() != "fits now" || room.held.Load() != 100 {
		t.Errorf("%d of 100 bytes are held", room.held.Load())
	}
}
