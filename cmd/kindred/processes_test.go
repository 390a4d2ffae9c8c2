package main

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kindred-cdp/kindred/identity"
)

func TestRoles(t *testing.T) {
	for _, c := range []struct {
		names            string
		has, hasNot      role
		clickhouse, want string // what must not be said, what must
		brokers          []string
		engines          bool
	}{
		{names: "", has: roleBroker},
		{names: "api,ingest", has: roleIngest, hasNot: roleBroker},
		{names: "broker", has: roleBroker, hasNot: roleIdentity, engines: true},
		{names: "broker,clickhouse", has: roleClickHouse, hasNot: roleWorker, engines: true},
		{names: "ingset", want: `role "ingset" does not exist`},
		{names: "broker", brokers: []string{"k:9092"}, want: "KINDRED_KAFKA_BROKERS names another one"},
		{names: "api,clickhouse", clickhouse: "clickhouse://c/k", want: "KINDRED_CLICKHOUSE_URL names another one"},
		{names: "api", clickhouse: "clickhouse://c/k", brokers: []string{"k:9092"}, has: roleAPI},
		{names: "", clickhouse: "clickhouse://c/k", brokers: []string{"k:9092"}, has: roleIdentity},
	} {
		t.Run(c.names, func(t *testing.T) {
			var names []string
			if c.names != "" {
				names = strings.Split(c.names, ",")
			}
			set, err := parseRoles(names)
			s := &settings{roles: set, kafkaBrokers: c.brokers, clickhouseURL: c.clickhouse}
			if err == nil {
				err = s.checkRoles()
			}
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Fatalf("error is %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !set.has(c.has) || c.hasNot != "" && set.has(c.hasNot) || set.enginesOnly() != c.engines {
				t.Errorf("set %v, engines only %v", set, set.enginesOnly())
			}
			if c.engines && set.needsKafka() != set.has(roleBroker) {
				t.Errorf("set %v needs Kafka: %v", set, set.needsKafka())
			}
		})
	}
}

// Processes that are started together on a new data folder agree on its key.
func TestProcessesAgreeOnTheIDKey(t *testing.T) {
	for range 20 {
		s := &settings{data: t.TempDir()}
		secrets := make([]identity.Secret, 8)
		var wg sync.WaitGroup
		for i := range secrets {
			wg.Go(func() {
				var err error
				if secrets[i], err = identitySecret(s); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, got := range secrets {
			if got != secrets[0] {
				t.Fatal("two processes have different keys")
			}
		}
		if left, err := filepath.Glob(filepath.Join(s.data, "*.*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// A run with enough rounds has every process killed and paused, and a kill at
// every step; the same seed gives the same rounds.
func TestChaosPlan(t *testing.T) {
	c := chaosConfig{rounds: 28}
	plan := c.plan(rand.New(rand.NewPCG(1, 1)))
	seen := map[string]bool{}
	for _, r := range plan {
		seen[r.action+" "+r.step+" "+strings.TrimRight(r.process, "-12")] = true
	}
	for _, step := range faultSteps() {
		if !seen["kill "+step+" ingest"] {
			t.Errorf("no kill %s", step)
		}
	}
	for _, p := range []string{"api", "ingest", "identity", "broker", "clickhouse"} {
		if !seen["kill  "+p] || !seen["stop  "+p] {
			t.Errorf("%s is not killed and paused", p)
		}
	}
	again := c.plan(rand.New(rand.NewPCG(1, 1)))
	for i := range plan {
		if plan[i] != again[i] {
			t.Fatalf("round %d is %v and then %v", i, plan[i], again[i])
		}
	}
}

func TestParseFaults(t *testing.T) {
	for _, text := range []string{"kill", "kill:after lunch:1", "pinch:after plan:1", "stop:after plan", "stop:after plan:x"} {
		if _, err := parseFaults(text, nil); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
	if _, err := parseFaults("", []string{"gravity"}); err == nil {
		t.Error("gravity can be switched off")
	}
	f, err := parseFaults("stop:after plan:2", []string{"token"})
	if err != nil || !f.isOff("token") || f.isOff("dedupe") || f.step != "after plan" {
		t.Errorf("%+v, %v", f, err)
	}
	var none *faults
	if none.clock(now) == nil || none.store(nil) != nil {
		t.Error("no faults change something")
	}
}
