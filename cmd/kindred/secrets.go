package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/kindred-cdp/kindred/identity"
)

// identitySecret returns the installation's hash key: the setting, or the file
// in the data folder, made on first use. Losing it makes every stored key
// meaningless, so it is written durably before anything depends on it.
func identitySecret(s *settings) (secret identity.Secret, err error) {
	text := s.idKey
	path := filepath.Join(s.data, "id-key")
	if text == "" {
		raw, err := os.ReadFile(path)
		switch {
		case errors.Is(err, os.ErrNotExist):
			if _, err := rand.Read(secret[:]); err != nil {
				return secret, fmt.Errorf("make id key: %w", err)
			}
			err := createDurably(path, []byte(hex.EncodeToString(secret[:])+"\n"))
			if errors.Is(err, os.ErrExist) {
				return identitySecret(s) // Another process was first.
			}
			return secret, err
		case err != nil:
			return secret, fmt.Errorf("id key: %w", err)
		}
		text = strings.TrimSpace(string(raw))
	}
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(secret) {
		return secret, fmt.Errorf("the id key (KINDRED_ID_KEY or %s) must be %d hexadecimal digits", path, 2*len(secret))
	}
	copy(secret[:], raw)
	return secret, nil
}

// createDurably is writeDurably for a file that must not exist yet. Of several
// processes that create it at once one succeeds, and the others get an error
// that is os.ErrExist.
func createDurably(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	tmp := f.Name()
	if err := errors.Join(f.Close(), writeDurably(tmp, b)); err != nil {
		return err
	}
	return errors.Join(os.Link(tmp, path), os.Remove(tmp))
}

// writeDurably writes a file that only the owner reads, so that after a crash
// it is there whole or not at all.
func writeDurably(path string, b []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Development credentials, made only while everything listens on loopback.
const (
	devAPIKeys = "write:%[1]s:write-dev,read:%[1]s:read-dev,admin:%[1]s:admin-dev,marketer:%[1]s:marketer-dev"
	devAnalyst = "analyst-dev"
)

// developmentKeys fills in development credentials where none are configured,
// and refuses to where they could be reached from another machine.
func developmentKeys(s *settings) (made bool, err error) {
	if s.apiKeys == "" {
		if !loopback(s.apiAddress) {
			return false, fmt.Errorf("api-address %s is not loopback and no API keys are configured: set KINDRED_API_KEYS (role:workspace:key, …)", s.apiAddress)
		}
		s.apiKeys = fmt.Sprintf(devAPIKeys, s.workspace)
		made = true
	} else if !loopback(s.apiAddress) && strings.Contains(s.apiKeys, "-dev") {
		return false, fmt.Errorf("api-address %s is not loopback: replace the development keys in KINDRED_API_KEYS", s.apiAddress)
	}
	if s.analystPassword == "" {
		s.analystPassword = devAnalyst // The embedded ClickHouse listens on loopback only.
	}
	return made, nil
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
