package activation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	profilestore "github.com/kindred-cdp/kindred/profiles/clickhouse"
	"github.com/kindred-cdp/kindred/profiles/privacy"
)

// people reads what is known of those whom changes are of.
type people struct {
	conn    driver.Conn
	store   profiles.Batcher
	consent *privacy.Store
}

// person is what is known of the profile of a change now.
type person struct {
	profile    *profiles.Profile // nil: it is nobody any more
	restricted bool
	stands     []privacy.Stand // of the consent that was asked for
}

// read returns what is known of profiles, in their order; consent may be nil.
func (p *people) read(ctx context.Context, workspace string, ids []identity.ProfileID, consent *Consent) ([]person, error) {
	found := make([]person, len(ids))
	keys := make([]identity.Key, len(ids))
	for i, id := range ids {
		keys[i] = identity.Key(id)
	}
	now, err := p.store.ResolveMany(ctx, workspace, keys)
	if err != nil {
		return nil, err
	}
	present := slices.DeleteFunc(slices.Clone(now), func(id identity.ProfileID) bool { return id == 0 })
	if len(present) == 0 {
		return found, nil
	}
	loaded, err := p.store.LoadMany(ctx, workspace, present)
	if err != nil {
		return nil, err
	}
	of := map[identity.ProfileID]*profiles.Profile{}
	for _, one := range loaded {
		if one != nil {
			of[one.ID] = one
		}
	}
	restricted, err := p.restricted(ctx, workspace, loaded)
	if err != nil {
		return nil, err
	}
	var stands map[identity.ProfileID][]privacy.Stand
	if consent != nil {
		there := slices.DeleteFunc(slices.Clone(loaded), func(one *profiles.Profile) bool { return one == nil })
		if stands, err = p.consent.Stands(ctx, workspace, consent.Purpose, consent.Channel, there); err != nil {
			return nil, err
		}
	}
	for i, id := range now {
		if one := of[id]; one != nil {
			found[i] = person{one, slices.ContainsFunc(one.Keys, func(k identity.Key) bool { return restricted[k] }), stands[id]}
		}
	}
	return found, nil
}

const restrictedSQL = `SELECT identifier_id FROM restricted_identifiers WHERE workspace = {workspace:String} AND identifier_id IN {keys:Array(UInt64)}`

// restricted are the identifiers of some profiles whose processing is restricted.
func (p *people) restricted(ctx context.Context, workspace string, of []*profiles.Profile) (map[identity.Key]bool, error) {
	keys := []uint64{}
	for _, one := range of {
		if one != nil {
			for _, k := range one.Keys {
				keys = append(keys, uint64(k))
			}
		}
	}
	found := map[identity.Key]bool{}
	err := query(ctx, p.conn, "restrictions", restrictedSQL, func(rows driver.Rows) error {
		var k uint64
		err := rows.Scan(&k)
		found[identity.Key(k)] = true
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("keys", keys))
	return found, err
}

// agrees reports whether statements grant consent for an address, or, where it is 0,
// by any address: of those that speak of an address the latest stands, and of several
// of one time a refusal. Where addresses are named, only these count.
func agrees(stands []privacy.Stand, address identity.Key) bool {
	addresses := []identity.Key{address}
	if address == 0 {
		for _, s := range stands {
			if s.Address != 0 {
				addresses = append(addresses, s.Address)
			}
		}
		if len(addresses) > 1 {
			addresses = addresses[1:]
		}
	}
	return slices.ContainsFunc(addresses, func(a identity.Key) bool {
		granted, at := false, time.Time{}
		for _, s := range stands {
			if s.Address != 0 && s.Address != a {
				continue
			}
			switch {
			case s.Time.After(at):
				granted, at = s.Granted, s.Time
			case s.Time.Equal(at):
				granted = granted && s.Granted
			}
		}
		return granted
	})
}

// query runs a query and hands each row to scan.
func query(ctx context.Context, conn driver.Conn, what, text string, scan func(driver.Rows) error, args ...any) error {
	rows, err := conn.Query(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", what, profilestore.Concise(err))
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("read %s: %w", what, profilestore.Concise(err))
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", what, profilestore.Concise(err))
	}
	return nil
}
