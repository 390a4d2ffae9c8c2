package sql

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/segments"
)

// reached are the definitions of who is reached by a channel: the members that have an
// address, and those of them who have granted and who have said nothing. What a leaf of
// consent means is said once, where it is compiled.
func reached(d segments.Definition, purpose string, channel segments.Channel) []segments.Definition {
	has := segments.All{d.Root, segments.HasIdentifier{Namespace: channel.Namespace}}
	stands := func(is segments.Stance) segments.Definition {
		return segments.Definition{Root: append(slices.Clone(has), segments.Consent{Purpose: purpose, Channel: channel.Name, Is: is})}
	}
	return []segments.Definition{{Root: has}, stands(segments.Granted), stands(segments.Unknown)}
}

// reach counts members by channel.
func (a asked) reach(ctx context.Context, purpose string) ([]segments.ChannelReach, error) {
	var ds []segments.Definition
	channels := segments.Channels()
	for _, c := range channels {
		ds = append(ds, reached(a.d, purpose, c)...)
	}
	counts, err := a.counts(ctx, ds)
	if err != nil {
		return nil, err
	}
	list := make([]segments.ChannelReach, len(channels))
	for i, c := range channels {
		addressable, granted, unknown := counts[3*i], counts[3*i+1], counts[3*i+2]
		list[i] = segments.ChannelReach{Channel: c, Addressable: addressable, Granted: granted, Denied: addressable - granted - unknown}
	}
	return list, nil
}

// counts counts the members of definitions, in few queries.
func (a asked) counts(ctx context.Context, ds []segments.Definition) ([]uint64, error) {
	counts := make([]uint64, len(ds))
	groups, err := Groups(ds, 1)
	if err != nil {
		return nil, err
	}
	for _, group := range groups {
		some := make([]segments.Definition, len(group))
		for i, place := range group {
			some[i] = ds[place]
		}
		set, err := CompileSet(some, a.cfg.Rules, a.workspace, a.now, Extent{}, a.reading)
		if err != nil {
			return nil, err
		}
		set.SQL = fmt.Sprintf("SELECT sumForEach(arrayMap(i -> toUInt64(bitTest(held, i)), range(%d)))\nFROM (\n%s\n)", len(some), indent(set.SQL))
		err = a.read(ctx, set.Query, func(rows driver.Rows) error {
			var found []uint64
			err := rows.Scan(&found)
			for i, n := range found { // None where there is nobody at all.
				counts[group[i]] = n
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return counts, nil
}
