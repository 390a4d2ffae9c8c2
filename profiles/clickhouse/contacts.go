package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
)

// contactIdentity tells messages sent apart: what became of one carries its id.
// Where the sender gives none, each thing that happened stands alone.
const contactIdentity = "if(sent_message_id != '', sipHash64(source, channel, sent_message_id), toUInt64(bitAnd(message_hash, 0xffffffffffffffff)))"

const contactsSQL = `SELECT ` + contactIdentity + ` AS contact, min(time) AS first, any(sent_message_id), any(channel),
    anyIf(campaign, campaign != ''), anyIf(template, template != ''), anyIf(subject, subject != ''), any(source),
    groupArray((toString(action), toUnixTimestamp64Milli(time))).1, groupArray((toString(action), toUnixTimestamp64Milli(time))).2
FROM contact_facts` + ofProfile + `
GROUP BY contact
HAVING {key:String} = '' OR (first, contact) < (fromUnixTimestamp64Milli({after:Int64}, 'UTC'), toUInt64OrZero({key:String}))
ORDER BY first DESC, contact DESC
LIMIT {limit:UInt32}` + keyOnly

// Contacts implements profiles.History.
func (s *Store) Contacts(ctx context.Context, workspace string, id identity.ProfileID, q profiles.PageQuery) ([]profiles.Contact, error) {
	r, err := s.openEvents(ctx, workspace, id)
	if err != nil {
		return nil, err
	}
	contacts := []profiles.Contact{}
	err = r.readEvents(ctx, "contacts", contactsSQL, func(rows driver.Rows) error {
		c, err := scanContact(rows)
		contacts = append(contacts, c)
		return err
	}, bindPage(q)...)
	if err != nil {
		return nil, fmt.Errorf("load profile %s: %w", id, err)
	}
	return contacts, nil
}

// bindPage binds where a page begins and how long it is.
func bindPage(q profiles.PageQuery) []any {
	return []any{
		clickhouse.Named("limit", uint32(q.Limit)), clickhouse.Named("key", q.After.Key),
		clickhouse.Named("after", q.After.Time.UnixMilli()),
	}
}

func scanContact(rows driver.Rows) (profiles.Contact, error) {
	var c profiles.Contact
	var key uint64
	var actions []string
	var times []int64
	if err := rows.Scan(&key, &c.Position.Time, &c.MessageID, &c.Channel, &c.Campaign, &c.Template, &c.Subject, &c.Source, &actions, &times); err != nil {
		return c, err
	}
	c.Position.Time, c.Position.Key = c.Position.Time.UTC(), fmt.Sprint(key)
	c.Actions = make(map[string]time.Time, len(actions))
	for i, action := range actions {
		at := time.UnixMilli(times[i]).UTC()
		if first, ok := c.Actions[action]; !ok || at.Before(first) {
			c.Actions[action] = at
		}
	}
	return c, nil
}

const channelsSQL = `SELECT channel, action, uniqExact(` + contactIdentity + `), min(time), max(time)
FROM contact_facts` + ofProfile + `
GROUP BY channel, action
ORDER BY channel, action` + keyOnly

// responses are what a customer does with a message.
var responses = map[string]bool{"opened": true, "clicked": true, "replied": true}

// channels sums up the contacts by channel.
func (r *reader) channels(ctx context.Context, p *profiles.Profile) error {
	return r.readEvents(ctx, "channels", channelsSQL, func(rows driver.Rows) error {
		var channel, action string
		var n uint64
		var first, last time.Time
		if err := rows.Scan(&channel, &action, &n, &first, &last); err != nil {
			return err
		}
		if end := len(p.Channels); end == 0 || p.Channels[end-1].Channel != channel {
			p.Channels = append(p.Channels, profiles.Channel{Channel: channel, Messages: map[string]uint64{}, First: first.UTC()})
		}
		c := &p.Channels[len(p.Channels)-1]
		c.Messages[action] = n
		if first.Before(c.First) {
			c.First = first.UTC()
		}
		if last.After(c.Last) {
			c.Last = last.UTC()
		}
		if responses[action] && last.After(c.Answered) {
			c.Answered = last.UTC()
		}
		return nil
	})
}
