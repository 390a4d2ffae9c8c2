package venues_test

import (
	"fmt"

	"github.com/kindred-cdp/kindred/profiles/venues"
)

// Between two venues the one with more visits wins, though the other is nearer.
func ExampleModel_Assign() {
	m := venues.NewModel(venues.DefaultConfig(), []venues.Venue{{ID: "kiosk", Lat: 38.72, Lon: -9.14}, {ID: "station", Lat: 38.7204, Lon: -9.14}})
	visits := make([]venues.Fix, 50)
	for i := range visits {
		visits[i] = venues.Fix{Lat: 38.7204, Lon: -9.14, Accuracy: 10}
	}
	m.Learn(visits)
	venue, probability := m.Assign(venues.Fix{Lat: 38.72018, Lon: -9.14, Accuracy: 30})
	fmt.Println(venue, probability > .9)
	// Output: station true
}
