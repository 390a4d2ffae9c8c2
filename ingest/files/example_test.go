package files_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/kindred-cdp/kindred/ingest/files"
)

// printer is a broker that acknowledges everything.
type printer struct{}

func (printer) Publish(_ context.Context, topic string, records []files.Record) error {
	fmt.Println(len(records), "for", topic)
	return nil
}

// An import ends when every record was acknowledged.
func ExampleImporter_Run() {
	folder, err := os.MkdirTemp("", "state")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	cfg := files.DefaultConfig()
	cfg.StateFolder = folder
	cfg.Input = files.StringInput("orders.csv",
		"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"+
			"536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"+
			"536366,22633,HAND WARMER,6,2010-12-01 08:28:00,1.85,,United Kingdom\n"+
			"536367,84879,corrupt,six,2010-12-01 08:34:00,1.69,13047.0,United Kingdom\n")
	importer, err := files.New(cfg, files.Deps{Publisher: printer{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	sum, err := importer.Run(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sum.Orders.Known, "known,", sum.Orders.Guest, "guest,", sum.Rejected, "rejected, revenue", sum.Revenue)
	// Output:
	// 3 for kindred.transaction
	// 1 known, 1 guest, 1 rejected, revenue 15.3
}
