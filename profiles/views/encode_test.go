package views

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"

	"github.com/kindred-cdp/kindred/profiles"
)

// fill gives every field that v reaches a value, of both signs of nothing: a new field
// of a profile that codec does not know is found by it.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.UnixMilli(r.Int64N(4e12) - 1e12).UTC()))
		return
	case decimal.Decimal:
		v.Set(reflect.ValueOf(decimal.New(r.Int64N(2e9)-1e9, -4)))
		return
	case json.RawMessage:
		v.Set(reflect.ValueOf(json.RawMessage(`{ "a" : "<b>" }`)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(string(rune('a'+r.IntN(26))) + "é")
	case reflect.Uint64:
		v.SetUint(r.Uint64())
	case reflect.Int, reflect.Int64:
		v.SetInt(r.Int64N(1000))
	case reflect.Float64:
		v.SetFloat(r.Float64())
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(3) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key)
			fill(r, value)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(r, v.Field(i))
			}
		}
	default:
		panic("no values of kind " + v.Kind().String())
	}
}

var unexported = cmpopts.IgnoreUnexported(profiles.Product{})

// TestEveryFieldComesBack: a body holds every field of a profile but its scores and its
// group, as it was, an empty list no less than none; and every cut of it is refused.
func TestEveryFieldComesBack(t *testing.T) {
	for seed := range uint64(50) {
		r, want := rand.New(rand.NewPCG(seed, 1)), &profiles.Profile{}
		fill(r, reflect.ValueOf(want).Elem())
		if seed == 0 {
			want = &profiles.Profile{}
		}
		want.Scores, want.Group, want.Answer = nil, nil, nil
		body := encode(want)
		got, err := decode(body)
		if d := cmp.Diff(want, got, unexported); d != "" || err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, d)
		}
		for cut := range body {
			if _, err := decode(body[:cut]); err == nil {
				t.Fatalf("seed %d: %d of %d bytes are a view", seed, cut, len(body))
			}
		}
	}
}

// FuzzDecode: no body, whatever is in it, does more than be refused.
func FuzzDecode(f *testing.F) {
	p := &profiles.Profile{}
	fill(rand.New(rand.NewPCG(1, 1)), reflect.ValueOf(p).Elem())
	f.Add(encode(p))
	f.Fuzz(func(_ *testing.T, body []byte) { _, _ = decode(body) })
}

func BenchmarkDecode(b *testing.B) {
	p := &profiles.Profile{}
	fill(rand.New(rand.NewPCG(2, 1)), reflect.ValueOf(p).Elem())
	p.Recent = make([]profiles.Event, 20)
	for i := range p.Recent {
		p.Recent[i] = profiles.Event{MessageID: "0123456789abcdef", Kind: "behaviour", Name: "Product Viewed", Type: "track", Source: "web", Properties: json.RawMessage(`{"sku":"a","price":12.5}`)}
	}
	body := encode(p)
	b.ReportMetric(float64(len(body)), "bytes")
	for b.Loop() {
		if _, err := decode(body); err != nil {
			b.Fatal(err)
		}
	}
}
