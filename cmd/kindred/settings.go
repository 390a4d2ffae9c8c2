package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kindred-cdp/kindred/identity/normalize"
	"github.com/kindred-cdp/kindred/profiles/privacy"
	"github.com/kindred-cdp/kindred/segments/activation"
)

// setting is one named value of the configuration.
type setting struct {
	name, value, usage string
	secret             bool // environment and file only
}

// settingList is every setting with its default. Flags, environment variables,
// file keys and --help all come from it.
func settingList() []setting {
	return []setting{
		{name: "config", usage: "settings `file` (TOML)"},
		{name: "data", value: "data", usage: "data `folder`: databases, logs, keys, progress of imports"},
		{name: "workspace", value: "main", usage: "workspace that the command works in"},
		{name: "api-address", value: "127.0.0.1:8080", usage: "`host:port` of the HTTP API; off loopback it needs real API keys"},
		{name: "tls-cert", usage: "`file` (PEM) with the certificate of the HTTP API, which then speaks TLS; read again when it changes"},
		{name: "tls-key", usage: "`file` (PEM) with the key of tls-cert"},
		{name: "rate-limit", value: "0", usage: "`requests` a second that one API key may send to one process, unless the key has a rate of its own; 0: no limit"},
		{name: "identity-address", value: "127.0.0.1:0", usage: "`host:port` on which a process with the role identity and without the API answers for its graph"},
		{name: "identity-urls", usage: "where API processes on other machines ask: http://host:port of each identity process, separated by commas"},
		{name: "clickhouse-port", value: "9000", usage: "native `port` of the embedded ClickHouse"},
		{name: "clickhouse-http-port", value: "8123", usage: "HTTP `port` of the embedded ClickHouse"},
		{name: "kafka-port", value: "9092", usage: "`port` of the embedded Kafka"},
		{name: "port-offset", value: "0", usage: "`number` added to every port above, to run beside another Kindred"},
		{name: "clickhouse-url", usage: "running ClickHouse to use instead of the embedded one: clickhouse://user:pass@host:9000/db"},
		{name: "clickhouse-lib", usage: "`path` of libchdb, instead of fetching it"},
		{name: "engine-memory", value: "4096", usage: "memory cap of the embedded ClickHouse, in `MiB`"},
		{name: "segment-rows", value: "1000000000", usage: "`rows` that a segment may read when it is previewed or evaluated over all profiles, by its estimate; 0: no limit"},
		{name: "cache-memory", value: "256", usage: "memory for the profiles that an API process keeps at hand, in `MiB`"},
		{name: "kafka-brokers", usage: "running Kafka to use instead of the embedded one: `host:port`, separated by commas"},
		{name: "kafka-partitions", value: "2", usage: "partitions of each event topic, when it is created"},
		{name: "kafka-replication", value: "1", usage: "replicas of each topic, when it is created"},
		{name: "kafka-session", value: "10", usage: "`seconds` after which a silent process loses its partitions to another"},
		{name: "phone-region", usage: "ISO 3166 `code`, such as PT, by which phone numbers without a country code are read. This and the next two hold for what comes in from then on, and must be equal on all machines"},
		{name: "strip-plus-tags", value: "false", usage: "drop +tag from e-mail addresses: `true or false`"},
		{name: "mail-provider-rules", value: "false", usage: "apply what large mail providers say of their addresses, such as dots that do not count: `true or false`"},
		{name: "webhooks", usage: "`path` of a webhook's definition, or of a folder of them (TOML)"},
		{name: "costs", usage: "`path` of the file that declares what an order, a refund and a contact of support cost (TOML), for margins; read by the worker"},
		{name: "traits", usage: "`path` of the file that declares rules of survivorship, trust in sources and computed traits (TOML); equal on all machines"},
		{name: "source-budget", value: "0", usage: "`events` a second above which a source is diverted to the overflow topic and drained at its share; 0: only when ingest is behind and others wait"},
		{name: "erasure-wait", value: "60", usage: "`seconds` that an erasure waits for others before tables are rewritten for all of them at once"},
		{name: "retention", usage: "`days` that events are kept, by kind, such as location=90,behaviour=395, and audit=730 for the record of what was read and changed; the others are kept for ever"},
		{name: "activation-allow-private", value: "false", usage: "let destinations of segments lead into private networks, and without TLS: `true or false`"},
		{name: "smtp-address", usage: "`host:port` of the mail server for destinations of kind email"},
		{name: "smtp-user", usage: "user at the mail server; its password is KINDRED_SMTP_PASSWORD"},
		{name: "smtp-security", value: "starttls", usage: "starttls, tls, or none for a mail server on this machine"},
		{name: "log-level", value: "warn", usage: "debug, info, warn or error"},
		{name: "log-format", value: "text", usage: "text or json"},
		{name: "api-keys", secret: true},
		{name: "id-key", secret: true},
		{name: "analyst-password", secret: true},
		{name: "smtp-password", secret: true},
	}
}

