package segments

import "time"

// Location tests the position fixes of a profile in a place: how many there are, or how
// long the longest stay was.
type Location struct {
	Place Place
	// Count must hold for the number of fixes; one or more when empty and Minutes is.
	Count Comparison
	// Minutes must hold for the length of the longest stay: from the first to the last
	// fix of a run of fixes in the place with none elsewhere between them. It is 0
	// without a fix there, and has no place beside Count.
	Minutes Comparison
	// Within and Period restrict the fixes, those elsewhere too, as in Event.
	Within time.Duration
	Period Period
}

// Place is one of three: a circle, where Km is more than 0; a polygon, where it has
// corners; or a cell of H3.
type Place struct {
	Center Point
	Km     float64 // radius; on a sphere of EarthKm
	// Polygon has its corners in order and no holes. Its sides are straight on a map
	// of degrees, and it does not cross the meridian of 180.
	Polygon []Point
	Cell    uint64
}

// Point is a position in degrees.
type Point struct{ Lat, Lon float64 }

// EarthKm is the mean radius of the earth, by which distances are worked out.
const EarthKm = 6371.0088

// Bounds of places.
const (
	MaxKm      = 5000
	MaxCorners = 100
)

// Recommendation tests the newest answer of a profile to the question of how likely it
// is to recommend, on the scale of 0 to 10. A profile without an answer fails.
type Recommendation struct {
	Group  Group
	Within time.Duration
}

// Group is who recommends how much.
type Group string

// The groups of the Net Promoter Score.
const (
	Promoter  Group = "promoter"  // 9 and 10
	Passive   Group = "passive"   // 7 and 8
	Detractor Group = "detractor" // 0 to 6
)

// Mood tests the average sentiment, of -1 to 1, of what a profile has said and what was
// scored. A profile of which nothing was scored fails.
type Mood struct {
	In     Medium // "" is any
	Is     Comparison
	Within time.Duration
}

// Medium is where something was said.
type Medium string

// The media. In social and support only what customers say counts.
const (
	Social   Medium = "social"
	Support  Medium = "support"
	Feedback Medium = "feedback"
)

func (Location) node()       {}
func (Recommendation) node() {}
func (Mood) node()           {}
