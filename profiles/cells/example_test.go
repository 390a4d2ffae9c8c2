package cells_test

import (
	"fmt"
	"time"

	"github.com/kindred-cdp/kindred/profiles/cells"
)

// Of a column of dates, one decides how all are read.
func ExampleOrderOf() {
	order, err := cells.OrderOf([]string{"1/2/2011", "12/31/2011"})
	day, _ := cells.Date("1/2/2011", order)
	fmt.Println(order, err, day.Format(time.DateOnly))
	// Output: mdy <nil> 2011-01-02
}
