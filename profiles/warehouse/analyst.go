package warehouse

// analystViews may be read whole: they show no personal value.
var analystViews = []string{
	"transactions", "behaviour_events", "events_masked", "identifiers_masked", "traits_masked", "profiles", "anchor_profile", "households", "identity_counted", "reading",
	"dead_letter_status",
	"social_interactions", "locations", "support_contacts", "feedback", "sensor_readings", "visits", "contacts", "catalogue",
	"account_members", "segment_memberships", "restricted_identifiers",
}

// analystTables are the tables an analyst may read, with the columns that are
// not personal; "" stands for all of them. What is not named stays closed, a
// new column too.
var analystTables = []struct{ table, columns string }{
	{"events", "workspace, anchor_id, time, message_hash, message_id, kind, name, type, source, original_time, sent_time, received_time, campaign, session_id"},
	{"transaction_facts", ""},
	{"social_facts", "workspace, anchor_id, time, message_hash, received_time, source, name, network, post_id, thread_id, direction, visibility, intent, author_type, reactions, language, language_by, sentiment, sentiment_by"},
	{"location_facts", "workspace, anchor_id, time, message_hash, received_time, source, name, accuracy, venue, h3_5, h3_7"},
	{"location_venues", ""},
	{"support_facts", "workspace, anchor_id, time, message_hash, received_time, source, name, case_id, channel, direction, author_type, status, self_service, topic, response_seconds, language, language_by, sentiment, sentiment_by"},
	{"feedback_facts", "workspace, anchor_id, time, message_hash, received_time, source, name, instrument, score, scale_min, scale_max, survey, question, wave, subject, language, language_by, sentiment, sentiment_by"},
	{"sensor_facts", ""},
	{"contact_facts", "workspace, anchor_id, time, message_hash, received_time, source, name, action, channel, campaign, template, sent_message_id"},
	{"catalogue_entries", ""},
	{"account_facts", "workspace, account_id, anchor_id, time, message_hash, received_time, source"},
	{"trait_observations", "workspace, anchor_id, trait, time, message_hash, received_time, source"},
	{"consents", "workspace, anchor_id, purpose, channel, address_id, time, message_hash, received_time, source, granted, origin, message_id"},
	{"seen_messages", ""},
	{"dead_letters", "workspace, received_time, source, topic, partition, offset, reason, position, letter_id, kind"},
	{"dead_letter_actions", "workspace, letter_id, revision, time, action, actor"},
	{"dead_letter_outcomes", "workspace, letter_id, attempt, received_time, outcome, reason, topic, partition, offset"},
	{"control_outcomes", "workspace, command_id, revision, kind, subject, actor, sent_at, outcome, detail"},
	{"tracking_plans", ""},
	{"plan_violations", "workspace, plan, name, rule, received_time, revision, version, source, kind, mode, message_id, message_hash"},
	{"identifiers", "workspace, identifier_id, source, period, namespace, first_event, first_received, last_event, last_received"},
	{"identity_evidence", ""},
	{"anchors", ""},
	{"anchor_members", ""},
	{"anchor_owner", ""},
	{"identifier_profile", ""},
	{"identifier_tenures", ""},
	{"household_profile", ""},
	{"record_links", ""},
	{"linkage_models", "workspace, version, created_at, records, candidates, expected_matches, card"},
	{"identity_decisions", "workspace, kind, a, b, decided_at, decision_id, is_on, value"},
	{"identity_rules", "workspace, version, rules, declared_at, command_id"},
	{"identity_changes", ""},
	{"identity_epochs", ""},
	{"identity_versions", ""},
	{"identity_flips", ""},
	{"identity_commands", "workspace, command_id, kind, target, received_at, code, detail, decisions, pairs, moved, epoch, sequence, body"},
	{"scores", ""},
	{"model_changes", "workspace, model, revision, changed_at, actor, change, version"},
	{"model_versions", ""},
	{"model_events", ""},
	{"profile_groups", ""},
	{"persona_models", ""},
	{"segment_definitions", "workspace, segment, revision, changed_at, actor, archived, description"},
	{"segment_changes", ""},
	{"segment_states", ""},
	{"segment_told", ""},
	{"destinations", "workspace, destination, revision, changed_at, actor, archived"},
	{"destination_places", ""},
	{"destination_told", ""},
	{"destination_syncs", ""},
	{"destination_erasures", ""},
	{"destination_letters", "workspace, destination, segment, profile_id, block, version, time, state, entered, changed_at, cause, revision, reason, status, attempts"},
	{"score_names", ""},
	{"profile_lookup", "key, workspace, profile_id, name, form, stamp, computed_at"},
	{"api_keys", "workspace, key_id, revision, changed_at, actor, change, name, role, source, person, rate, burst, created_at, expires_at, revoked, previous_until, origins"},
	{"audit_log", "workspace, time, entry_id, complete, request_id, key_id, key_name, role, action, method, route, resource, subjects, status"},
	{"identity_erasures", ""},
	{"erasure_steps", ""},
	{"erasure_certificates", ""},
	{"restrictions", ""},
}

// unresolvedViews are what views read with the rights of their maker, to mask or
// fold personal columns. They show no personal value, and no profiles.
var unresolvedViews = []string{
	"transactions", "behaviour_events", "events_masked", "identifiers_masked", "traits_masked", "anchor_profile",
	"social_interactions", "locations", "support_contacts", "feedback", "sensor_readings", "visits", "contacts",
}

// AnalystGrants returns what the read-only user analyst may do in database, as
// GRANT statements without their TO clause: read the views for SQL users and
// the columns of tables that are not personal, and resolve profiles with
// AnchorProfile and its like in queries of their own. A column is personal, or a
// secret, when its comment in the schema says so; a test compares the two.
func AnalystGrants(database string) []string {
	var grants []string
	for _, view := range analystViews {
		grants = append(grants, "GRANT SELECT ON "+database+"."+view)
	}
	for _, view := range unresolvedViews {
		grants = append(grants, "GRANT SELECT ON "+database+"."+unresolvedPrefix+view)
	}
	for _, t := range analystTables {
		columns := ""
		if t.columns != "" {
			columns = "(" + t.columns + ")"
		}
		grants = append(grants, "GRANT SELECT"+columns+" ON "+database+"."+t.table)
	}
	for _, dictionary := range baseDictionaries {
		grants = append(grants, "GRANT dictGet ON "+database+"."+dictionary)
	}
	return grants
}
