package ingest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// A broker that has lost its disk begins again at offset 0. Other messages under
// the old offsets are stored, and not taken for a late copy of the old insert.
func TestLogThatBeginsAnewIsStored(t *testing.T) {
	x := &run{t: t, conn: warehousetest.NewTestDatabase(t), batch: 5}
	for life := range 3 {
		x.log = &log{}
		for i := range 10 {
			value := fmt.Sprintf(`{"id":"life %d, %d","name":"Viewed","source":"web","time":"2026-01-30T10:00:00Z"}`, life, i)
			x.log.records = append(x.log.records, kafka.Message{
				Topic: "kindred.behaviour", Offset: int64(i), Value: []byte(value), Time: time.Unix(int64(1.7e9)+int64(life), 0),
			})
		}
		x.own(func(string) error { return nil })
		if got, want := x.counts().Events, uint64(10*(life+1)); got != want {
			t.Errorf("after life %d of the log: %d rows, want %d", life, got, want)
		}
	}
}
