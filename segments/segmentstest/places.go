package segmentstest

import "github.com/kindred-cdp/kindred/segments"

// Places are where fixes of people are: none is at an edge of a place that a Maker asks
// for.
var Places = []segments.Point{{Lat: 38.7223, Lon: -9.1393}, {Lat: 38.7369, Lon: -9.1427}, {Lat: 38.6979, Lon: -9.4215}, {Lat: 41.1579, Lon: -8.6291}, {Lat: -33.8688, Lon: 151.2093}}

// Cells are cells of H3 of resolutions 5, 7, 8 and 9 with the Places that they hold.
var Cells = []struct {
	Cell  uint64
	Holds []segments.Point
}{{0x85393363fffffff, Places[:2]}, {0x873933676ffffff, Places[:1]}, {0x883933676dfffff, Places[:1]}, {0x89be0e35cbbffff, Places[4:]}}

func (m Maker) location() segments.Location {
	l := segments.Location{Within: m.within(), Period: m.period()}
	switch m.IntN(4) {
	case 0:
		l.Place.Cell = Cells[m.IntN(len(Cells))].Cell
	case 1:
		l.Place.Polygon = []segments.Point{{Lat: 38.7, Lon: -9.3}, {Lat: 38.8, Lon: -9.3}, {Lat: 38.75, Lon: -9.2}, {Lat: 38.8, Lon: -9.05}, {Lat: 38.7, Lon: -9.05}}
		if m.IntN(2) == 0 {
			l.Place.Polygon = []segments.Point{{Lat: 35, Lon: -10}, {Lat: 45, Lon: -10}, {Lat: 40, Lon: 0}}
		}
	default:
		l.Place.Center = Places[m.IntN(len(Places))]
		l.Place.Km = []float64{.1, 1, 5, 30, 400, 5000}[m.IntN(6)]
	}
	switch m.IntN(3) {
	case 0:
		l.Count = m.comparison(0, 1, 2)
	case 1:
		l.Minutes = m.comparison(0, 0, 60, 600)
	}
	return l
}
