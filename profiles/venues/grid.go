package venues

import "math"

// cell is a square of the grid, cellDegrees wide.
type cell struct{ lat, lon int32 }

const (
	cellDegrees  = .002 // 222 m from south to north
	cellsAround  = int32(360 / cellDegrees)
	metresDegree = 111_195 // of latitude, on a sphere of 6371 km
)

func cellOf(lat, lon float64) cell {
	return cell{int32(math.Floor(lat / cellDegrees)), wrap(int32(math.Floor(lon / cellDegrees)))}
}

// wrap brings a column to -180 … 180 degrees, so that cells meet at the antimeridian.
func wrap(lon int32) int32 {
	return (lon%cellsAround+cellsAround+cellsAround/2)%cellsAround - cellsAround/2
}

// around calls f for each venue of the cells that a circle touches, and for some
// outside of it.
func (m *Model) around(lat, lon, radius float64, f func(int32)) {
	rows := int32(radius/(metresDegree*cellDegrees)) + 1
	// Columns get narrow towards the poles; the bound keeps a fix at a pole from
	// looking at the whole circle, where there are no venues.
	narrow := max(math.Cos(lat*math.Pi/180), .02)
	columns := int32(radius/(metresDegree*cellDegrees*narrow)) + 1
	centre := cellOf(lat, lon)
	for y := -rows; y <= rows; y++ {
		for x := -columns; x <= columns; x++ {
			for _, i := range m.grid[cell{centre.lat + y, wrap(centre.lon + x)}] {
				f(i)
			}
		}
	}
}

// metres is the distance of two places that are near each other, on the plane
// that touches the Earth there: right to a tenth of a percent within 10 km.
func metres(lat1, lon1, lat2, lon2 float64) float64 {
	dx := math.Remainder(lon2-lon1, 360) * math.Cos((lat1+lat2)/2*math.Pi/180)
	return metresDegree * math.Hypot(lat2-lat1, dx)
}
