package profiles

import (
	"context"
	"errors"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

// moving is a store in which a merge lands between the two reads of a Find.
type moving struct {
	merges int // left
	err    error
}

func (m *moving) Resolve(context.Context, string, identity.Key) (identity.ProfileID, error) {
	return identity.ProfileID(1 + m.merges), m.err
}

func (m *moving) Load(_ context.Context, _ string, id identity.ProfileID) (*Profile, error) {
	if m.merges > 0 {
		m.merges--
		return nil, ErrNotFound
	}
	return &Profile{ID: id}, nil
}

func TestFindFollowsMerges(t *testing.T) {
	f := func(m moving, want identity.ProfileID, wantErr error) {
		t.Helper()
		p, err := Find(context.Background(), &m, "main", 9)
		if !errors.Is(err, wantErr) || err == nil && p.ID != want {
			t.Errorf("%+v: got %+v, %v", m, p, err)
		}
	}
	f(moving{}, 1, nil)
	f(moving{merges: 2}, 1, nil)
	f(moving{merges: 3}, 0, ErrNotFound)
	f(moving{err: ErrNotFound}, 0, ErrNotFound)
}
