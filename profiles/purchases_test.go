package profiles

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// TestPurchasesAreAFunctionOfTheSet sums up an order that is updated, refunded in
// parts and whole, cancelled and renewed things, in any order of the messages.
func TestPurchasesAreAFunctionOfTheSet(t *testing.T) {
	say := func(minute int, kind, id, status, amount string, lines ...Line) Transaction {
		return Transaction{
			Moment: Moment{Time: time.Date(2025, 1, 1, 0, minute, 0, 0, time.UTC), Message: fmt.Sprintf("%032x", minute)},
			Type:   kind, Source: "shop", OrderID: id, Status: status, Currency: "EUR", Amount: decimal.RequireFromString(amount), Lines: lines,
		}
	}
	line := func(product, quantity string) Line {
		return Line{Product: product, Name: product, Quantity: decimal.RequireFromString(quantity), Price: decimal.RequireFromString("10")}
	}
	messages := []Transaction{
		say(1, "order", "o1", "completed", "20", line("cup", "2")),
		say(9, "order", "o1", "completed", "30", line("cup", "3")), // Updated.
		say(2, "refund", "o1", "refunded", "-10", line("cup", "-1")),
		say(3, "refund", "o1", "refunded", "-10", line("cup", "1")),
		say(4, "order", "o2", "completed", "10", line("pen", "1")),
		say(5, "refund", "o2", "refunded", "-10"),
		say(6, "order", "o3", "Cancelled", "10", line("hat", "1")),
		say(7, "subscription", "s", "active", "10", line("news", "1")),
		say(8, "order", "", "completed", "10", line("", "1")),
		say(10, "order", "", "completed", "10", line("tea", "1")), // Without a number, each is an order.
		say(11, "subscription", "m", "active", "10", line("mag", "1")),
		say(12, "subscription", "m", "cancelled", "0", line("mag", "1")),
	}
	shuffle := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		shuffle.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		orders, products := Purchases(messages)
		if len(orders) != 1 || orders[0].Orders != 4 || orders[0].Refunds != 3 || orders[0].Revenue().String() != "50" || orders[0].FirstOrder.Minute() != 1 || orders[0].LastOrder.Minute() != 10 {
			t.Fatalf("orders %+v", orders)
		}
		var got []string
		for _, p := range products {
			got = append(got, fmt.Sprintf("%s %d %s %s %s %t %s", p.ID, p.Orders, p.Bought, p.Returned, p.Held, p.Subscribed, p.Spent["EUR"]))
		}
		if d := cmp.Diff([]string{"tea 1 1 0 1 false 10", "news 0 0 0 0 true 10", "pen 1 1 1 0 false 0", "cup 1 3 2 1 false 10"}, got); d != "" {
			t.Fatalf("products (-want +got):\n%s", d)
		}
	}
}
