package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/deploy/embedded"
	"github.com/kindred-cdp/kindred/profiles/warehouse"
)

func doctorCommand() *cobra.Command {
	var fetch bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look at what Kindred needs on this machine, and say what to do",
		Long: `Look at the engine library, the data folder, memory, ports and, where they are
configured, the running ClickHouse and Kafka. Changes nothing, but for --fetch.

The embedded ClickHouse is one machine's: Replicated tables, ON CLUSTER and
CREATE USER need a ClickHouse server of your own (KINDRED_CLICKHOUSE_URL).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd)
			if err != nil {
				return err
			}
			if fetch && s.clickhouseURL == "" {
				u := newUI(os.Stderr, now)
				_, err := embedded.Library{Path: s.clickhouseLib}.Ensure(cmd.Context(), func(stage string, done, total int64) {
					u.progress("ClickHouse engine, "+stage, done, total, "MB")
				})
				if err != nil {
					return err
				}
			}
			return examine(cmd, s)
		},
	}
	cmd.Flags().BoolVar(&fetch, "fetch", false, "fetch the engine library if it is missing")
	return cmd
}

func examine(cmd *cobra.Command, s *settings) error {
	findings := inspect(cmd.Context(), s)
	bad := 0
	for _, f := range findings {
		mark := "ok"
		if !f.OK {
			mark = "!!"
			bad++
		}
		cmd.Printf("%s  %-20s %s\n", mark, f.Name, f.Detail)
		if !f.OK {
			cmd.Printf("    %-20s %s\n", "", f.Fix)
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d findings need attention", bad, len(findings))
	}
	return nil
}

// inspect looks at what these settings would use.
func inspect(ctx context.Context, s *settings) []embedded.Finding {
	lib := embedded.Library{Path: s.clickhouseLib}
	ch := embedded.DefaultClickHouseConfig()
	ch.DataDir, ch.TCPPort, ch.HTTPPort, ch.MemoryBytes = filepath.Join(s.data, "clickhouse"), s.clickhousePort, s.clickhouseHTTPPort, s.engineMemory
	kf := embedded.DefaultKafkaConfig()
	kf.DataDir, kf.Port = filepath.Join(s.data, "kafka"), s.kafkaPort
	out := []embedded.Finding{{Name: "version", OK: true, Detail: version + ", embedded ClickHouse " + embedded.LibraryVersion}}
	if s.clickhouseURL == "" && len(s.kafkaBrokers) == 0 {
		out = append(out, embedded.Check(ctx, lib, ch, kf)...)
	} else {
		if s.clickhouseURL == "" {
			out = append(out, embedded.CheckPlatform(lib), embedded.CheckLibrary(lib), embedded.CheckPort("clickhouse port", "127.0.0.1", s.clickhousePort))
		}
		out = append(out, embedded.CheckFolder("data folder", s.data, 512<<20))
	}
	if s.clickhouseURL != "" {
		out = append(out, inspectClickHouse(ctx, s))
	}
	for _, b := range s.kafkaBrokers {
		out = append(out, inspectBroker(ctx, b))
	}
	out = append(out, embedded.CheckCache(uint64(s.cacheMemory)))
	if host, port, err := net.SplitHostPort(s.apiAddress); err == nil {
		n, _ := strconv.Atoi(port)
		out = append(out, embedded.CheckPort("api port", host, n))
	}
	return out
}

func inspectClickHouse(ctx context.Context, s *settings) embedded.Finding {
	f := embedded.Finding{Name: "clickhouse"}
	cfg := warehouse.DefaultConfig()
	cfg.URL = s.clickhouseURL
	conn, err := warehouse.Open(ctx, cfg)
	if err != nil {
		f.Detail, f.Fix = err.Error(), "correct KINDRED_CLICKHOUSE_URL, or run `kindred migrate` where only the database is missing"
		return f
	}
	defer func() { _ = conn.Close() }()
	v, err := conn.ServerVersion()
	if err != nil {
		f.Detail, f.Fix = err.Error(), "check the server's log"
		return f
	}
	f.OK, f.Detail = true, fmt.Sprintf("%s answers, version %s", cfg.Address(), v.Version)
	return f
}

func inspectBroker(ctx context.Context, address string) embedded.Finding {
	d := net.Dialer{Timeout: 3 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return embedded.Finding{Name: "kafka", Detail: errors.Unwrap(err).Error(), Fix: "start Kafka at " + address + ", or correct KINDRED_KAFKA_BROKERS"}
	}
	_ = conn.Close()
	return embedded.Finding{Name: "kafka", OK: true, Detail: address + " answers"}
}
