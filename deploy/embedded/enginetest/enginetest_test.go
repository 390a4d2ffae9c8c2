package enginetest

import (
	"context"
	"os"
	"testing"

	clickhouse "github.com/ClickHouse/clickhouse-go/v2"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestClickHouse(t *testing.T) {
	options, err := clickhouse.ParseDSN(ClickHouse(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var n uint64
	if err := conn.QueryRow(context.Background(), "SELECT count() FROM numbers(10)").Scan(&n); err != nil || n != 10 {
		t.Errorf("count = %d, %v; want 10", n, err)
	}
}
