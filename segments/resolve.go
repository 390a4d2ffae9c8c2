package segments

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Library gives the definitions of segments to those that name them.
// Implementations are safe for concurrent use.
type Library interface {
	// Definition returns the definition of the live segment id of a workspace, and
	// false where there is none. The error is of reading.
	Definition(ctx context.Context, workspace, id string) (Definition, bool, error)
}

// Resolve returns d with the definition of each segment that it names, and that
// those name, in its place: it means what they mean now. A definition without such
// leaves comes back as it is. self is the id that d has or will have, "" for none.
//
// A name that there is no segment of, one that leads back to where it came from and
// a whole that is larger than a definition may be are the faults of an *Invalid,
// which point into d. library may be nil: then there are no segments.
func Resolve(ctx context.Context, library Library, workspace, self string, d Definition) (Definition, error) {
	if !slices.ContainsFunc(d.Leaves(), func(n Node) bool { _, ok := n.(InSegment); return ok }) {
		return d, nil
	}
	r := resolver{library: library, workspace: workspace, faults: &faults{}, known: map[string]Definition{}}
	root, err := r.node(ctx, "", d.Root, []string{self}, 1)
	if err != nil {
		return Definition{}, fmt.Errorf("resolve segment: %w", err)
	}
	resolved := Definition{Root: root}
	if len(r.list) == 0 && len(resolved.Leaves()) > MaxLeaves {
		r.add("", "has more than %d leaves with those of the segments that it names", MaxLeaves)
	}
	if err := r.err(); err != nil {
		return Definition{}, err
	}
	return resolved, nil
}

type resolver struct {
	*faults
	library   Library
	workspace string
	known     map[string]Definition
	leaves    int
}

// node resolves a part. path are the segments that led here, the first of which is
// that of the definition itself; at is the place of that in it.
func (r *resolver) node(ctx context.Context, at string, n Node, path []string, depth int) (Node, error) {
	inner := func(at string, n Node) (Node, error) { return r.node(ctx, at, n, path, depth+1) }
	list := func(member string, parts []Node) ([]Node, error) {
		out := make([]Node, len(parts))
		for i, part := range parts {
			var err error
			if out[i], err = inner(fmt.Sprintf("%s/%s/%d", at, member, i), part); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	// A tree of named trees can grow twofold with every name.
	if r.leaves > MaxLeaves || len(r.list) == maxFaults {
		return n, nil
	}
	switch n := n.(type) {
	case All:
		parts, err := list("all", n)
		return All(parts), err
	case Any:
		parts, err := list("any", n)
		return Any(parts), err
	case Not:
		part, err := inner(at+"/not", n.Node)
		return Not{Node: part}, err
	case InSegment:
		return r.named(ctx, at, n, path, depth)
	}
	r.leaves++
	return n, nil
}

// named returns what a segment means. Faults within it are told at the name in the
// definition itself, where its author can do something.
func (r *resolver) named(ctx context.Context, at string, n InSegment, path []string, depth int) (Node, error) {
	if len(path) == 1 {
		at += "/segment"
	}
	if i := slices.Index(path, n.ID); i >= 0 {
		r.add(at, "leads back to where it came from: %s", strings.Join(append(slices.Clone(path[i:]), n.ID), " → "))
		return n, nil
	}
	if depth > MaxNamed {
		r.add(at, "leads through segments that are nested more than %d levels deep", MaxNamed)
		return n, nil
	}
	d, ok := r.known[n.ID]
	if !ok && r.library != nil {
		var err error
		if d, ok, err = r.library.Definition(ctx, r.workspace, n.ID); err != nil {
			return n, err
		}
		r.known[n.ID] = d
	}
	if !ok {
		by := ""
		if len(path) > 1 {
			by = fmt.Sprintf(", which %q names", path[len(path)-1])
		}
		r.add(at, "there is no live segment %q%s", n.ID, by)
		return n, nil
	}
	root, err := r.inside(ctx, at, d.Root, append(slices.Clone(path), n.ID), depth)
	return root, err
}

// inside resolves a named definition, all of which stands at one place.
func (r *resolver) inside(ctx context.Context, at string, n Node, path []string, depth int) (Node, error) {
	before := len(r.list)
	root, err := r.node(ctx, "", n, path, depth+1)
	for i := range r.list[before:] {
		r.list[before+i].Pointer = at
	}
	return root, err
}

// MaxNamed is how many levels of all, any, not and named segments Resolve goes down.
const MaxNamed = 4 * MaxDepth
