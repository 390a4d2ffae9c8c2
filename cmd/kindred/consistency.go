package main

import (
	"context"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/ingest"
	"github.com/kindred-cdp/kindred/ingest/intake"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/ingest/progress"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/gather"
)

// ownWrites is api.Consistency: it follows what the intake acknowledged through
// the groups that drain, store and attribute it, and then reads the store itself:
// past the cache, but with the reads that come at the same time.
type ownWrites struct {
	log    progress.Log
	stages []progress.Stage
	store  *gather.Gatherer
}

var _ api.Consistency = ownWrites{}

func newOwnWrites(brokers []string, store *gather.Gatherer) ownWrites {
	return ownWrites{log: kafka.NewOffsets(brokers), store: store, stages: []progress.Stage{
		{Group: overflowGroup, Reads: []string{intake.OverflowTopic}, Writes: eventTopics()},
		{Group: ingestGroup, Reads: eventTopics(), Writes: []string{ingest.EvidenceTopic}},
		{Group: identityGroup, Reads: []string{ingest.EvidenceTopic}},
	}}
}

// Await implements api.Consistency.
func (o ownWrites) Await(ctx context.Context, positions string) error {
	wanted, err := intake.ParsePositions(positions)
	if err != nil {
		return err
	}
	return progress.Await(ctx, o.log, o.stages, wanted)
}

// Fresh implements api.Consistency.
func (o ownWrites) Fresh(workspace string) profiles.Store {
	o.store.Refresh(workspace)
	return o.store
}
