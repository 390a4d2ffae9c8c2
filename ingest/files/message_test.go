package files

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kindred-cdp/kindred/ingest/wire"
)

// messagesOf imports lines and decodes the messages as strictly as ingest does.
func messagesOf(t *testing.T, content string, change func(*Config)) (all []wire.Message) {
	t.Helper()
	_, records := runImport(t, StringInput("f.csv", content), change)
	for _, r := range records {
		if reason := headerOf(r, wire.HeaderReject); reason != "" {
			t.Fatalf("rejected: %s", reason)
		}
		var m wire.Message
		d := json.NewDecoder(bytes.NewReader(r.Value))
		d.DisallowUnknownFields()
		if err := d.Decode(&m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func TestMessageOfAnInvoice(t *testing.T) {
	got := messagesOf(t, header+
		"536365,85123A,\"FRAME 7\"\" & <SINGLE> \",6,2010-12-01 08:27:00,2.55,17850.0,United Kingdom\n"+
		"536365,85123A,\"FRAME 7\"\" & <SINGLE> \",6,2010-12-01 08:27:00,2.55,17850.0,United Kingdom\n"+
		"536365,D,Discount,-1,2010-12-01 08:26:00,0.001,17850.0,United Kingdom\n", func(c *Config) { c.ShiftToNow = true })
	shift := Shift(time.Date(2010, 12, 1, 8, 27, 0, 0, time.UTC), testNow)
	item := wire.Item{ProductID: "85123A", Name: `FRAME 7" & <SINGLE> `, Quantity: "6", Price: "2.55"}
	country := json.RawMessage(`{"country":"United Kingdom"}`)
	want := []wire.Message{{
		ID: "invoice:536365", Name: "Order Completed", Source: "online-retail",
		Time:        time.Date(2010, 12, 1, 8, 26, 0, 0, time.UTC).Add(shift),
		Identifiers: []wire.Identifier{{Namespace: "user_id", Value: "17850"}},
		Traits:      country, Context: country,
		Transaction: &wire.Order{
			Type: "order", OrderID: "536365", Status: "completed", Currency: "GBP", Amount: "30.599",
			Items: []wire.Item{item, item, {ProductID: "D", Name: "Discount", Quantity: "-1", Price: "0.001"}},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestClasses(t *testing.T) {
	f := func(invoice, quantity, price, customer, wantType, wantName string) {
		t.Helper()
		got := messagesOf(t, header+invoice+",a,b,"+quantity+",2010-12-01 08:26:00,"+price+","+customer+",Unspecified\n", nil)
		if len(got) != 1 || got[0].Transaction.Type != wantType || got[0].Name != wantName {
			t.Errorf("%s %s × %s: %+v", invoice, quantity, price, got)
		}
		if known := len(got[0].Identifiers) > 0; known != (customer != "") {
			t.Errorf("customer %q: identifiers %v", customer, got[0].Identifiers)
		}
		if got[0].Traits != nil || got[0].Context != nil {
			t.Errorf("an unknown country became a trait")
		}
	}
	f("1", "1", "0.5", "7.0", "order", "Order Completed")
	f("1", "1", "0.5", "", "order", "Order Completed")
	f("1", "1", "0", "7", "adjustment", "Stock Adjusted")
	f("1", "-1", "1", "7", "adjustment", "Stock Adjusted")
	f("1", "-1", "-1", "7", "adjustment", "Stock Adjusted")
	f("C1", "-1", "1", "7", "refund", "Order Refunded")
	f("c1", "1", "1", "", "refund", "Order Refunded")
	f("A1", "1", "11062.06", "", "adjustment", "Stock Adjusted")
}

// TestGuestsStayApart: two guest invoices share nothing, not even a blank.
func TestGuestsStayApart(t *testing.T) {
	line := func(invoice, customer string) string {
		return invoice + ",a,b,1,2010-12-01 08:26:00,1," + customer + ",France\n"
	}
	for _, m := range messagesOf(t, header+line("1", "")+line("2", " ")+line("3", ""), nil) {
		if len(m.Identifiers) != 0 || m.Traits != nil {
			t.Errorf("guest order with %v and traits %s", m.Identifiers, m.Traits)
		}
	}
	got := messagesOf(t, header+line("1", "")+line("1", "17850.0"), nil)
	if len(got) != 1 || len(got[0].Identifiers) != 1 {
		t.Errorf("an invoice with one known line: %+v", got)
	}
}

// TestOtherEditions reads the layouts of the other editions of the data set.
func TestOtherEditions(t *testing.T) {
	f := func(name, content string) {
		t.Run(name, func(t *testing.T) {
			got := messagesOf(t, content, nil)
			if len(got) != 1 || got[0].ID != "invoice:489434" || got[0].Identifiers[0].Value != "13085" ||
				got[0].Transaction.Amount != "83.4" || !got[0].Time.Equal(time.Date(2009, 12, 1, 7, 45, 0, 0, time.UTC)) {
				t.Errorf("%+v", got)
			}
		})
	}
	f("second edition", "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"+
		"489434,85048,BALL,12,2009-12-01 07:45:00,6.95,13085.0,United Kingdom\n")
	f("American dates", header+"489434,85048,BALL,12,12/1/2009 7:45,6.95,13085,United Kingdom\n")
	f("byte order mark, other order, one more column", "\ufeffCountry,InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Note\r\n"+
		"United Kingdom,489434,85048,BALL,12,2009-12-01T07:45:00Z,6.950000,013085,x\r\n")
}

func TestCustomers(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and TestCrashesChangeNothing sees its goroutines")
	}
	asOf := testNow
	last := time.Date(2011, 12, 9, 12, 50, 0, 0, time.UTC)
	shift := Shift(last, asOf)
	customers, err := OnlineRetail{}.Customers(t.Context(), sampleInput(), asOf, shift)
	if err != nil {
		t.Fatal(err)
	}
	orders, buyers := 0, 0
	for _, c := range customers {
		orders += len(c.Orders)
		if len(c.Orders) > 0 {
			buyers++
		}
		for i, o := range c.Orders {
			if o.Time.After(last.Add(shift)) || i > 0 && o.Time.Before(c.Orders[i-1].Time) || len(o.Products) == 0 || len(o.Products) > maxProducts {
				t.Fatalf("customer %s order %+v", c.ID, o)
			}
		}
	}
	if len(customers) != 4_372 || orders != 18_532 || buyers != 4_338 {
		t.Errorf("%d customers, %d orders of %d", len(customers), orders, buyers)
	}
}

func TestConfigFaults(t *testing.T) {
	err := Config{}.Validate()
	for _, want := range []string{"input", "format", "folder", "batch", "message bound"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %q", err, want)
		}
	}
	if f, ok := FormatByName("online-retail"); !ok || f.Name() != "online-retail" {
		t.Error("the format online-retail is not found by its name")
	}
	if _, ok := FormatByName("xml"); ok {
		t.Error("an unknown format is found")
	}
}
