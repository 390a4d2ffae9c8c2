package api

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// Config is the configuration of the HTTP server.
type Config struct {
	// Address is host:port to listen on. Default 127.0.0.1:8080. An address
	// that is not loopback needs Keys.
	Address string
	// Keys are the API keys that are accepted. Without any, only the open
	// routes (health, readiness, metrics, document) answer.
	Keys []Key
	// MaxBody is the greatest size of a request body in bytes. Default 1 MiB.
	MaxBody int64
	// MaxTracking is the greatest size of a body of the tracking API in bytes,
	// before and after it is inflated. Segment takes 500 KB, RudderStack 4000 KB.
	// Default 4 MiB.
	MaxTracking int64
	// MaxTrackingBytes is the greatest sum of such bodies in memory at a time;
	// beyond it calls are told to come again. Default 128 MiB.
	MaxTrackingBytes int64
	// MaxURL is the greatest length of the request target in bytes. Default 4096.
	MaxURL int
	// MaxHeader is the greatest size of the request head in bytes, beyond which
	// net/http answers 431 by itself. Default 16 KiB.
	MaxHeader int
	// ReadTimeout bounds reading one request. Default 15 s.
	ReadTimeout time.Duration
	// RequestTimeout bounds the work for one request. Default 20 s.
	RequestTimeout time.Duration
	// CommandWait bounds the wait for the outcome of a command to identity; after
	// it the answer is 202 with the command's id. Default 5 s.
	CommandWait time.Duration
	// ConsistencyWait bounds the wait of a read for the writes of its token; after
	// it the answer is 503. Default 10 s.
	ConsistencyWait time.Duration
	// DryRunTimeout bounds a dry run of rules, which reads all evidence. Default 5 min.
	DryRunTimeout time.Duration
	// IdleTimeout closes kept connections without requests. Default 2 min.
	IdleTimeout time.Duration
	// DrainTimeout bounds the wait for requests in flight at the end. Default 10 s.
	DrainTimeout time.Duration
	// RateLimit is how many requests a second one key may send, and RateBurst how
	// many at once, unless the key says otherwise. Defaults 0, which is no limit,
	// and 0, which is as many as a second brings.
	RateLimit float64
	RateBurst int
	// TLSCert and TLSKey are files in PEM with the certificate and its key. They
	// are read again when they change. Default none: plain HTTP.
	TLSCert, TLSKey string
	// CheckTimeout bounds each readiness check. Default 2 s.
	CheckTimeout time.Duration
	// CheckEvery is how long an outcome of the readiness checks is served to
	// further callers. Default 500 ms.
	CheckEvery time.Duration
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		Address:          "127.0.0.1:8080",
		MaxBody:          1 << 20,
		MaxTracking:      4 << 20,
		MaxTrackingBytes: 128 << 20,
		MaxURL:           4096,
		MaxHeader:        16 << 10,
		ReadTimeout:      15 * time.Second,
		RequestTimeout:   20 * time.Second,
		CommandWait:      5 * time.Second,
		ConsistencyWait:  10 * time.Second,
		DryRunTimeout:    5 * time.Minute,
		IdleTimeout:      2 * time.Minute,
		DrainTimeout:     10 * time.Second,
		CheckTimeout:     2 * time.Second,
		CheckEvery:       500 * time.Millisecond,
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var errs []error
	loopback, err := isLoopback(c.Address)
	switch {
	case err != nil:
		errs = append(errs, fmt.Errorf("api address %q: %w", c.Address, err))
	case !loopback && len(c.Keys) == 0:
		errs = append(errs, fmt.Errorf("api address %q is not loopback: configure API keys first", c.Address))
	}
	if c.MaxBody < 1 || c.MaxTracking < 1 || c.MaxTrackingBytes < c.MaxTracking || c.MaxURL < 64 || c.MaxHeader < c.MaxURL {
		errs = append(errs, errors.New("api limits: a body of 1 byte, a URL of 64 bytes and a head as long as the URL are the least"))
	}
	for _, d := range []time.Duration{c.ReadTimeout, c.RequestTimeout, c.CommandWait, c.ConsistencyWait, c.DryRunTimeout, c.IdleTimeout, c.DrainTimeout, c.CheckTimeout} {
		if d <= 0 {
			errs = append(errs, errors.New("api timeouts must be positive"))
			break
		}
	}
	if !(c.RateLimit >= 0) || c.RateBurst < 0 {
		errs = append(errs, errors.New("api rate limit and burst must not be negative"))
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		errs = append(errs, errors.New("api TLS needs both a certificate and its key"))
	}
	seen := map[[32]byte]bool{}
	for _, k := range c.Keys {
		if err := k.validate(); err != nil {
			errs = append(errs, err)
		}
		if seen[k.Hash] {
			errs = append(errs, fmt.Errorf("api key %q: the same secret is configured twice", k.Name))
		}
		seen[k.Hash] = true
	}
	return errors.Join(errs...)
}

// isLoopback reports whether only this machine can reach the address.
func isLoopback(address string) (bool, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false, errors.New("must have the form host:port")
	}
	if host == "localhost" {
		return true, nil
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback(), nil
}
