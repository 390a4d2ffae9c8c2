package profiles

import (
	"context"
	"errors"

	"github.com/kindred-cdp/kindred/identity"
)

// ErrNotFound says that the workspace knows no such identifier or profile.
var ErrNotFound = errors.New("profile not found")

// Store reads profiles. Implementations are safe for concurrent use, hold no
// state between calls that a caller could observe, and never answer across
// workspaces: a key of another workspace is not found.
type Store interface {
	// Resolve returns the profile that an identifier belongs to now. Every
	// profile id ever given out is the key of an identifier, so an old id
	// resolves by Resolve(ctx, workspace, identity.Key(id)). It returns
	// ErrNotFound for a key that no event of the workspace ever carried.
	Resolve(ctx context.Context, workspace string, key identity.Key) (identity.ProfileID, error)

	// Load returns the whole view of a profile by its current id, as Resolve
	// returns it. It returns ErrNotFound when no identifier belongs to id,
	// which is also the answer when id was merged away between the two calls:
	// resolve again. The result may be shared; callers must not change it.
	Load(ctx context.Context, workspace string, id identity.ProfileID) (*Profile, error)
}

// Batcher is a Store that reads several profiles for little more than one costs.
type Batcher interface {
	Store
	// ResolveMany is Resolve for several keys, in their order; zero for a key that
	// finds nobody.
	ResolveMany(ctx context.Context, workspace string, keys []identity.Key) ([]identity.ProfileID, error)
	// LoadMany is Load for several ids, in their order; nil for an id that no
	// identifier belongs to.
	LoadMany(ctx context.Context, workspace string, ids []identity.ProfileID) ([]*Profile, error)
}

// Refresher is a Store that keeps the published version of the reading for a
// moment, to save a query on every read.
type Refresher interface {
	// Refresh says that a newer version was published: a read that starts
	// after Refresh returned sees it.
	Refresh(workspace string)
}

// attempts bounds Find's retries: each one means that a merge was published in
// the few milliseconds between two reads of the same profile.
const attempts = 3

// Find resolves key and loads its profile, again when the profile was merged
// away in between. It returns ErrNotFound as Resolve does.
func Find(ctx context.Context, store Store, workspace string, key identity.Key) (*Profile, error) {
	return Follow(ctx, store, workspace, key, func(id identity.ProfileID) (*Profile, error) {
		return store.Load(ctx, workspace, id)
	})
}

// Follow resolves key and calls read with the profile's id, again when read
// returns ErrNotFound because the profile was merged away in between.
func Follow[T any](ctx context.Context, store Store, workspace string, key identity.Key, read func(identity.ProfileID) (T, error)) (T, error) {
	var none T
	var last error
	for range attempts {
		id, err := store.Resolve(ctx, workspace, key)
		if err != nil {
			return none, err
		}
		found, err := read(id)
		if err == nil || !errors.Is(err, ErrNotFound) {
			return found, err
		}
		last = err
	}
	return none, last
}
