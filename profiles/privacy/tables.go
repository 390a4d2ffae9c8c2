package privacy

// factTables hold what happened, by anchor, each with a received_time.
var factTables = []string{
	"events", "transaction_facts", "social_facts", "location_facts", "support_facts", "feedback_facts", "sensor_facts",
	"contact_facts", "trait_observations", "consents", "account_facts",
}

// spread are the tables whose rows lie on the shards of a cluster under a name of
// their own; of the others every node holds all.
var spread = map[string]bool{
	"events": true, "transaction_facts": true, "social_facts": true, "location_facts": true, "support_facts": true, "feedback_facts": true,
	"sensor_facts": true, "contact_facts": true, "trait_observations": true, "location_venues": true, "scores": true,
	"dead_letters": true, "dead_letter_actions": true, "dead_letter_outcomes": true, "plan_violations": true, "consents": true,
	"account_facts": true, "profile_lookup": true,
}

// rowsOf is how the rows of a batch are found in a table.
type rowsOf struct {
	table string
	// who is the expression of the place of the person in the batch, from 1; 0 for
	// nobody of it.
	who string
	// prefix narrows the rows down by the sort key, where that helps.
	prefix string
}

// The parameters of these expressions are those of batch.bind.
const (
	anchorOf = `transform(anchor_id, {anchors:Array(UInt64)}, {anchor_of:Array(UInt32)}, toUInt32(0))`
	inTime   = `<= arrayElement({erased_at:Array(Int64)}, `
)

// received is the place of the person that expression who tells, or 0 where the time
// in column at is later than the erasure.
func received(who, at string) string {
	return `if(toUnixTimestamp64Milli(` + at + `) ` + inTime + `greatest(` + who + `, toUInt32(1))), ` + who + `, toUInt32(0))`
}

// keyOf is the place of the person whose identifier column holds.
func keyOf(column string) string {
	return `transform(` + column + `, {keys:Array(UInt64)}, {key_of:Array(UInt32)}, toUInt32(0))`
}

// spanOf is the place of the person to whom an anchor that is another's now belonged
// at the time of the row.
const spanOf = `arrayFirst((w, a, s, u) -> a = anchor_id AND toUnixTimestamp64Milli(time) >= s AND toUnixTimestamp64Milli(time) < u,
	{span_of:Array(UInt32)}, {span_anchors:Array(UInt64)}, {span_since:Array(Int64)}, {span_until:Array(Int64)})`

// ofAnchors narrows facts down.
const ofAnchors = `anchor_id IN {all_anchors:Array(UInt64)}`

// identifierRows are the rows of the identifiers themselves, which are rewritten last:
// their values are needed until then.
var identifierRows = rowsOf{"identifiers", received(keyOf("identifier_id"), "first_received"), `identifier_id IN {keys:Array(UInt64)}`}

// otherRows are the rows of all other tables that the keys of a batch find.
func otherRows() []rowsOf {
	var all []rowsOf
	for _, t := range factTables {
		all = append(all, rowsOf{t, received("if("+anchorOf+" != 0, "+anchorOf+", "+spanOf+")", "received_time"), ofAnchors})
	}
	set := func(column string) string {
		return received(`transform(`+column+`, {anchors:Array(UInt64)}, {anchor_of:Array(UInt32)}, toUInt32(0))`, "first_received")
	}
	computed := `if(` + keyOf("profile_id") + ` != 0 AND toUnixTimestamp64Milli(computed_at) <= {begun:Int64}, ` + keyOf("profile_id") + `, ` +
		received(`transform(profile_id, {profiles:Array(UInt64)}, {profile_of:Array(UInt32)}, toUInt32(0))`, "computed_at") + `)`
	return append(all,
		rowsOf{"anchors", set("anchor_id"), `anchor_id IN {anchors:Array(UInt64)}`},
		rowsOf{"anchor_members", set("anchor_id"), `1`},
		rowsOf{"identity_evidence", received(`greatest(`+keyOf("low_id")+`, `+keyOf("high_id")+`)`, "first_received"), `1`},
		rowsOf{"record_links", received(`greatest(`+keyOf("record_a")+`, `+keyOf("record_b")+`)`, "scored_at"), `1`},
		// Scores of who is gone go whenever they were computed: those of events that were
		// there for a while. The id may be that of a cookie that is another's now.
		rowsOf{"scores", computed, `profile_id IN {profiles:Array(UInt64)}`},
		// Of who is gone, nothing keeps what kind of customer it was, no segment when it was a member, and no destination what it
		// was told, or would not take.
		ofMember("profile_groups"), ofMember("segment_changes"), ofMember("destination_told"), ofMember("destination_letters"),
		// A view is made again from what is there: it goes whenever it was made. What else
		// stands beside it are copies of scores and groups. All of it is looked through: the
		// names under which something may stand are not known for certain.
		rowsOf{
			"profile_lookup", `if(name IN ('view', 'alias'), greatest(transform(profile_id, {profiles:Array(UInt64)}, {profile_of:Array(UInt32)}, toUInt32(0)), ` +
				keyOf("profile_id") + `), ` + computed + `)`,
			`(profile_id IN {profiles:Array(UInt64)} OR profile_id IN {keys:Array(UInt64)})`,
		},
		rowsOf{"household_profile", `if((epoch, sequence) <= arrayElement(arrayZip({epochs:Array(UInt64)}, {sequences:Array(UInt64)}), greatest(` + keyOf("profile_id") + `, toUInt32(1))), ` + keyOf("profile_id") + `, toUInt32(0))`, `profile_id IN {keys:Array(UInt64)}`},
	)
}

// ofMember are the rows of a table that says something of profiles, each of a time.
func ofMember(table string) rowsOf {
	return rowsOf{table, `if(` + keyOf("profile_id") + ` != 0 AND toUnixTimestamp64Milli(time) <= {begun:Int64}, ` + keyOf("profile_id") + `, ` +
		received(`transform(profile_id, {profiles:Array(UInt64)}, {profile_of:Array(UInt32)}, toUInt32(0))`, "time") + `)`, `profile_id IN {profiles:Array(UInt64)}`}
}

// ownEvents are the hashes of the messages of a batch, by which the tables of
// hashedTables are rewritten while the events are there.
func ownEvents() string {
	events := otherRows()[0]
	return `message_hash IN (SELECT message_hash FROM events WHERE workspace = {workspace:String} AND ` + events.prefix + ` AND ` + events.who + ` != 0)`
}

// hashedTables say something of single events, by their hashes.
var hashedTables = []string{"plan_violations", "location_venues"}

// foreignEvents are events of others that name an identifier which is gone, such as
// those of somebody who claimed it: they stay, without it.
func foreignEvents() string {
	events := otherRows()[0]
	return `anchor_id IN (SELECT anchor_id FROM anchor_members WHERE workspace = {workspace:String} AND identifier_id IN {keys:Array(UInt64)})
		AND toUnixTimestamp64Milli(received_time) <= arrayMax({erased_at:Array(Int64)}) AND ` + events.who + ` = 0 AND ` + holdsGone
}

const (
	goneNames = `(SELECT concat(namespace, ':', value) FROM identifiers WHERE workspace = {workspace:String} AND identifier_id IN {keys:Array(UInt64)})`
	holdsGone = `arrayExists(i -> i IN ` + goneNames + `, identifiers)`
	dropsGone = `identifiers = arrayFilter(i -> i NOT IN ` + goneNames + `, identifiers)`
)
