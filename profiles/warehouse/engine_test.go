package warehouse_test

import (
	"context"
	"net/url"
	"os"
	"testing"

	"github.com/kindred-cdp/kindred/deploy/embedded"
	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

const analystPassword = "analyst-test"

// withEngine runs use against an engine of its own with its data in dir and
// the analyst's grants, and stops it: what the one shared engine of enginetest
// cannot show, a restart and another user.
func withEngine(t *testing.T, dir string, use func(cfg warehouse.Config)) {
	t.Helper()
	withEngineOf(t, dir, "", use)
}

// withEngineOf is withEngine with a password for Kindred's own user.
func withEngineOf(t *testing.T, dir, password string, use func(cfg warehouse.Config)) {
	t.Helper()
	library, err := enginetest.Library()
	if err != nil {
		if os.Getenv("KINDRED_REQUIRE_SERVICES") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := embedded.DefaultClickHouseConfig()
	cfg.Library, cfg.DataDir = library, dir
	cfg.TCPPort, cfg.HTTPPort = 0, 0
	cfg.Database, cfg.AdminPassword = "kindred", password
	cfg.AnalystPassword, cfg.AnalystGrants = analystPassword, warehouse.AnalystGrants("kindred")
	cfg.Command, cfg.Env = []string{self}, []string{"KINDRED_ENGINETEST_CHILD=1"}
	server, err := embedded.NewClickHouse(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- server.Run(ctx, func(dsn string) error { ready <- dsn; return nil }) }()
	select {
	case err := <-ended:
		cancel()
		t.Fatal(err)
	case dsn := <-ready:
		defer func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}()
		u, err := url.Parse(dsn)
		if err != nil {
			t.Fatal("address of the engine is no URL")
		}
		u.Path = "/kindred"
		c := warehouse.DefaultConfig()
		c.URL = u.String()
		use(c)
	}
}

// asAnalyst is cfg for the user analyst.
func asAnalyst(t *testing.T, cfg warehouse.Config) warehouse.Config {
	t.Helper()
	u, err := url.Parse(cfg.URL)
	if err != nil {
		t.Fatal("address of the engine is no URL")
	}
	u.User = url.UserPassword(embedded.AnalystUser, analystPassword)
	cfg.URL = u.String()
	return cfg
}
