package main

import (
	"os"
	"testing"

	"github.com/kindred-cdp/kindred/deploy/embedded"
	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
)

// runAsKindred makes the test binary behave as the program, so that tests run
// the real command with real processes.
const runAsKindred = "RUN_AS_KINDRED"

func TestMain(m *testing.M) {
	engine := len(os.Args) > 1 && os.Args[1] == embedded.EngineCommand
	if engine || os.Getenv(runAsKindred) == "1" {
		main()
		return
	}
	os.Exit(enginetest.Main(m))
}
