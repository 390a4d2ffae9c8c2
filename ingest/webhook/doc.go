// Package webhook takes the deliveries of other systems in: it checks their
// signature and their age, answers their challenges, maps their payload to
// messages (package mapping), and gives those to an intake.Submitter.
//
// A webhook is one TOML file:
//
//	name      = "instagram"            # path: /v1/webhooks/instagram
//	source    = "instagram"
//	workspace = "main"
//	mapping   = "instagram.mapping.toml"  # beside this file
//
//	[signature]
//	scheme     = "hmac-sha256"         # or hmac-sha1, basic, token
//	header     = "X-Hub-Signature-256"
//	prefix     = "sha256="
//	encoding   = "hex"                 # or base64
//	signed     = "{body}"              # also {timestamp}, {method}, {url}
//	secret_env = ["META_APP_SECRET"]   # or secret_file; several while they change
//
//	[replay]
//	header    = "X-Request-Timestamp"  # of the timestamp, when one is signed
//	format    = "unix"                 # unix_ms, rfc3339
//	tolerance = "5m"
//	delivery  = "X-Delivery-Id"        # header with the id of the delivery
//
//	[challenge]
//	style     = "hub"                  # or url_verification, crc
//	token_env = "META_VERIFY_TOKEN"
//
// With pairs = true in [signature] the header holds "t=…,v1=…": pair names the
// member with the signature and timestamp_pair that with the timestamp. Under
// "basic" the secret is user:password, under "token" the header's whole value.
//
// Secrets never stand in a file of this kind, in a log or in an error. A delivery
// that was taken in is remembered, in bounded memory, and answered as a duplicate;
// beyond that memory the message ids keep it from being stored twice. What cannot
// be mapped becomes a dead letter.
//
// The package knows neither HTTP servers nor Kafka.
package webhook
