package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Delivery publishes a feed in batches and saves the progress after each
// acknowledged batch. A delivery that was interrupted continues at
// Progress.Next, so at most one batch is published twice.
type Delivery struct {
	Publisher Publisher
	Progress  *Progress
	// BatchMessages and BatchBytes bound one batch; the first bound met ends it.
	BatchMessages int
	BatchBytes    int
	// Report, when set, is called after each saved batch with the records
	// acknowledged and the records expected (0 when that is not known).
	Report func(done, total int64)
}

// batch is a run of records with the state that holds once it is acknowledged.
type batch struct {
	records []Record
	bytes   int
	next    int64
	counts  json.RawMessage
}

// Run publishes the records of feed from Progress.Next on and marks the
// progress done. The next batch is prepared while one is being published.
func (d *Delivery) Run(ctx context.Context, feed Feed) error {
	if d.Progress.Done {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan batch, 1)
	var last batch
	begin := d.Progress.Next // Publishing moves it on while batches are made.
	group.Go(func() error {
		defer close(batches)
		var err error
		last, err = d.produce(ctx, feed, begin, batches)
		return err
	})
	group.Go(func() error {
		for b := range batches {
			if err := d.publish(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	d.Progress.Done = true
	return d.save(last)
}

// produce cuts the feed from record begin on into batches and returns the state
// after the last one.
func (d *Delivery) produce(ctx context.Context, feed Feed, begin int64, out chan<- batch) (batch, error) {
	var b batch
	index := int64(0)
	finish := func() error {
		b.next = index
		var err error
		if b.counts, err = json.Marshal(feed.Snapshot()); err != nil {
			return fmt.Errorf("encode counts: %w", err)
		}
		return nil
	}
	send := func() error {
		if err := finish(); err != nil {
			return err
		}
		select {
		case out <- b:
			b = batch{}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := feed.Records(ctx, func(r Record) error {
		if index++; index <= begin {
			return nil // Acknowledged before the interruption.
		}
		// The counts already include r, so a full batch is cut after its last
		// record, not before the next one.
		b.records = append(b.records, r)
		b.bytes += len(r.Key) + len(r.Value)
		if len(b.records) >= d.BatchMessages || b.bytes >= d.BatchBytes {
			return send()
		}
		return nil
	})
	if err != nil {
		return b, err
	}
	if index < begin {
		return b, errors.New("there are fewer records than were published before the interruption")
	}
	if len(b.records) > 0 {
		if err := send(); err != nil {
			return b, err
		}
	}
	err = finish()
	return b, err
}

// publish sends a batch, the records of one topic at a time in order of the
// topics' first record, and saves the progress.
func (d *Delivery) publish(ctx context.Context, b batch) error {
	var topics []string
	byTopic := make(map[string][]Record)
	for _, r := range b.records {
		if _, ok := byTopic[r.Topic]; !ok {
			topics = append(topics, r.Topic)
		}
		byTopic[r.Topic] = append(byTopic[r.Topic], r)
	}
	for _, topic := range topics {
		if err := d.Publisher.Publish(ctx, topic, byTopic[topic]); err != nil {
			return fmt.Errorf("publish to %s: %w", topic, err)
		}
	}
	return d.save(b)
}

func (d *Delivery) save(b batch) error {
	d.Progress.Next, d.Progress.Counts = b.next, b.counts
	if d.Progress.Done {
		d.Progress.Total = b.next
	}
	if err := d.Progress.Save(); err != nil {
		return err
	}
	if d.Report != nil {
		d.Report(d.Progress.Next, d.Progress.Total)
	}
	return nil
}
