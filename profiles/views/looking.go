package views

import (
	"context"
	"slices"
)

// lookMany is what looks asks.
func (r *rows) lookMany(ctx context.Context, workspace string, ids []uint64) ([]*entry, error) {
	entries := make([]*entry, len(ids))
	names, err := r.names(ctx, workspace)
	if err != nil {
		return entries, err
	}
	found, err := r.table.look(ctx, workspace, ids, names...)
	for i, id := range ids {
		if entries[i] = found[id]; entries[i] != nil && entries[i].row != nil && len(names) > 0 {
			entries[i].row.looked, entries[i].row.scores = []uint64{id}, entries[i].scores
		}
	}
	return entries, err
}

// ownersMany is what owners asks.
func (r *rows) ownersMany(ctx context.Context, workspace string, ids []uint64) ([]uint64, error) {
	owners := make([]uint64, len(ids))
	v, err := r.store.Version(ctx, workspace)
	if err != nil {
		return owners, err
	}
	of, err := r.store.Owners(ctx, workspace, v, ids)
	for i, id := range ids {
		owners[i] = of[id]
	}
	return owners, err
}

// looking is what was found under some ids of a workspace, each asked for once.
type looking struct {
	*rows
	workspace string
	entries   map[uint64]*entry // nil for an id under which nothing stands
}

// maxScores bounds the scores that are looked for by their names: where there are more,
// or under more keys, a range of the table of scores is cheaper.
const maxScores = 32

// look finds what stands under ids, without those that were asked for.
func (l *looking) look(ctx context.Context, ids []uint64) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	ids = slices.DeleteFunc(ids, func(id uint64) bool {
		_, asked := l.entries[id]
		return id == 0 || asked
	})
	if len(ids) == 0 {
		return nil
	}
	found, err := l.looks.GetMany(ctx, l.workspace, ids...)
	if err != nil {
		return err
	}
	for i, id := range ids {
		l.entries[id] = found[i].own()
	}
	return nil
}

// names returns what is looked for beside views; nothing where there are too many.
func (r *rows) names(ctx context.Context, workspace string) ([]string, error) {
	scores, err := r.store.ScoresOf(ctx, workspace)
	if err != nil || len(scores.Names()) > maxScores {
		return nil, err
	}
	names := []string{nameGroup}
	for _, name := range scores.Names() {
		names = append(names, nameScore+name)
	}
	return names, nil
}

// maxTogether bounds the identifiers of a profile of which the scores are looked for
// before it is certain that its view is read.
const maxTogether = 16

// others are the keys of the profiles under ids, which may have scores, too.
func (l *looking) others(ids []uint64) (keys []uint64) {
	for _, id := range ids {
		if one := l.row(id); one != nil && len(one.keys) <= maxTogether {
			keys = append(keys, one.keys...)
		}
	}
	return keys
}

// complete brings the scores that stand under other keys of the profiles under ids.
func (l *looking) complete(ctx context.Context, ids []uint64) error {
	if err := l.look(ctx, l.others(ids)); err != nil {
		return err
	}
	for _, id := range ids {
		one := l.row(id)
		if one == nil || one.looked == nil {
			continue
		}
		for _, k := range one.keys {
			e, asked := l.entries[k]
			if !asked || slices.Contains(one.looked, k) {
				continue
			}
			one.looked = append(one.looked, k)
			if e != nil {
				one.scores = append(one.scores, e.scores...)
			}
		}
	}
	return nil
}

// row returns the view under an id; nil for none.
func (l *looking) row(id uint64) *row {
	if e := l.entries[id]; e != nil && e.owner == 0 {
		return e.row
	}
	return nil
}
