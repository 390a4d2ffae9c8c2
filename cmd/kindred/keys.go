package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-cdp/kindred/api"
	"github.com/kindred-cdp/kindred/identity"
)

// rolePublic is that of a write key in the hands of browsers and apps, where
// everybody can read it: whoever sends with it may claim anything, so that
// identity does not trust its source unless the rules do.
const rolePublic = "public"

// apiKeys reads role:workspace:key entries; a key may be given as sha256=HEX,
// and role/source names where the events come from that are sent with the key.
func apiKeys(text string) ([]api.Key, error) {
	var keys []api.Key
	for i, entry := range strings.Split(text, ",") {
		k, _, err := apiKey(i, strings.TrimSpace(entry))
		if err != nil {
			return nil, fmt.Errorf("KINDRED_API_KEYS: entry %d %w", i+1, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// apiKey reads one entry. Its errors never hold the key.
func apiKey(i int, entry string) (k api.Key, public bool, err error) {
	role, rest, _ := strings.Cut(entry, ":")
	workspace, secret, ok := strings.Cut(rest, ":")
	if !ok || secret == "" || workspace == "" {
		return k, false, fmt.Errorf("is not role:workspace:key")
	}
	role, source, named := strings.Cut(role, "/")
	if !named {
		source = defaultSource
	}
	k = api.Key{Name: fmt.Sprintf("%s-%d", role, i+1), Role: api.Role(role), Workspace: workspace, Source: source, Hash: api.HashSecret(secret)}
	if source == "" || len(source) > 100 {
		return k, false, fmt.Errorf("has a source that is not 1 to 100 bytes")
	}
	if public = role == rolePublic; public {
		k.Role = api.RoleWrite
		if !named {
			return k, false, fmt.Errorf("is public and names no source, as public/web:workspace:key does")
		}
	}
	if !slices.Contains(api.Roles(), k.Role) {
		return k, false, fmt.Errorf("has a role other than write, public, read, marketer and admin")
	}
	if digits, hashed := strings.CutPrefix(secret, "sha256="); hashed {
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) != sha256.Size {
			return k, false, fmt.Errorf("has no SHA-256 in 64 hexadecimal digits")
		}
		k.Hash = [sha256.Size]byte(b)
	}
	return k, public, nil
}

// standingRules returns the rules of each workspace that has declared none: the
// defaults, by which the sources of public keys are not trusted. Sources of other
// keys, of imports and of producers on Kafka are.
func standingRules(keys string) func(workspace string) *identity.Rules {
	public := map[string]map[string]bool{}
	for i, entry := range strings.Split(keys, ",") {
		k, isPublic, err := apiKey(i, strings.TrimSpace(entry))
		if err != nil || !isPublic {
			continue // The API says what is wrong with a key.
		}
		if public[k.Workspace] == nil {
			public[k.Workspace] = map[string]bool{}
		}
		public[k.Workspace][k.Source] = true
	}
	of := map[string]*identity.Rules{}
	for workspace, sources := range public {
		rules := identity.DefaultRules()
		rules.Untrusted = sources
		of[workspace] = rules
	}
	standard := identity.DefaultRules()
	return func(workspace string) *identity.Rules {
		if rules := of[workspace]; rules != nil {
			return rules
		}
		return standard
	}
}
