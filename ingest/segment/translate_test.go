package segment

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var received = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newTranslator(t testing.TB) *Translator {
	t.Helper()
	n := 0
	tr, err := New(DefaultConfig(), Deps{
		NewID:      func() string { n++; return fmt.Sprintf("made-%d", n) },
		Acceptable: func(_, value string) bool { return len(value) <= 512 && !strings.Contains(value, "\uFFFD") },
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestSmoke(t *testing.T) {
	tr := newTranslator(t).Translate(Call{Method: Batch, Source: "web", Received: received, Address: "192.0.2.1", Body: []byte(`{"sentAt":"2026-03-01T12:10:00Z","context":{"direct":true,"a":1},"batch":[
	{"type":"track","event":"View","messageId":"m1","userId":42,"timestamp":"2026-03-01T12:09:58.5+00:00","properties":{"x":"y","email":"a@b.c"},"context":{"a":2}},
	{"type":"Track","event":"Order Completed","userId":"u","properties":{"order_id":7,"revenue":"25.00","products":[{"sku":"s","price":2.5,"quantity":10}]}},
	{"type":"what"}, 3]}`)})
	for _, it := range tr.Items {
		var v any
		if err := json.Unmarshal(it.Value, &v); err != nil {
			t.Error(err)
		}
		t.Logf("%s %s %s %+v", it.Kind, it.ID, it.Value, it.Reject)
	}
	t.Log(cmp.Diff(nil, tr.Refused), tr.Warnings, tr.Whole)
}
