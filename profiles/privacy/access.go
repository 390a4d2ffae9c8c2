package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// heldSQL are the sets with one of some identifiers, and these themselves.
const heldSQL = `anchor_id IN (
    SELECT anchor_id FROM anchor_members WHERE workspace = {workspace:String} AND identifier_id IN {held:Array(UInt64)}
    UNION ALL
    SELECT arrayJoin({held:Array(UInt64)})
)`

// part is a table in the answer to a person who asks what is known of them.
type part struct{ table, condition, order string }

// partsOfAccess are all tables that hold something of a person, by their own words:
// rows as they are stored.
func partsOfAccess() []part {
	const mine = `identifier_id IN {keys:Array(UInt64)}`
	parts := []part{
		{"identifiers", mine, "identifier_id, source, period, first_received, last_received, first_event, last_event"}, // Of one key there are several.
		{"identity_evidence", `low_id IN {keys:Array(UInt64)} AND high_id IN {keys:Array(UInt64)}`, "low_id, high_id, source, period, rule"},
	}
	for _, table := range append(slices.Clone(factTables), "location_venues") {
		parts = append(parts, part{table, heldSQL + ` AND ` + warehouse.EventProfile("anchor_id", "time") + ` = {profile:UInt64}`, "time, message_hash"})
	}
	return append(parts,
		part{"scores", `profile_id = {profile:UInt64}`, "score, computed_at"},
		part{"profile_groups", `profile_id = {profile:UInt64}`, "time"},
		part{"segment_changes", `profile_id = {profile:UInt64}`, "block, segment"},
		part{"destination_told", `profile_id = {profile:UInt64}`, "destination, segment"},
		part{"destination_letters", `profile_id = {profile:UInt64}`, "destination, segment, block"},
		part{"households", `profile_id = {profile:UInt64}`, "household_id"},
		part{"dead_letters", `letter_id IN (SELECT reinterpretAsUInt128(reverse(unhex(arrayJoin({letters:Array(String)})))))`, "received_time, letter_id"},
	)
}

// Access writes everything that is stored of a person as one JSON object: their
// profile, and by table the rows as they are, the oldest first. Rows of one key that the
// engine would make one in time are one. An error after the
// first byte leaves half an object, which no reader takes for a whole one.
func (s *Store) Access(ctx context.Context, workspace string, p *profiles.Profile, out io.Writer) error {
	keys := make([]uint64, len(p.Keys))
	for i, k := range p.Keys {
		keys[i] = uint64(k)
	}
	held := slices.Clone(keys)
	for _, k := range p.Former {
		held = append(held, uint64(k))
	}
	letters, err := s.lettersOf(ctx, workspace, p)
	if err != nil {
		return err
	}
	args := []any{
		clickhouse.Named("workspace", workspace), clickhouse.Named("keys", keys), clickhouse.Named("held", held),
		clickhouse.Named("profile", uint64(p.ID)), clickhouse.Named("letters", letters),
	}
	if _, err := fmt.Fprintf(out, `{"profile_id":%q,"tables":{`, p.ID); err != nil {
		return err
	}
	for i, t := range partsOfAccess() {
		if i > 0 {
			if _, err := io.WriteString(out, ","); err != nil {
				return err
			}
		}
		if err := s.writeTable(ctx, t, args, out); err != nil {
			return err
		}
	}
	_, err = io.WriteString(out, "}}\n")
	return err
}

func (s *Store) writeTable(ctx context.Context, t part, args []any, out io.Writer) error {
	if _, err := fmt.Fprintf(out, "\n%q:[", t.table); err != nil {
		return err
	}
	first := true
	err := query(ctx, s.conn, "read "+t.table, `SELECT formatRowNoNewline('JSONEachRow', *) FROM `+t.table+`
		WHERE workspace = {workspace:String} AND `+t.condition+` ORDER BY `+t.order+` SETTINGS output_format_json_quote_64bit_integers = 1, final = 1`,
		func(rows driver.Rows) error {
			var row string
			if err := rows.Scan(&row); err != nil {
				return err
			}
			if !json.Valid([]byte(row)) {
				return fmt.Errorf("a row of %s is no JSON", t.table)
			}
			if !first {
				row = "," + row
			}
			first = false
			_, err := io.WriteString(out, row)
			return err
		}, args...)
	if err == nil {
		_, err = io.WriteString(out, "]")
	}
	return err
}

// lettersOf returns the ids of the dead letters that name a person.
func (s *Store) lettersOf(ctx context.Context, workspace string, p *profiles.Profile) ([]string, error) {
	var names []name
	for _, i := range p.Identifiers {
		names = append(names, name{namespace: string(i.Namespace), value: i.Value, place: 1})
	}
	found, err := searchLetters(ctx, s.conn, workspace, names, forever)
	ids := []string{}
	for id := range found {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, err
}

// Held counts what is stored of anchors, by table; what a dry run of an erasure shows.
func (s *Store) Held(ctx context.Context, workspace string, anchors []identity.AnchorID) (map[string]uint64, error) {
	list, counts := make([]uint64, len(anchors)), map[string]uint64{}
	for i, a := range anchors {
		list[i] = uint64(a)
	}
	for _, table := range factTables {
		var n uint64
		err := query(ctx, s.conn, "count rows of "+table, `SELECT count() FROM `+table+` WHERE workspace = {workspace:String} AND anchor_id IN {anchors:Array(UInt64)}`,
			func(rows driver.Rows) error { return rows.Scan(&n) }, clickhouse.Named("workspace", workspace), clickhouse.Named("anchors", list))
		if err != nil {
			return nil, err
		}
		counts[table] = n
	}
	return counts, nil
}
