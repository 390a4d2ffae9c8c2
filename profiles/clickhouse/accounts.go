package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// linksSQL takes the accounts from the profile's own group events, which needs no
// way back from account_facts: of other events it reads the type alone.
const linksSQL = `SELECT ` + accountOf + ` AS account, min(time), max(time), count()
FROM events` + ofProfile + ` AND type = 'group'
GROUP BY account
HAVING account != ''
ORDER BY account`

// accountOf is the account of a group event, as ingest.Event.Group reads it:
// text, or a number as it was written.
const accountOf = "JSONExtract(properties, 'groupId', 'String')"

// accounts reads the accounts that the profile was named with.
func (r *reader) accounts(ctx context.Context, p *profiles.Profile) error {
	return r.readEvents(ctx, "accounts", linksSQL, func(rows driver.Rows) error {
		var a profiles.AccountLink
		err := rows.Scan(&a.ID, &a.First, &a.Last, &a.Events)
		a.First, a.Last = a.First.UTC(), a.Last.UTC()
		p.Accounts = append(p.Accounts, a)
		return err
	})
}

// accountSQL has the account itself first, then what was said of it last. Null
// removes a trait.
const accountSQL = `SELECT '' AS trait, '' AS said, '' AS whose, min(time) AS first, max(time) AS last, count() AS events
FROM account_facts
WHERE workspace = {workspace:String} AND account_id = {account:String}
HAVING events > 0
UNION ALL
SELECT kv.1 AS trait, argMax(kv.2, (time, message_hash)) AS said, argMax(toString(source), (time, message_hash)), max(time), max(time), count()
FROM account_facts
ARRAY JOIN JSONExtractKeysAndValuesRaw(traits) AS kv
WHERE workspace = {workspace:String} AND account_id = {account:String} AND kv.1 != ''
GROUP BY trait
HAVING said != 'null'`

// membersOfSQL resolves whose each group event is now. An account has as many
// events as it was named, so the limit of a query bounds it.
var membersOfSQL = `SELECT ` + warehouse.EventProfile("anchor_id", "time") + ` AS profile, min(time), max(time), count()
FROM account_facts
WHERE workspace = {workspace:String} AND account_id = {account:String} AND anchor_id != 0
GROUP BY profile
HAVING profile != 0 AND profile > {after:UInt64}
ORDER BY profile
LIMIT {limit:UInt32}`

// Account implements profiles.Accounts.
func (s *Store) Account(ctx context.Context, workspace, id string, after identity.ProfileID, limit int) (*profiles.Account, error) {
	a := &profiles.Account{ID: id, Traits: []profiles.AccountTrait{}, Members: []profiles.AccountMember{}}
	bound := []any{clickhouse.Named("workspace", workspace), clickhouse.Named("account", id)}
	found := false
	err := s.query(ctx, accountSQL, func(rows driver.Rows) error {
		var t profiles.AccountTrait
		var said string
		var first time.Time
		var events uint64
		if err := rows.Scan(&t.Name, &said, &t.Source, &first, &t.Time, &events); err != nil {
			return err
		}
		if t.Name == "" {
			found, a.First, a.Last = true, first.UTC(), t.Time.UTC()
			return nil
		}
		t.Value, t.Time = json.RawMessage(said), t.Time.UTC()
		a.Traits = append(a.Traits, t)
		return nil
	}, bound...)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read account: %w", err)
	case !found:
		return nil, profiles.ErrNoAccount
	case limit == 0:
		return a, nil
	}
	err = s.query(ctx, membersOfSQL, func(rows driver.Rows) error {
		var m profiles.AccountMember
		var profile uint64
		err := rows.Scan(&profile, &m.First, &m.Last, &m.Events)
		m.ID, m.First, m.Last = identity.ProfileID(profile), m.First.UTC(), m.Last.UTC()
		a.Members = append(a.Members, m)
		return err
	}, append(bound, clickhouse.Named("after", uint64(after)), clickhouse.Named("limit", uint32(limit)))...)
	if err != nil {
		return nil, fmt.Errorf("read members of account: %w", err)
	}
	return a, nil
}