// notSettings are variables with the prefix that other programs of the project read.
var notSettings = []string{"KINDRED_REQUIRE_SERVICES", "KINDRED_TEST_COUNT", "KINDRED_TEST_SEED", "KINDRED_GEO_DATA", "KINDRED_IDENTITY_DATA", "KINDRED_BEHAVIOUR_DATA", "KINDRED_BENCH_ROWS", "KINDRED_TEST_SDK", "KINDRED_TEST_BINARY", "KINDRED_TEST_SCREENSHOT", "KINDRED_TEST_KAFKA", "KINDRED_KAFKA_LOG"}

func addSettings(flags *pflag.FlagSet) {
	for _, s := range settingList() {
		if !s.secret {
			flags.String(s.name, s.value, s.usage)
		}
	}
}

func variable(name string) string {
	return "KINDRED_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// settings is the effective configuration.
type settings struct {
	data, workspace                               string
	apiAddress, identityAddress                   string
	identityURLs                                  []string
	clickhousePort, clickhouseHTTPPort, kafkaPort int
	clickhouseURL, clickhouseLib                  string
	engineMemory                                  uint64 // bytes
	cacheMemory                                   int64  // bytes
	segmentRows                                   uint64 // of one definition
	kafkaBrokers                                  []string
	kafkaPartitions, kafkaReplication             int
	logLevel, logFormat                           string
	webhooks, traits, costs                       string
	normalise                                     normalize.Options
	apiKeys, idKey, analystPassword               string
	portOffset                                    int
	sessionTimeout                                time.Duration
	sourceBudget                                  int // events a second
	rateLimit                                     int // requests a second
	tlsCert, tlsKey                               string
	retention                                     privacy.Retention
	erasureWait                                   time.Duration
	activationAllowPrivate                        bool
	mail                                          *activation.MailConfig // nil: none
	roles                                         roleSet                // of `up`; nil: all
	faults                                        *faults                // of the chaos suite; nil everywhere else
}

// smtpTimeout bounds the handing over of one message.
const smtpTimeout = 30 * time.Second

// loadSettings merges flags, environment and file, in that order, and checks
// the result. It reports every fault at once.
func loadSettings(cmd *cobra.Command) (*settings, error) {
	values, err := mergeSettings(cmd.Flags(), os.Environ())
	if err != nil {
		return nil, err
	}
	var errs []error
	number := func(name string, low, high int) int {
		n, err := strconv.Atoi(values[name])
		if err != nil || n < low || n > high {
			errs = append(errs, fmt.Errorf("%s must be a number from %d to %d, not %q", name, low, high, values[name]))
		}
		return n
	}
	choice := func(name string, of ...string) string {
		if !slices.Contains(of, values[name]) {
			errs = append(errs, fmt.Errorf("%s must be one of %s, not %q", name, strings.Join(of, ", "), values[name]))
		}
		return values[name]
	}
	yes := func(name string) bool { return choice(name, "true", "false") == "true" }
	s := &settings{
		data: values["data"], workspace: values["workspace"],
		identityAddress: values["identity-address"], identityURLs: splitURLs(values["identity-urls"]),
		webhooks: values["webhooks"], traits: values["traits"], costs: values["costs"], clickhouseURL: values["clickhouse-url"], clickhouseLib: values["clickhouse-lib"],
		engineMemory:    uint64(number("engine-memory", 512, 1<<20)) << 20,
		segmentRows:     uint64(number("segment-rows", 0, math.MaxInt)),
		cacheMemory:     int64(number("cache-memory", 1, 1<<20)) << 20,
		kafkaPartitions: number("kafka-partitions", 1, 10_000), kafkaReplication: number("kafka-replication", 1, 100),
		logLevel: choice("log-level", "debug", "info", "warn", "error"), logFormat: choice("log-format", "text", "json"),
		apiKeys: values["api-keys"], idKey: values["id-key"], analystPassword: values["analyst-password"],
		portOffset: number("port-offset", 0, 60_000),
		normalise: normalize.Options{
			Region: values["phone-region"], StripPlusTags: yes("strip-plus-tags"), ProviderRules: yes("mail-provider-rules"),
		},
		erasureWait:            time.Duration(number("erasure-wait", 0, 86_400)) * time.Second,
		sourceBudget:           number("source-budget", 0, 100_000_000),
		rateLimit:              number("rate-limit", 0, 1_000_000),
		activationAllowPrivate: yes("activation-allow-private"),
		tlsCert:                values["tls-cert"],
		tlsKey:                 values["tls-key"],
		sessionTimeout:         time.Duration(number("kafka-session", 1, 300)) * time.Second,
	}
	if values["smtp-address"] != "" {
		s.mail = &activation.MailConfig{
			Address: values["smtp-address"], User: values["smtp-user"], Password: values["smtp-password"], Security: choice("smtp-security", activation.StartTLS, activation.TLS, activation.NoTLS), Timeout: smtpTimeout,
		}
		errs = append(errs, s.mail.Validate())
	}
	if s.retention, err = privacy.ParseRetention(values["retention"]); err != nil {
		errs = append(errs, err)
	}
	port := func(name string) int {
		n := number(name, 0, 65_535)
		if n != 0 {
			n += s.portOffset
		}
		if n > 65_535 {
			errs = append(errs, fmt.Errorf("%s plus port-offset is %d, over 65535", name, n))
		}
		return n
	}
	s.clickhousePort, s.clickhouseHTTPPort, s.kafkaPort = port("clickhouse-port"), port("clickhouse-http-port"), port("kafka-port")
	host, p, err := net.SplitHostPort(values["api-address"])
	if err != nil {
		errs = append(errs, fmt.Errorf("api-address must be host:port, not %q", values["api-address"]))
	} else if n, err := strconv.Atoi(p); err != nil || n < 0 || n+s.portOffset > 65_535 {
		errs = append(errs, fmt.Errorf("api-address has no usable port: %q", values["api-address"]))
	} else {
		if n != 0 {
			n += s.portOffset
		}
		s.apiAddress = net.JoinHostPort(host, strconv.Itoa(n))
	}
	if v := values["kafka-brokers"]; v != "" {
		for _, b := range strings.Split(v, ",") {
			b = strings.TrimSpace(b)
			if _, _, err := net.SplitHostPort(b); err != nil {
				errs = append(errs, fmt.Errorf("kafka-brokers: %q is not host:port", b))
			}
			s.kafkaBrokers = append(s.kafkaBrokers, b)
		}
	}
	if err := s.normalise.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("phone-%w", err))
	}
	if (s.tlsCert == "") != (s.tlsKey == "") {
		errs = append(errs, errors.New("tls-cert and tls-key go together"))
	}
	if s.data == "" {
		errs = append(errs, errors.New("data must name a folder"))
	}
	return s, errors.Join(errs...)
}

