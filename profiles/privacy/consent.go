package privacy

import (
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// Statement is one statement of consent or refusal.
type Statement struct {
	Purpose   string
	Channel   string // empty for all
	Address   string // of the profile, as namespace:value; empty for all, and where it is none of theirs
	Granted   bool
	Time      time.Time
	Source    string
	Origin    string
	Proof     string
	MessageID string
}

// Consent is what a person has stated: what stands per purpose, channel and address,
// and all of it, the newest first.
type Consent struct {
	Current, History []Statement
	More             bool // there is more history than is listed
}

// maxHistory bounds a history.
const maxHistory = 1000

const consentsFrom = ` FROM consents WHERE workspace = {workspace:String} AND ` + heldSQL

// currentSQL takes per purpose, channel and address the latest statement, and of two of
// one time the refusal: a merge brings together what was said in several places.
var currentSQL = `SELECT toString(purpose), toString(channel), address_id,
    tupleElement(latest, 1), tupleElement(latest, 2), tupleElement(latest, 3), tupleElement(latest, 4), tupleElement(latest, 5), tupleElement(latest, 6)
FROM
(
    SELECT purpose, channel, address_id, argMax((granted, time, toString(source), toString(origin), proof, message_id), (time, NOT granted, message_hash)) AS latest` +
	consentsFrom + ` AND ` + warehouse.EventProfile("anchor_id", "time") + ` = {profile:UInt64} AND ` + notErased + `
    GROUP BY purpose, channel, address_id
)
ORDER BY purpose, channel, address_id`

var historySQL = `SELECT toString(purpose), toString(channel), address_id, granted, time, toString(source), toString(origin), proof, message_id` +
	consentsFrom + ` AND ` + warehouse.EventProfile("anchor_id", "time") + ` = {profile:UInt64} AND ` + notErased + `
ORDER BY time DESC, message_hash DESC, purpose, channel, address_id LIMIT {limit:UInt32}`

// notErased leaves out what an erasure took of somebody who came again, while it waits
// to be rewritten.
const notErased = `received_time > transform(anchor_id,
    (SELECT groupArray(id) FROM identity_erasures WHERE workspace = {workspace:String} AND id IN (SELECT anchor_id FROM anchor_members WHERE workspace = {workspace:String} AND identifier_id IN {held:Array(UInt64)} UNION ALL SELECT arrayJoin({held:Array(UInt64)}))),
    (SELECT groupArray(erased_at) FROM identity_erasures WHERE workspace = {workspace:String} AND id IN (SELECT anchor_id FROM anchor_members WHERE workspace = {workspace:String} AND identifier_id IN {held:Array(UInt64)} UNION ALL SELECT arrayJoin({held:Array(UInt64)}))),
    toDateTime64(0, 3, 'UTC'))`

// Consent returns what a person has stated.
func (s *Store) Consent(ctx context.Context, workspace string, p *profiles.Profile) (*Consent, error) {
	held := []uint64{}
	for _, k := range p.Keys {
		held = append(held, uint64(k))
	}
	for _, k := range p.Former {
		held = append(held, uint64(k))
	}
	addresses := map[uint64]string{}
	for _, i := range p.Identifiers {
		addresses[uint64(i.Key)] = i.String()
	}
	out := &Consent{Current: []Statement{}, History: []Statement{}}
	read := func(text string, into *[]Statement) error {
		return query(ctx, s.conn, "read consents", text, func(rows driver.Rows) error {
			var x Statement
			var address uint64
			err := rows.Scan(&x.Purpose, &x.Channel, &address, &x.Granted, &x.Time, &x.Source, &x.Origin, &x.Proof, &x.MessageID)
			x.Time, x.Address = x.Time.UTC(), addresses[address]
			*into = append(*into, x)
			return err
		}, clickhouse.Named("workspace", workspace), clickhouse.Named("held", held), clickhouse.Named("profile", uint64(p.ID)), clickhouse.Named("limit", uint32(maxHistory+1)))
	}
	if err := read(currentSQL, &out.Current); err != nil {
		return nil, err
	}
	if err := read(historySQL, &out.History); err != nil {
		return nil, err
	}
	if len(out.History) > maxHistory {
		out.History, out.More = out.History[:maxHistory], true
	}
	return out, nil
}

// Stand is the latest statement of a person for a purpose by one channel, or by all,
// and for one address, or all.
type Stand struct {
	Channel string       // empty for all
	Address identity.Key // 0 for all
	Granted bool
	Time    time.Time
}

// standsSQL is currentSQL for several people, with one purpose and one channel.
var standsSQL = `SELECT ` + warehouse.EventProfile("anchor_id", "time") + ` AS profile, toString(channel), address_id,
    argMax(granted, (time, NOT granted, message_hash)), max(time)` + consentsFrom + `
    AND purpose = {purpose:String} AND ({channel:String} = '' OR channel IN ('', {channel:String})) AND profile IN {profiles:Array(UInt64)} AND ` + notErased + `
GROUP BY profile, channel, address_id`

// Stands returns what stands of the statements of some people for a purpose by a
// channel, or by any where it is empty.
func (s *Store) Stands(ctx context.Context, workspace, purpose, channel string, people []*profiles.Profile) (map[identity.ProfileID][]Stand, error) {
	held, ids := []uint64{}, []uint64{}
	for _, p := range people {
		ids = append(ids, uint64(p.ID))
		for _, k := range append(slices.Clone(p.Keys), p.Former...) {
			held = append(held, uint64(k))
		}
	}
	found := map[identity.ProfileID][]Stand{}
	if len(ids) == 0 {
		return found, nil
	}
	return found, query(ctx, s.conn, "read consents", standsSQL, func(rows driver.Rows) error {
		var profile, address uint64
		var x Stand
		err := rows.Scan(&profile, &x.Channel, &address, &x.Granted, &x.Time)
		x.Address, x.Time = identity.Key(address), x.Time.UTC()
		found[identity.ProfileID(profile)] = append(found[identity.ProfileID(profile)], x)
		return err
	}, clickhouse.Named("workspace", workspace), clickhouse.Named("held", held), clickhouse.Named("profiles", ids),
		clickhouse.Named("purpose", purpose), clickhouse.Named("channel", channel))
}
