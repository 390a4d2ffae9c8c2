package siphash

import "testing"

// The vectors are those of the reference implementation: key 00..0f, input
// 00, 00 01, 00 01 02 …
func TestReferenceVectors(t *testing.T) {
	var key Key
	in := make([]byte, 15)
	for i := range key {
		key[i] = byte(i)
	}
	for i := range in {
		in[i] = byte(i)
	}
	if got, want := Sum64(key, in), uint64(0xa129ca6149be45e5); got != want {
		t.Errorf("Sum64(15 bytes) = %x, want %x", got, want)
	}
	if got, want := Sum64(key, nil), uint64(0x726fdb47dd0e0e31); got != want {
		t.Errorf("Sum64(empty) = %x, want %x", got, want)
	}
	lo, hi := Sum128(key, nil)
	if lo != 0xe6a825ba047f81a3 || hi != 0x930255c71472f66d {
		t.Errorf("Sum128(empty) = %x %x", lo, hi)
	}
}
