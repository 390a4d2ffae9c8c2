package segment

import (
	"fmt"
	"strings"
	"testing"
)

// benchEvent is an event of about 750 bytes, as a shop's browser sends it.
const benchEvent = `{"type":"track","event":"Product Viewed","messageId":"ajs-next-1767225600123-0190a1b2-7c3d-7e4f-%08d","userId":"17850","anonymousId":"b1c2d3e4-f5a6-4b7c-8d9e-0f1a2b3c4d5e","timestamp":"2026-03-01T11:59:59.345Z","properties":{"product_id":"85123A","sku":"85123A","category":"Home","name":"WHITE HANGING HEART T-LIGHT HOLDER","brand":"none","price":2.55,"quantity":1,"currency":"GBP","position":3,"url":"https://shop.example/products/85123a"},"context":{"page":{"url":"https://shop.example/products/85123a","path":"/products/85123a","referrer":"https://shop.example/","title":"White hanging heart"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","locale":"en-GB","library":{"name":"analytics.js","version":"npm:next-1.84.3"}},"integrations":{}}`

func benchBatch(n int) []byte {
	events := make([]string, n)
	for i := range events {
		events[i] = fmt.Sprintf(benchEvent, i)
	}
	return []byte(`{"batch":[` + strings.Join(events, ",") + `],"sentAt":"2026-03-01T12:00:00.000Z","writeKey":"k"}`)
}

// BenchmarkTranslate is the work of a batch of 100 events of 750 bytes, from the
// body to items for the intake.
func BenchmarkTranslate(b *testing.B) {
	translator := newTranslator(b)
	body := benchBatch(100)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		tr := translator.Translate(Call{Method: Batch, Source: "web", Received: received, Body: body})
		if tr.Accepted != 100 {
			b.Fatal(tr.Refused)
		}
		tr.Release()
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "events/s")
}

// TestFewAllocations holds the translation to one allocation for each event (its
// message id) and a few for the call.
func TestFewAllocations(t *testing.T) {
	translator := newTranslator(t)
	body := benchBatch(100)
	n := testing.AllocsPerRun(20, func() {
		tr := translator.Translate(Call{Method: Batch, Source: "web", Received: received, Body: body})
		tr.Release()
	})
	if n > 130 {
		t.Errorf("%v allocations for 100 events", n)
	}
}
