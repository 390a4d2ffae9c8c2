package progress_test

import (
	"context"
	"fmt"

	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/progress"
)

// done is a log whose groups have worked on everything.
type done struct{}

func (done) Committed(_ context.Context, group string, places []intake.Place) (intake.Positions, error) {
	fmt.Println("group", group, "in", places)
	all := intake.Positions{}
	for _, at := range places {
		all[at] = 1000
	}
	return all, nil
}

func (done) Ends(_ context.Context, topics []string) (intake.Positions, error) {
	return intake.Positions{{Topic: topics[0]}: 7}, nil
}

func ExampleAwait() {
	stages := []progress.Stage{
		{Group: "ingest", Reads: []string{"events"}, Writes: []string{"evidence"}},
		{Group: "identity", Reads: []string{"evidence"}},
	}
	err := progress.Await(context.Background(), done{}, stages, intake.Positions{{Topic: "events", Partition: 3}: 42})
	fmt.Println(err)
	// Output:
	// group ingest in [{events 3}]
	// group identity in [{evidence 0}]
	// <nil>
}
