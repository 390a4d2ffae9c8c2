package grouping

import (
	"os"
	"testing"

	"github.com/kindred-cdp/kindred/deploy/embedded/enginetest"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }
