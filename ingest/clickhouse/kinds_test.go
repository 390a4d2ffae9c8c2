package clickhouse_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/clickhouse"
	"github.com/kindred-cdp/kindred/ingest/wire"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
)

// decode reads one message of a kind; body is what follows the common fields.
func decode(t *testing.T, kind wire.Kind, id, when, body string) *ingest.Event {
	t.Helper()
	text := fmt.Sprintf(`{"id":%q,"name":"Something Happened","source":"test","time":%q,"identifiers":[{"namespace":"email","value":"ana@example.com"}],%s}`, id, when, body)
	e, letter := decoder().Decode(kind, &kafka.Message{Topic: kind.Topic(), Value: []byte(text), Time: dataEnd})
	if letter != nil {
		t.Fatalf("%s: %s", letter.Reason, letter.Detail)
	}
	return e
}

// row reads one row and writes its values as text, NULL as such.
func row(t *testing.T, conn driver.Conn, query string) string {
	t.Helper()
	var text string
	if err := conn.QueryRow(t.Context(), "SELECT toString(groupArray(tuple(*))) FROM ("+query+")").Scan(&text); err != nil {
		t.Fatalf("%v\nin %s", err, query)
	}
	return text
}

// Each kind's typed part is stored once, however often its insert comes, and
// read through its view.
func TestEveryKindIsStored(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	const when = "2026-02-01T10:00:00Z"
	for _, k := range []struct {
		kind                    wire.Kind
		body, view, query, want string
	}{
		{
			wire.Social, `"social":{"network":"instagram","post_id":"p1","thread_id":"t1","intent":"complaint","author_type":"human","author":"ana","text":"The parcel was late and the cup is broken.","reactions":3}`,
			"social_interactions", "network, post_id, thread_id, direction, visibility, intent, author_type, text_length, reactions, language, sentiment < -0.3, sentiment_by",
			"[('instagram','p1','t1','inbound','public','complaint','human',42,3,'en',1,'text')]",
		},
		{
			wire.Location, `"location":{"lat":38.72,"lon":-9.14,"accuracy":25}`,
			"locations", "accuracy, h3ToString(h3_5), h3ToString(h3_7), venue, venue_by",
			"[(25,'85393363fffffff','873933676ffffff','','')]",
		},
		{
			wire.Support, `"support":{"case_id":"c1","channel":"chat","status":"open","self_service":"escalated","topic":"delivery","subject":"Ana","text":"Où est mon colis ? Je n'ai rien reçu et personne ne répond.","agent":"Bea","response_seconds":12.5}`,
			"support_contacts", "case_id, channel, direction, status, self_service, topic, response_seconds, language, sentiment, sentiment_by",
			"[('c1','chat','inbound','open','escalated','delivery',12.5,'fr',NULL,'')]",
		},
		{
			wire.Feedback, `"feedback":{"instrument":"nps","score":9,"comment":"ok","survey":"relation","wave":"2026-02","language":"de","sentiment":0.25}`,
			"feedback", "instrument, score, scale_min, scale_max, share, survey, wave, language, sentiment, sentiment_by",
			"[('nps',9,0,10,0.9,'relation','2026-02','de',0.25,'producer')]",
		},
		{
			wire.Sensor, `"sensor":{"technology":"rfid","device":"r1","zone":"z","reading":-61.5,"unit":"dBm"}`,
			"sensor_readings", "technology, device, zone, phase, reading, unit, dwell_seconds",
			"[('rfid','r1','z','',-61.5,'dBm',NULL)]",
		},
		{
			wire.Contact, `"contact":{"action":"clicked","channel":"email","campaign":"spring","template":"v1","message_id":"m1","subject":"Ana!","link":"https://shop.example/x?token=ana"}`,
			"contacts", "action, channel, campaign, template, sent_message_id, link_host",
			"[('clicked','email','spring','v1','m1','shop.example')]",
		},
		{
			wire.Catalogue, `"catalogue":{"type":"store","item_id":"s1","name":"Baixa","category":["town","centre"],"lat":38.7,"lon":-9.1,"radius":20}`,
			"catalogue", "type, item_id, stated, name, category, price, active, lat, lon, radius",
			"[('store','s1',true,'Baixa',['town','centre'],NULL,true,38.7,-9.1,20)]",
		},
	} {
		t.Run(string(k.kind), func(t *testing.T) {
			store(t, conn, k.kind, []*ingest.Event{decode(t, k.kind, "m", when, k.body)}, 10)
			if d := cmp.Diff(k.want, row(t, conn, "SELECT "+k.query+" FROM "+k.view+" WHERE workspace = 'main'")); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if k.kind == wire.Catalogue {
				return
			}
			if shown := row(t, conn, "SELECT * FROM "+k.view); strings.Contains(strings.ToLower(shown), "ana") || strings.Contains(shown, "Bea") {
				t.Errorf("a personal value shows in %s", shown)
			}
			common := row(t, conn, "SELECT toUnixTimestamp64Milli(time), name, source, anchor_id != 0 FROM "+k.view)
			at, _ := time.Parse(time.RFC3339, when)
			if want := fmt.Sprintf("[(%d,'Something Happened','test',1)]", at.UnixMilli()); common != want {
				t.Errorf("common columns %s, want %s", common, want)
			}
		})
	}
}

