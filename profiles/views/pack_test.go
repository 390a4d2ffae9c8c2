package views

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/profiles"
)

// TestWholeProfilesComeBack: what is packed holds every field of a profile, as it was,
// and no cut of it is taken for whole.
func TestWholeProfilesComeBack(t *testing.T) {
	for seed := range uint64(50) {
		r, want := rand.New(rand.NewPCG(seed, 2)), &profiles.Profile{}
		if seed > 0 {
			fill(r, reflect.ValueOf(want).Elem())
		}
		want.Answer = nil
		packed := Pack(want)
		got, err := Unpack(packed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if diff := cmp.Diff(want, got, unexported); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
		if _, err := Unpack(packed[:r.IntN(len(packed))]); err == nil {
			t.Fatalf("seed %d: a part of it is read", seed)
		}
	}
}
