package segment_test

import (
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/ingest/segment"
)

func ExampleTranslator() {
	translator, err := segment.New(segment.DefaultConfig(), segment.Deps{NewID: func() string { return "made-up" }})
	if err != nil {
		panic(err)
	}
	tr := translator.Translate(segment.Call{
		Method: segment.Batch, Source: "web", Received: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Body: []byte(`{"sentAt":"2026-03-01T13:00:10Z","batch":[
			{"type":"track","messageId":"m1","userId":42,"event":"Order Completed","timestamp":"2026-03-01T13:00:00Z","properties":{"order_id":"7","revenue":25.5}},
			{"type":"track","messageId":"m2","userId":42}]}`),
	})
	defer tr.Release()
	for _, it := range tr.Items {
		if it.Reject != nil {
			fmt.Println(it.Reject.Position, it.Reject.Reason, it.Reject.Detail)
			continue
		}
		fmt.Println(it.Kind, string(it.Value))
	}
	// Output:
	// transaction {"id":"m1","name":"Order Completed","source":"web","time":"2026-03-01T11:59:50Z","original_time":"2026-03-01T13:00:00Z","sent_time":"2026-03-01T13:00:10Z","identifiers":[{"namespace":"user_id","value":"42"}],"properties":{"order_id":"7","revenue":25.5},"transaction":{"type":"order","status":"completed","order_id":"7","currency":"USD","amount":25.5}}
	// batch[1] message m2 missing_field field "event" is required
}