// mergeSettings returns the value of every setting by name.
func mergeSettings(flags *pflag.FlagSet, environ []string) (map[string]string, error) {
	env := map[string]string{}
	known := map[string]string{}
	for _, s := range settingList() {
		known[variable(s.name)] = s.name
	}
	var errs []error
	for _, kv := range environ {
		k, v, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(k, "KINDRED_") || slices.Contains(notSettings, k) {
			continue
		}
		name, ok := known[k]
		if !ok {
			errs = append(errs, fmt.Errorf("environment variable %s is not a setting of Kindred%s", k, suggest(k, known)))
			continue
		}
		env[name] = v
	}
	path := env["config"]
	if f := flags.Lookup("config"); f.Changed {
		path = f.Value.String()
	}
	file, err := readSettings(path)
	errs = append(errs, err)
	values := map[string]string{}
	for _, s := range settingList() {
		v := s.value
		if fv, ok := file[s.name]; ok {
			v = fv
		}
		if ev, ok := env[s.name]; ok {
			v = ev
		}
		if f := flags.Lookup(s.name); f != nil && f.Changed {
			v = f.Value.String()
		}
		values[s.name] = v
	}
	return values, errors.Join(errs...)
}

// readSettings reads the settings file.
func readSettings(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("settings file: %w", err)
	}
	var tree map[string]any
	if err := toml.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("settings file %s: %w", path, err)
	}
	known := map[string]string{}
	for _, s := range settingList() {
		known[s.name] = s.name
	}
	out := map[string]string{}
	var errs []error
	for k, v := range tree {
		if _, ok := known[k]; !ok || k == "config" {
			errs = append(errs, fmt.Errorf("settings file %s: unknown key %q%s", path, k, suggest(k, known)))
			continue
		}
		switch v := v.(type) {
		case string:
			out[k] = v
		case int64, bool:
			out[k] = fmt.Sprint(v)
		default:
			errs = append(errs, fmt.Errorf("settings file %s: key %q must be a string or a number", path, k))
		}
	}
	return out, errors.Join(errs...)
}

// suggest names the known key nearest to a wrong one, if one is near.
func suggest(wrong string, known map[string]string) string {
	best, score := "", 4
	for k := range known {
		if d := distance(wrong, k); d < score || d == score && best != "" && cmp.Less(k, best) {
			best, score = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// distance is the Levenshtein distance of two short names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
