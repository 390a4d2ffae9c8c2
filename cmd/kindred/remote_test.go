package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCommandsKnowTheCertificate: commands speak TLS with the server that has the
// certificate of the settings, whatever name it is for, and with no other.
func TestCommandsKnowTheCertificate(t *testing.T) {
	files := func() (cert, key string) {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"api.example.com"}, NotAfter: now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
			if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return cert, key
	}
	ours := &settings{}
	ours.tlsCert, ours.tlsKey = files()
	pair, err := tls.LoadX509KeyPair(ours.tlsCert, ours.tlsKey)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write([]byte("{}"))
	}))
	server.Config.ErrorLog = nil
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	defer server.Close()
	ask := func(s *settings) error {
		r, err := dialAPI(s, server.Listener.Addr().String(), "secret-key")
		if err != nil {
			t.Fatal(err)
		}
		return r.do(t.Context(), http.MethodGet, "/v1/keys", nil, &struct{}{})
	}
	if err := ask(ours); err != nil || asked != 1 {
		t.Errorf("with its own certificate: %v, asked %d times", err, asked)
	}
	theirs := &settings{}
	theirs.tlsCert, theirs.tlsKey = files()
	if err := ask(theirs); err == nil || !strings.Contains(err.Error(), "another certificate") || asked != 1 {
		t.Errorf("with another certificate: %v, asked %d times", err, asked)
	}
	if err := ask(&settings{}); err == nil {
		t.Error("without TLS the command succeeds")
	}
}
