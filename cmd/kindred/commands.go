package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/deploy/embedded"
	"github.com/kindred-cdp/kindred/deploy/sample"
	"github.com/kindred-cdp/kindred/ingest/files"
	"github.com/kindred-cdp/kindred/ingest/kafka"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

// version is set by the linker.
var version = "dev"

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the versions of Kindred and of its engine", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			cmd.Printf("kindred %s (%s %s/%s), embedded ClickHouse %s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, embedded.LibraryVersion)
		},
	}
}

func upCommand() *cobra.Command {
	var roleNames []string
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start Kindred with all its roles and stay up",
		Long: `Start every role (ingest, identity, worker, API) in one process tree. Without
KINDRED_CLICKHOUSE_URL and KINDRED_KAFKA_BROKERS it starts its own ClickHouse and
its own Kafka in the data folder, on loopback.

With --role the process has only the roles named, and waits for engines that
other processes run: api (HTTP), ingest, identity, worker, broker (the embedded
Kafka), clickhouse (the embedded ClickHouse). Several processes may have the
role ingest, and share the partitions; of several with the role identity one
works and the others stand by. On one machine they share --data; elsewhere they
also need the same KINDRED_ID_KEY.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return up(cmd, roleNames, nil)
		},
	}
	cmd.Flags().StringSliceVar(&roleNames, "role", nil, "`role` of this process, repeatable (default: all of them)")
	return cmd
}

// up is the command: the roles named, or all of them, until ctx ends. Faults are
// those of the chaos suite.
func up(cmd *cobra.Command, roleNames []string, f *faults) error {
	s, err := loadSettings(cmd)
	if err != nil {
		return err
	}
	if s.roles, err = parseRoles(roleNames); err != nil {
		return err
	}
	if err := s.checkRoles(); err != nil {
		return err
	}
	dev, err := developmentKeys(s)
	if err != nil {
		return err
	}
	s.faults = f
	u := newUI(os.Stderr, now)
	return withPlatform(cmd.Context(), s, u, func(ctx context.Context, p *platform) error {
		return runUp(ctx, p, func(a net.Addr) { u.say("%s", addresses(p, a, dev)) })
	})
}

// addresses tells where everything is, and which keys open it.
func addresses(p *platform, api net.Addr, dev bool) string {
	s := p.settings
	text := ""
	if api != nil {
		scheme := "http"
		if s.tlsCert != "" {
			scheme = "https"
		}
		text = fmt.Sprintf("API         %s://%s   (/docs, /openapi.json, /healthz, /readyz, /metrics)\n", scheme, api)
	}
	if s.roles != nil {
		text += fmt.Sprintf("Roles       %v\n", s.roles)
	}
	if s.clickhouseURL == "" && s.roles.has(roleClickHouse) {
		text += fmt.Sprintf("ClickHouse  127.0.0.1:%d native, http://127.0.0.1:%d HTTP, database kindred, read-only user analyst", s.clickhousePort, s.clickhouseHTTPPort)
		if s.analystPassword == devAnalyst {
			text += ", password " + devAnalyst
		}
		text += "\n"
	}
	if s.roles.needsKafka() {
		text += fmt.Sprintf("Kafka       %v\n", p.brokers)
	}
	if dev && api != nil {
		text += "Keys        write-dev, read-dev, admin-dev, marketer-dev: development keys, made because everything listens on loopback\n"
	}
	return text + "Press Ctrl-C to stop; the data stay in " + s.data
}

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the tables of ClickHouse to this version, and end", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd)
			if err != nil {
				return err
			}
			if s.clickhouseURL != "" {
				cfg := warehouse.DefaultConfig()
				cfg.URL = s.clickhouseURL
				err = warehouse.Migrate(cmd.Context(), cfg, now, newUI(os.Stderr, now).logger(s))
			} else {
				u := newUI(os.Stderr, now)
				p := &platform{settings: s, ui: u, log: u.logger(s)}
				if err := os.MkdirAll(s.data, 0o700); err != nil {
					return fmt.Errorf("data folder: %w; name another one with --data", err)
				}
				e := newEngines(cmd.Context())
				err = errors.Join(p.startClickHouse(cmd.Context(), e), e.stop())
			}
			if err == nil {
				cmd.Println("the tables are up to date")
			}
			return err
		},
	}
}

// withKafka runs body with a publisher to the Kafka of a running Kindred.
func withKafka(ctx context.Context, s *settings, body func(context.Context, files.Publisher) error) error {
	brokers := s.kafkaBrokers
	if len(brokers) == 0 {
		brokers = []string{fmt.Sprintf("127.0.0.1:%d", s.kafkaPort)}
	}
	if err := reachable(ctx, brokers); err != nil {
		return err
	}
	if err := ensureTopics(ctx, s, brokers); err != nil {
		return err
	}
	w := kafka.NewWriter(brokers)
	defer func() { _ = w.Close() }()
	return body(ctx, recordPublisher{w})
}

func sampleInput() files.Input {
	return files.StringInput(sample.OnlineRetailName, sample.OnlineRetail())
}

func printJSON(cmd *cobra.Command, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	cmd.SetOut(os.Stdout)
	cmd.Println(string(b))
	return nil
}
