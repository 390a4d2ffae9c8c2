package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kindred-cdp/kindred/deploy/embedded"
	"github.com/kindred-cdp/kindred/identity/normalize"
)

func merge(t *testing.T, args, environ []string) (map[string]string, error) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	addSettings(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return mergeSettings(flags, environ)
}

func TestFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kindred.toml")
	if err := os.WriteFile(path, []byte("kafka-port = 1\nclickhouse-port = 1\nworkspace = \"w1\"\nid-key = \"k\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := merge(t, []string{"--config", path, "--kafka-port", "3"}, []string{"KINDRED_KAFKA_PORT=2", "KINDRED_CLICKHOUSE_PORT=2", "OTHER=1"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"kafka-port": "3", "clickhouse-port": "2", "workspace": "w1", "id-key": "k", "data": "data"} {
		if v[name] != want {
			t.Errorf("%s = %q, want %q", name, v[name], want)
		}
	}
}

func TestUnknownSettingsAreErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kindred.toml")
	if err := os.WriteFile(path, []byte("kafka-prot = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := merge(t, []string{"--config", path}, []string{"KINDRED_KAFKA_BROKER=x"})
	for _, want := range []string{`unknown key "kafka-prot"; did you mean kafka-port?`, "KINDRED_KAFKA_BROKER is not a setting of Kindred; did you mean KINDRED_KAFKA_BROKERS?"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
}

// loadArgs loads the settings of a command line.
func loadArgs(t *testing.T, args ...string) (*settings, error) {
	t.Helper()
	cmd := &cobra.Command{}
	addSettings(cmd.Flags())
	if err := cmd.Flags().Parse(args); err != nil {
		t.Fatal(err)
	}
	return loadSettings(cmd)
}

func TestNormalisationIsChecked(t *testing.T) {
	load := func(args ...string) (*settings, error) { return loadArgs(t, args...) }
	s, err := load("--phone-region", "PT", "--mail-provider-rules", "true")
	if want := (normalize.Options{Region: "PT", ProviderRules: true}); err != nil || s.normalise != want {
		t.Errorf("%+v, %v", s, err)
	}
	_, err = load("--phone-region", "pt", "--strip-plus-tags", "yes")
	for _, want := range []string{`phone-region must be empty or an ISO 3166 code in capitals`, `strip-plus-tags must be one of true, false, not "yes"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
}

func TestDevelopmentKeysStayOnLoopback(t *testing.T) {
	s := &settings{apiAddress: "0.0.0.0:8080", workspace: "main"}
	if _, err := developmentKeys(s); err == nil || !strings.Contains(err.Error(), "KINDRED_API_KEYS") {
		t.Errorf("an open address without keys: %v", err)
	}
	s.apiKeys = "admin:main:admin-dev"
	if _, err := developmentKeys(s); err == nil {
		t.Error("development keys on an open address are accepted")
	}
	s = &settings{apiAddress: "127.0.0.1:8080", workspace: "shop"}
	if made, err := developmentKeys(s); err != nil || !made {
		t.Fatal(made, err)
	}
	keys, err := apiKeys(s.apiKeys)
	if err != nil || len(keys) != 4 || keys[0].Workspace != "shop" || keys[2].Role != "admin" {
		t.Errorf("keys %v, %v", keys, err)
	}
}

func TestAPIKeysAreChecked(t *testing.T) {
	for _, bad := range []string{"", "read", "read:main", "read:main:", "read::k", "root:main:k", "read:main:sha256=12", "read:main:a,,", "public:main:k", "public/:main:k"} {
		if _, err := apiKeys(bad); err == nil {
			t.Errorf("apiKeys(%q) succeeds", bad)
		}
	}
}

// TestPublicKeys: they write, and their sources are untrusted in their workspace
// alone.
func TestPublicKeys(t *testing.T) {
	const text = "write/shop:main:a, public/web:main:b,admin:main:c,public/app:other:sha256=" + "0011223344556677889900112233445566778899001122334455667788990011"
	keys, err := apiKeys(text)
	if err != nil || keys[1].Role != "write" || keys[1].Source != "web" || keys[1].Name != "public-2" {
		t.Fatalf("%+v, %v", keys, err)
	}
	rules := standingRules(text)
	for _, c := range []struct {
		workspace, source string
		trusted           bool
	}{
		{"main", "web", false},
		{"main", "shop", true},
		{"main", "http", true},
		{"main", "app", true},
		{"other", "app", false},
		{"other", "web", true},
		{"third", "web", true},
	} {
		if got := rules(c.workspace).Trusted(c.source); got != c.trusted {
			t.Errorf("%s of %s is trusted: %v", c.source, c.workspace, got)
		}
	}
}

// TestCacheMemory has the setting reach the configuration of the cache, and the doctor.
func TestCacheMemory(t *testing.T) {
	for text, want := range map[string]int64{"": 256 << 20, "1": 1 << 20, "0": 0, "-1": 0, "lots": 0} {
		args := []string{"--cache-memory", text}
		if text == "" {
			args = nil
		}
		s, err := loadArgs(t, args...)
		if want == 0 {
			if err == nil || !strings.Contains(err.Error(), "cache-memory must be a number from 1") {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := s.cacheConfig().MaxBytes; got != want {
			t.Errorf("%q: the cache may take %d bytes, want %d", text, got, want)
		}
		i := slices.IndexFunc(inspect(t.Context(), s), func(f embedded.Finding) bool { return f.Name == "profile cache" })
		if i < 0 {
			t.Error("the doctor does not tell of the cache")
		}
	}
}
