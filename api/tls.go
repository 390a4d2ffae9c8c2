package api

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate serves a certificate from files and reads them again when they
// change, so that a renewed one needs no restart. It is safe for concurrent use.
type certificate struct {
	cert, key string
	now       func() time.Time
	log       *slog.Logger

	mu      sync.Mutex // Protects the fields below.
	current *tls.Certificate
	stamps  [2]stamp
	looked  time.Time
}

// stamp tells whether a file is another one than before.
type stamp struct {
	changed time.Time
	size    int64
}

// certificateLook is how often the files are looked at, and at most by a handshake.
const certificateLook = time.Second

// newCertificate reads the files for the first time.
func newCertificate(cert, key string, now func() time.Time, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, now: now, log: log}
	var err error
	if c.stamps, err = c.stamp(); err != nil {
		return nil, err
	}
	if c.current, err = c.read(); err != nil {
		return nil, err
	}
	c.looked = now()
	return c, nil
}

func (c *certificate) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, fmt.Errorf("read the TLS certificate: %w", err)
	}
	return &pair, nil
}

func (c *certificate) stamp() (s [2]stamp, err error) {
	for i, path := range []string{c.cert, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return s, fmt.Errorf("read the TLS certificate: %w", err)
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}

// get implements tls.Config.GetCertificate. While the new files are not a pair yet,
// because one is written before the other, the old pair is served.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.looked) < certificateLook {
		return c.current, nil
	}
	c.looked = now
	stamps, err := c.stamp()
	if err == nil && stamps == c.stamps {
		return c.current, nil
	}
	if err == nil {
		var next *tls.Certificate
		if next, err = c.read(); err == nil {
			c.current, c.stamps = next, stamps
			c.log.Info("TLS certificate was read again")
		}
	}
	if err != nil {
		c.log.Warn("TLS certificate has changed and cannot be read; the one before is served", "error", err)
	}
	return c.current, nil
}

// tlsConfig returns the configuration of the listener, nil without a certificate.
func (s *Server) tlsConfig() (*tls.Config, error) {
	if s.cfg.TLSCert == "" {
		return nil, nil
	}
	c, err := newCertificate(s.cfg.TLSCert, s.cfg.TLSKey, s.deps.Now, s.log)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}, nil
}
