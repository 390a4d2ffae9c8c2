package sql

import (
	"context"
	"fmt"
	"time"

	clickhousego "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/kindred-cdp/kindred/segments"
)

var _ segments.Vocabulary = (*Previewer)(nil)

// vocabulary is what was known at a time.
type vocabulary struct {
	names segments.Names
	at    time.Time
}

// namesAge is how long names are reused: finding them reads a column of all events.
const namesAge = 5 * time.Minute

// namesSQL leaves out what an author would hardly mean: of very many names the rare.
const namesSQL = `SELECT false, groupArray(name) FROM (SELECT toString(name) AS name FROM events WHERE workspace = {workspace:String} GROUP BY name ORDER BY count() DESC, name LIMIT 2000)
UNION ALL
SELECT true, groupArray(trait) FROM (SELECT toString(trait) AS trait FROM trait_observations WHERE workspace = {workspace:String} GROUP BY trait ORDER BY count() DESC, trait LIMIT 2000)`

// Names implements segments.Vocabulary.
func (p *Previewer) Names(ctx context.Context, workspace string) (segments.Names, error) {
	now := p.now()
	p.mu.Lock()
	known, ok := p.names[workspace]
	p.mu.Unlock()
	if ok && now.Sub(known.at) < namesAge {
		return known.names, nil
	}
	rows, err := p.conn.Query(p.bound(ctx), namesSQL, clickhousego.Named("workspace", workspace))
	if err != nil {
		return segments.Names{}, fmt.Errorf("read names: %w", failure(err))
	}
	defer func() { _ = rows.Close() }()
	var lists [2][]string
	for rows.Next() {
		var traits bool
		var list []string
		if err := rows.Scan(&traits, &list); err != nil {
			return segments.Names{}, fmt.Errorf("read names: %w", failure(err))
		}
		if traits {
			lists[1] = list
		} else {
			lists[0] = list
		}
	}
	if err := rows.Err(); err != nil {
		return segments.Names{}, fmt.Errorf("read names: %w", failure(err))
	}
	names := segments.Names{Events: lists[0], Traits: lists[1]}
	for _, t := range p.cfg.Rules.Computed {
		names.Traits = append(names.Traits, t.Name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.names[workspace] = vocabulary{names: names, at: now}
	return names, nil
}
