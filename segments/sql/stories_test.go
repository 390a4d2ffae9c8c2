package sql_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles/clickhouse/clickhousetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse/warehousetest"
	"github.com/kindred-cdp/kindred/segments/sql"
)

// stories are what people did, as names of events and minutes before now; an
// amount after a colon is the property n.
var stories = map[string]string{
	"straight": "View@180 Buy@120",
	"edge":     "View@181 Buy@121 Pay@61",
	"left":     "View@180 Leave@150 Buy@120",
	"again":    "View@180 Leave@150 View@130 Buy@120",
	"over":     "View@180 Search@120 Buy@60",
	"back":     "Buy@180 View@120",
	"alone":    "View@120:1 View@60:2.5 View@2880:-1",
}

// TestStories has a row per boundary of the event leaves and of sequences: who
// is a member by the letter of the language.
func TestStories(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and one thing after the other")
	}
	ctx := context.Background()
	conn := warehousetest.NewTestDatabase(t)
	w := clickhousetest.New(t, conn, "main")
	who := map[identity.ProfileID]string{}
	for name, story := range stories {
		id := "user_id:" + name
		who[identity.ProfileID(w.Key(id))] = name
		for n, word := range strings.Fields(story) {
			event, rest, _ := strings.Cut(word, "@")
			before, amount, _ := strings.Cut(rest, ":")
			minutes, _ := strconv.Atoi(before)
			properties := map[string]any{"rows": []any{map[string]any{"sku": name}}}
			if x, err := strconv.ParseFloat(amount, 64); err == nil {
				properties["n"] = x
			}
			w.Add(clickhousetest.Event{
				MessageID: name + strconv.Itoa(n), Name: event, Identifiers: []string{id},
				Time: now.Add(-time.Duration(minutes) * time.Minute), Properties: properties,
			})
		}
	}
	w.Flush(ctx)
	f := asker(t, sql.DefaultConfig(), w, who)
	f(`{"sequence":[{"event":"View"},{"event":"Buy"}]}`, "straight", "edge", "left", "again", "over")
	f(`{"sequence":[{"event":"View"},{"event":"Buy","without":{"event":"Leave"}}]}`, "straight", "edge", "again", "over")
	f(`{"sequence":[{"event":"View"},{"event":"Buy","without":{"event":"View"}}]}`, "straight", "edge", "left", "again", "over")
	f(`{"sequence":[{"event":"View"},{"event":"Buy","after":{"lte":"1h"}}]}`, "straight", "edge", "left", "again")
	f(`{"sequence":[{"event":"View"},{"event":"Buy","after":{"lte":"59m"}}]}`, "again")
	f(`{"sequence":[{"event":"View"},{"event":"Buy","after":{"gte":"60m"}}]}`, "straight", "edge", "left", "again", "over")
	f(`{"sequence":[{"event":"View"},{"event":"Buy","after":{"gte":"61m"}}]}`, "over")
	f(`{"sequence":[{"event":"View"},{"event":"Buy","after":{"gte":"60m","lte":"60m"}}]}`, "straight", "edge", "left", "again")
	f(`{"sequence":[{"event":"View"},{"event":"Buy","after":{"gte":"60m","lte":"2h"}}]}`, "straight", "edge", "left", "again", "over")
	f(`{"sequence":[{"event":"View"},{"event":"Search","optional":true},{"event":"Buy","after":{"lte":"1h"}}]}`, "straight", "edge", "left", "again", "over")
	f(`{"sequence":[{"event":"View"},{"event":"Search","optional":true},{"event":"Buy","after":{"lte":"1h"}}],"span":"1h"}`, "straight", "edge", "left", "again")
	f(`{"sequence":[{"event":"View"},{"event":"Buy"},{"event":"Pay"}],"span":"2h"}`, "edge")
	f(`{"sequence":[{"event":"View"},{"event":"Buy"},{"event":"Pay"}],"span":"119m"}`)
	f(`{"sequence":[{"event":"View"},{"event":"Buy"}],"within":"3h"}`, "again")
	f(`{"sequence":[{"event":"View"},{"event":"View"}]}`, "again", "alone")
	// As many steps as there may be, with all the ways through them.
	optional := strings.Repeat(`{"event":"View","optional":true,"without":{"event":"Buy"},"after":{"gte":"1m"}},`, 8)
	f(`{"sequence":[{"event":"View"},`+optional+`{"event":"View"}]}`, "again", "alone")
	f(`{"sequence":[{"event":"View"},`+optional+`{"event":"View"}],"span":"50m"}`, "again")
	f(`{"event":"Buy","from":"2025-06-01T10:00:00Z"}`, "straight", "left", "again", "over")
	f(`{"event":"Buy","until":"2025-06-01T10:00:00Z"}`, "edge", "back")
	f(`{"event":"View","days":{"gte":2}}`, "alone")
	f(`{"event":"View","sum":"n","is":{"eq":2.5}}`, "alone")
	f(`{"event":"View","sum":"n","is":{"eq":0}}`, "straight", "edge", "left", "again", "over", "back")
	f(`{"event":"View","average":"n","is":{"lt":1}}`, "alone")
	f(`{"event":"View","min":"n","is":{"eq":-1}}`, "alone")
	f(`{"event":"View","max":"n","is":{"gte":0}}`, "alone")
	f(`{"event":"View","pick":"first","where":[{"property":"n","op":"eq","value":-1}]}`, "alone")
	f(`{"event":"View","pick":"last","where":[{"property":"n","op":"eq","value":2.5}]}`, "alone")
	f(`{"event":"View","pick":"last","where":[{"property":"n","op":"eq","value":1}]}`)
	// What is not there is no number, whatever 0 would pass.
	for _, test := range []string{`"lt","value":5`, `"lte","value":0`, `"gt","value":-5`, `"gte","value":-1`, `"eq","value":1`, `"in","value":[0,1]`, `"gt","value":2`} {
		f(`{"event":"View","where":[{"property":"n","op":`+test+`}]}`, "alone")
	}
	f(`{"event":"View","where":[{"property":"n","op":"eq","value":0}]}`)
	f(`{"event":"View","count":{"lt":1},"where":[{"property":"n","op":"lt","value":5}]}`, "straight", "edge", "left", "again", "over", "back")
	f(`{"event":"View","sum":"n","is":{"gte":1},"where":[{"property":"n","op":"lt","value":2}]}`)
	f(`{"sequence":[{"event":"View","where":[{"property":"n","op":"lt","value":0}]},{"event":"View","where":[{"property":"n","op":"lte","value":1}]}]}`, "alone")
	f(`{"event":"View","where":[{"property":"rows","each":"sku","op":"in","value":["left","back"]}]}`, "left", "back")
}
