package warehouse

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Config says where ClickHouse is and how to talk to it. The zero values of the
// numeric fields are not usable: start from DefaultConfig.
type Config struct {
	// URL is clickhouse://user:password@host:9000/database. Default
	// clickhouse://default@127.0.0.1:9000/kindred. Never log it: it holds a
	// password; use Address.
	URL string
	// TLS turns on TLS with the system's roots; the query parameter
	// secure=true of the URL does the same. Default false.
	TLS bool
	// Cluster is the name of the cluster in remote_servers. Empty, the
	// default, is a single server: plain engines, no ON CLUSTER.
	Cluster string
	// DialTimeout bounds one connection attempt. Default 5 s.
	DialTimeout time.Duration
	// ReadTimeout bounds the wait for the next packet of a reply. Default 5 min.
	ReadTimeout time.Duration
	// MaxConns is the size of the pool. Default 16.
	MaxConns int
	// MaxConnAge is the age at which a pooled connection is replaced. Default 1 h.
	MaxConnAge time.Duration
	// DictionaryUser and DictionaryPassword are the account with which the
	// server's dictionaries read their own tables. Default: those of the URL.
	DictionaryUser, DictionaryPassword string
}

// DefaultURL is where the embedded engine listens.
const DefaultURL = "clickhouse://default@127.0.0.1:9000/kindred"

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		URL:         DefaultURL,
		DialTimeout: 5 * time.Second,
		ReadTimeout: 5 * time.Minute,
		MaxConns:    16,
		MaxConnAge:  time.Hour,
	}
}

// Validate reports every fault of the configuration at once.
func (c Config) Validate() error {
	var errs []error
	if _, err := c.options(); err != nil {
		errs = append(errs, err)
	}
	if c.DialTimeout <= 0 || c.ReadTimeout <= 0 || c.MaxConnAge <= 0 {
		errs = append(errs, errors.New("clickhouse timeouts must be positive"))
	}
	if c.MaxConns < 1 {
		errs = append(errs, errors.New("clickhouse connection pool must hold at least one connection"))
	}
	if !isName(c.Cluster) && c.Cluster != "" {
		errs = append(errs, errors.New("clickhouse cluster name must be letters, digits and _"))
	}
	return errors.Join(errs...)
}

// Address returns host and port of the server, without credentials: what logs
// and messages may show.
func (c Config) Address() string {
	o, err := c.options()
	if err != nil {
		return "(unreadable address)"
	}
	return strings.Join(o.Addr, ",")
}

// Database returns the database of the URL, "kindred" when it names none.
func (c Config) Database() string {
	o, err := c.options()
	if err != nil {
		return ""
	}
	return o.Auth.Database
}

// options reads the URL. Its errors never repeat the URL, which may hold a
// password.
func (c Config) options() (*clickhouse.Options, error) {
	const shape = "clickhouse URL must have the form clickhouse://user:password@host:9000/database"
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || (u.Scheme != "clickhouse" && u.Scheme != "tcp") {
		return nil, errors.New(shape)
	}
	o, err := clickhouse.ParseDSN(c.URL)
	if err != nil {
		return nil, fmt.Errorf("%s, with known query parameters only", shape)
	}
	if o.Auth.Database == "" {
		o.Auth.Database = "kindred"
	}
	if !isName(o.Auth.Database) {
		return nil, errors.New("clickhouse database name must be letters, digits and _, not starting with a digit")
	}
	if c.TLS && o.TLS == nil {
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if o.Auth.Username == "" {
		o.Auth.Username = "default"
	}
	if !onLoopback(o.Addr) {
		o.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	}
	// A connection keeps its send buffer, which would otherwise hold a whole
	// block: flushed by the mebibyte it is as large as the largest column.
	o.MaxCompressionBuffer = 1 << 20
	// The server writes parameters into the text of a query before it logs it, in
	// system.query_log and in its own log: values of people. So the text is cut
	// behind the first words; id, tables, hash, time and memory remain. The query
	// parameter log_queries_cut_to_length of the URL overrules it.
	if o.Settings == nil {
		o.Settings = clickhouse.Settings{}
	}
	if _, said := o.Settings[loggedText]; !said {
		o.Settings[loggedText] = loggedBytes
	}
	o.DialTimeout, o.ReadTimeout = c.DialTimeout, c.ReadTimeout
	o.MaxOpenConns, o.MaxIdleConns = c.MaxConns, c.MaxConns
	o.ConnMaxLifetime = c.MaxConnAge
	return o, nil
}

const (
	loggedText  = "log_queries_cut_to_length"
	loggedBytes = 40
)

// onLoopback reports that no network lies between: compressing would only cost
// processor time on both ends, about 3 µs an event.
func onLoopback(addresses []string) bool {
	for _, a := range addresses {
		host, _, err := net.SplitHostPort(a)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return false
		}
	}
	return len(addresses) > 0
}

// isName reports a name that needs no quoting in SQL.
func isName(s string) bool {
	if s == "" || (s[0] >= '0' && s[0] <= '9') {
		return false
	}
	for _, r := range s {
		if r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return true
}
