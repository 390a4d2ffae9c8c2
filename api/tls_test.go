package api_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// pair writes a new certificate, of a serial number, and its key.
func pair(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "kindred"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if path == "" {
			continue
		}
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		// A file system may tell times by the second only.
		if err := os.Chtimes(path, time.Time{}, time.Unix(1_700_000_000+serial, 0)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTLS serves a certificate, takes up a renewed one, and keeps the old one while
// the files do not fit.
func TestTLS(t *testing.T) {
	f := newFixture()
	dir := t.TempDir()
	f.cfg.TLSCert, f.cfg.TLSKey, f.cfg.Address = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), "127.0.0.1:0"
	var mu sync.Mutex
	now := noon
	f.now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	later := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	if err := f.server(t).Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "TLS certificate") {
		t.Fatalf("without the files it runs: %v", err)
	}
	f.metrics = newFixture().metrics
	pair(t, f.cfg.TLSCert, f.cfg.TLSKey, 1)
	s := f.server(t)
	ctx, cancel := context.WithCancel(context.Background())
	address, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- s.Run(ctx, func(a net.Addr) { address <- a.String() }) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	at := <-address
	serial := func() int64 {
		t.Helper()
		conn, err := tls.Dial("tcp", at, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("serves certificate %d", got)
	}
	pair(t, f.cfg.TLSCert, f.cfg.TLSKey, 2)
	if got := serial(); got != 1 {
		t.Errorf("looks at the files at every handshake: %d", got)
	}
	later(2 * time.Second)
	if got := serial(); got != 2 {
		t.Errorf("a renewed certificate is not served, but %d", got)
	}
	pair(t, f.cfg.TLSCert, "", 3) // Of another key.
	later(2 * time.Second)
	if got := serial(); got != 2 {
		t.Errorf("while the files do not fit, it serves %d", got)
	}
	pair(t, f.cfg.TLSCert, f.cfg.TLSKey, 4)
	later(2 * time.Second)
	if got := serial(); got != 4 {
		t.Errorf("once they fit, it serves %d", got)
	}
	if _, err := tls.Dial("tcp", at, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := client.Get("https://" + at + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	client.CloseIdleConnections()
	if got := answer.Header.Get("Strict-Transport-Security"); answer.StatusCode != 200 || got != "max-age=31536000" {
		t.Errorf("over TLS: %d, Strict-Transport-Security %q", answer.StatusCode, got)
	}
}
