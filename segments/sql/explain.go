package sql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/profiles/warehouse"
	"github.com/kindred-cdp/kindred/segments"
)

var _ segments.Explainer = (*Previewer)(nil)

// Explain implements segments.Explainer.
func (p *Previewer) Explain(ctx context.Context, workspace string, d segments.Definition, of *segments.Preview, q segments.Question) (*segments.Explanation, error) {
	d, err := segments.Resolve(ctx, p.cfg.Library, workspace, string(q.Self), d)
	if err != nil {
		return nil, err
	}
	if q.Purpose == "" {
		q.Purpose = segments.DefaultPurpose
	}
	e := &segments.Explanation{Purpose: q.Purpose, Took: map[segments.Part]time.Duration{}}
	about := asked{Previewer: p, workspace: workspace, d: d, now: of.AsOf}
	if about.reading, err = warehouse.ReadingNow(p.bound(ctx), p.conn, workspace); err != nil {
		return nil, fmt.Errorf("explain segment: %w", failure(err))
	}
	answers := map[segments.Part]func(context.Context) error{
		segments.PartReach:    func(ctx context.Context) (err error) { e.Reach, err = about.reach(ctx, q.Purpose); return err },
		segments.PartOverlap:  func(ctx context.Context) (err error) { e.Overlap, err = about.overlap(ctx, q.Self); return err },
		segments.PartInsights: func(ctx context.Context) (err error) { e.Insights, err = about.insights(ctx, of); return err },
	}
	var mu sync.Mutex // Protects Took and Unanswered.
	group, groupCtx := errgroup.WithContext(ctx)
	for _, part := range segments.Parts() {
		if !slices.Contains(q.Parts, part) {
			continue
		}
		group.Go(func() error {
			start := p.now()
			err := answers[part](groupCtx)
			mu.Lock()
			defer mu.Unlock()
			e.Took[part] = p.now().Sub(start)
			if errors.Is(err, segments.ErrTooExpensive) {
				e.Unanswered = append(e.Unanswered, part)
				return nil
			}
			if err != nil {
				return fmt.Errorf("explain segment: %s: %w", part, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return e, nil
}

// asked is a definition that is asked about.
type asked struct {
	*Previewer
	workspace string
	d         segments.Definition // with what it names in its place
	now       time.Time
	reading   warehouse.Reading
}

// read runs a query within the limits of a preview and hands each row to scan.
func (p *Previewer) read(ctx context.Context, q Query, scan func(driver.Rows) error) error {
	rows, err := p.conn.Query(clickhousego.Context(p.bound(ctx), clickhousego.WithParameters(clickhousego.Parameters(q.Parameters))), q.SQL)
	if err != nil {
		return failure(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return failure(err)
		}
	}
	return failure(rows.Err())
}
