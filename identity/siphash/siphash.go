// Package siphash implements SipHash-2-4, the keyed hash behind identifier
// keys, anchors and message hashes. An attacker who does not know the key
// cannot construct values that collide.
//
// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF",
// INDOCRYPT 2012, and the reference vectors published with it.
package siphash

import (
	"encoding/binary"
	"math/bits"
)

// Key is the 128-bit secret of the hash.
type Key [16]byte

type state struct{ v0, v1, v2, v3 uint64 }

func (s *state) round() {
	s.v0 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 13) ^ s.v0
	s.v0 = bits.RotateLeft64(s.v0, 32)
	s.v2 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 16) ^ s.v2
	s.v0 += s.v3
	s.v3 = bits.RotateLeft64(s.v3, 21) ^ s.v0
	s.v2 += s.v1
	s.v1 = bits.RotateLeft64(s.v1, 17) ^ s.v2
	s.v2 = bits.RotateLeft64(s.v2, 32)
}

func absorb(key Key, b []byte, wide bool) state {
	k0 := binary.LittleEndian.Uint64(key[0:8])
	k1 := binary.LittleEndian.Uint64(key[8:16])
	s := state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
	if wide {
		s.v1 ^= 0xee
	}
	n := len(b)
	for len(b) >= 8 {
		m := binary.LittleEndian.Uint64(b)
		s.v3 ^= m
		s.round()
		s.round()
		s.v0 ^= m
		b = b[8:]
	}
	last := uint64(n) << 56
	for i, c := range b {
		last |= uint64(c) << (8 * i)
	}
	s.v3 ^= last
	s.round()
	s.round()
	s.v0 ^= last
	return s
}

func (s *state) finish() uint64 {
	s.round()
	s.round()
	s.round()
	s.round()
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

// Sum64 returns the 64-bit hash of b under key.
func Sum64(key Key, b []byte) uint64 {
	s := absorb(key, b, false)
	s.v2 ^= 0xff
	return s.finish()
}

// Sum128 returns the 128-bit hash of b under key, low half first.
func Sum128(key Key, b []byte) (lo, hi uint64) {
	s := absorb(key, b, true)
	s.v2 ^= 0xee
	lo = s.finish()
	s.v1 ^= 0xdd
	return lo, s.finish()
}
