package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestExplanationsArePrinted prints what the API answers: nothing of parts that are not
// there, and no control characters of what clients have named.
func TestExplanationsArePrinted(t *testing.T) {
	printed := func(show func(*bytes.Buffer) error) []string {
		t.Helper()
		var b bytes.Buffer
		if err := show(&b); err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, line := range strings.Split(b.String(), "\n") {
			if words := strings.Join(strings.Fields(line), " "); words != "" {
				lines = append(lines, words)
			}
		}
		return lines
	}
	holds := func(lines []string, want ...string) {
		t.Helper()
		if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("printed:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
		}
	}
	holds(printed(func(b *bytes.Buffer) error { return printParts(b, []byte(`{"count":1}`)) }))
	holds(printed(func(b *bytes.Buffer) error {
		return printInsights(b, []byte(`{"count":40,"profiles":90,"share":0.4444,"as_of":"2026-01-31T12:00:00Z",
			"reach":{"purpose":"marketing","channels":[{"channel":"email","addressable":10,"granted":5,"denied":2,"unknown":3}]},
			"overlap":[{"segment":"loyal","members":8,"both":2,"share_of_segment":0.25,"share_of_definition":0.05,"jaccard":0.0434}],
			"insights":{"members":{"looked":40,"all":40},"others":{"looked":50,"all":50},"features":[
				{"kind":"trait","name":"country","value":"PT","share_of_members":0.5,"share_of_others":0.1,"lift":4.5,"defining":true},
				{"kind":"score","name":"churn","from":0.5,"to":0.7,"share_of_members":0.5,"share_of_others":0.1,"lift":4.5},
				{"kind":"product","name":"p1","label":"Hat\u001b[31m","within_days":90,"share_of_members":0.5,"share_of_others":0.1,"lift":4.5}]},
			"unanswered":["overlap"]}`))
	}),
		"40 of 90 profiles (44.44 %) on 2026-01-31 12:00:00",
		"reach, marketing", "CHANNEL ADDRESSABLE GRANTED DENIED UNKNOWN", "email 10 5 2 3",
		"overlap", "SEGMENT MEMBERS BOTH OF THE SEGMENT OF THESE JACCARD", "loyal 8 2 25.0 % 5.0 % 0.043",
		"what distinguishes 40 of 40 members from 50 of 50 others", "WHAT MEMBERS OTHERS TIMES",
		`trait country = "PT" (asked for) 50.0 % 10.0 % 4.5`,
		"score churn from 0.5 to below 0.7 50.0 % 10.0 % 4.5",
		"product p1 (Hat·[31m) in 90 days 50.0 % 10.0 % 4.5",
		"too expensive to tell: overlap")
	holds(printed(func(b *bytes.Buffer) error {
		return printIntersections(b, []byte(`{"profiles":100,"intersections":[{"in":["a"],"members":10,"only":6},{"in":["a","b"],"members":4,"only":4}]}`))
	}), "IN ALL OF MEMBERS OF ALL PROFILES IN NO OTHER", "a 10 10.0 % 6", "a b 4 4.0 % 4")
}
