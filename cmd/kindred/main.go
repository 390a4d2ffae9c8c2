// Command kindred is the whole of Kindred in one binary: the demo, the server
// with all its roles, the importer, the simulator and the tools around them.
//
// This is the only package that imports everything; it wires by hand.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/deploy/embedded"
)

func main() {
	// The embedded ClickHouse runs in a child process of this same binary.
	if len(os.Args) > 1 && os.Args[1] == embedded.EngineCommand {
		os.Exit(embedded.EngineMain(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "kindred: "+err.Error())
		os.Exit(1)
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kindred",
		Short: "An open customer data platform with unified profile resolution",
		Long: `Kindred takes every trace a customer leaves through Kafka into ClickHouse,
resolves the traces into one profile per person, and serves profiles, segments
and values over HTTP and SQL.

Start with "kindred demo": real customers in a minute, nothing to set up.

Settings come from flags, then environment variables, then the file named by
--config. Each flag --some-name is KINDRED_SOME_NAME in the environment and
some-name in the file (TOML, one key a line). An unknown name is an error.
Secrets have no flag, so that they do not show in process lists:

  KINDRED_API_KEYS          id-key, api-keys and analyst-password in the file.
                            API keys as role:workspace:key, separated by commas;
                            role is write, public, read, marketer or admin; public
                            writes and is not trusted: keys in browsers and apps;
                            marketer reads masked values; instead of the key,
                            sha256=HEX of it. write/SOURCE names where the events
                            come from that are sent with the key (default http)
  KINDRED_ID_KEY            key of the identifier hashes, 32 hexadecimal digits
                            (default: made once in the data folder; never change it)
  KINDRED_ANALYST_PASSWORD  password of the read-only SQL user "analyst"`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	addSettings(cmd.PersistentFlags())
	cmd.AddCommand(demoCommand(), upCommand(), importCommand(), simulateCommand(), migrateCommand(), benchCommand(), doctorCommand(), identityCommand(), lettersCommand(), plansCommand(), segmentsCommand(), destinationsCommand(), modelsCommand(), keysCommand(), auditCommand(), linkFilesCommand(), lifetimeCommand(), propensityCommand(), versionCommand(), chaosCommand(), chaosProcessCommand())
	tellUse(cmd)
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w\nRun \"%s --help\" for the flags", err, c.CommandPath())
	})
	return cmd
}