// What the catalogue says of a product: mentions fill it in, newest first; a
// statement stands as a whole, whatever is mentioned later; the latest statement
// wins, in whatever order they arrive.
func TestCatalogueState(t *testing.T) {
	conn := warehousetest.NewTestDatabase(t)
	state := func(want string) {
		t.Helper()
		for range 2 { // Before and after rows are replaced.
			got := row(t, conn, "SELECT item_id, stated, name, category, brand, currency, price, cost, active FROM catalogue WHERE type = 'product' ORDER BY item_id")
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if err := conn.Exec(t.Context(), "OPTIMIZE TABLE catalogue_entries FINAL"); err != nil {
				t.Fatal(err)
			}
		}
	}
	n := 0
	put := func(kind wire.Kind, when, body string) {
		t.Helper()
		n++
		e := decode(t, kind, fmt.Sprint("m", n), when, body)
		if kind == wire.Behaviour {
			e.Name = "Product Viewed"
		}
		// A token of its own each time: these are other messages.
		if err := clickhouse.New(conn).Insert(t.Context(), fmt.Sprint("t", n), &ingest.Batch{Kind: kind, Events: []*ingest.Event{e}, Catalogue: ingest.CatalogueRows([]*ingest.Event{e})}); err != nil {
			t.Fatal(err)
		}
	}
	put(wire.Behaviour, "2026-02-01T10:00:00Z", `"properties":{"product_id":"A","name":"Cup","brand":"Acme","price":5,"currency":"EUR"}`)
	put(wire.Behaviour, "2026-02-03T10:00:00Z", `"properties":{"product_id":"A","price":"6.50","currency":"EUR"}`)
	put(wire.Transaction, "2026-02-02T10:00:00Z", `"transaction":{"type":"order","order_id":"o","currency":"EUR","amount":5,"items":[{"product_id":"A","name":"Blue cup","category":"Cups","quantity":1,"price":5}]}`)
	put(wire.Behaviour, "2026-02-04T10:00:00Z", `"properties":{"product_id":"A"}`)
	state("[('A',false,'Blue cup',['Cups'],'Acme','EUR',6.5,NULL,true)]")
	for i := range 3 {
		put(wire.Behaviour, fmt.Sprintf("2026-02-05T10:00:0%dZ", i), `"properties":{"product_id":"A","price":"6.50","currency":"EUR"}`)
	}
	state("[('A',false,'Blue cup',['Cups'],'Acme','EUR',6.5,NULL,true)]")
	if rows := row(t, conn, "SELECT count() FROM catalogue_entries"); rows != "[(3)]" {
		t.Errorf("%s rows are kept of what was said in three ways", rows)
	}
	put(wire.Catalogue, "2026-01-02T10:00:00Z", `"catalogue":{"type":"product","item_id":"A","name":"Cup, blue","price":7,"cost":3,"currency":"EUR","active":false}`)
	put(wire.Catalogue, "2026-01-01T10:00:00Z", `"catalogue":{"type":"product","item_id":"A","name":"Old cup"}`)
	put(wire.Behaviour, "2026-02-06T10:00:00Z", `"properties":{"product_id":"A","name":"Something else"}`)
	state("[('A',true,'Cup, blue',[],'','EUR',7,3,false)]")
}
