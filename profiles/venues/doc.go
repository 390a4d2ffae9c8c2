// Package venues finds out at which venue of the catalogue a position fix was
// taken, and writes it to the table location_venues, which the view locations
// shows. It is a worker: it reads and writes ClickHouse, changes no event and
// no fact, and its answers can be thrown away and made again.
//
// # The answer
//
// Of the venues around a fix the most probable one is taken:
//
//	P(venue | fix) ∝ popularity(venue) × likelihood(fix | venue)
//
// The likelihood is that of a two-dimensional normal error whose radius of 68 %
// is the accuracy of the fix, measured from the rim of the venue where it has a
// radius. The popularity is how many fixes belong to the venue, by these same
// probabilities: expectation and maximisation in turn (Dempster, Laird, Rubin
// 1977), over at most Config.Sample fixes, those of the least message hash. It
// is therefore a function of the fixes as a set, whatever order they came in.
// A constant density stands for being nowhere in particular, so that a fix on
// the road gets no venue.
//
// A fix whose producer names the venue counts for the popularity and is not
// judged.
//
// The person's own earlier venues were tried as part of the prior. They gave
// half a point of accuracy on Gowalla, where a quarter of the check-ins repeat a
// venue, and would have made a profile of habits out of a table of places; so
// they are left out.
//
// # When
//
// New fixes get their venue within Config.Period. Every Config.Refresh, and
// when the venue table changes, the popularity is learned again and all fixes
// are judged again; only what changed is written.
package venues
