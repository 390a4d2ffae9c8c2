package segments

import "github.com/kindred-cdp/kindred/profiles/lifecycle"

// End says which number of a score is compared.
type End string

// The ends of the interval of a score. The zero value is the score itself.
const (
	Lower End = "lower"
	Upper End = "upper"
)

// Stance is what stands of a person's statements for a purpose.
type Stance string

// The stances: exactly one of them holds for every profile, purpose and channel.
const (
	Granted Stance = "granted" // by some address at least
	Denied  Stance = "denied"  // stated, and granted by no address
	Unknown Stance = "unknown" // nothing was stated
)

// Consent tests what a profile has stated for a purpose.
type Consent struct {
	Purpose string
	// Channel restricts the statements to those of a channel and to those of all
	// channels; "" is any channel.
	Channel string
	Is      Stance
}

// Holdout tests the place of a profile in an order of all profiles that is random,
// and the same for ever. Equal names give the same order.
type Holdout struct {
	Name string
	// Percent bounds the place, from 0 to below 100 in steps of 0.01.
	Percent Comparison
}

// InSegment holds for profiles for which the definition of another segment holds.
// Resolve replaces it by that definition.
type InSegment struct{ ID string }

// MaxIDBytes is the greatest length of the id of a segment.
const MaxIDBytes = 64

// Household tests the number of profiles in a profile's household, itself
// included; 0 where it is in none.
type Household struct{ Profiles Comparison }

// Accounts tests the number of a profile's accounts that are of IDs and for whose
// traits all of Where hold. Null removes a trait of an account, as of a profile.
type Accounts struct {
	Count Comparison
	IDs   []string // any where it is empty
	Where []Trait
}

// InPersona holds for profiles of the persona with an id, such as "p3", by the model
// that stands.
type InPersona struct{ ID string }

// InStage holds for profiles in a stage of the lifecycle.
type InStage struct{ Stage lifecycle.Stage }

func (Consent) node()   {}
func (Holdout) node()   {}
func (InSegment) node() {}
func (Household) node() {}
func (Accounts) node()  {}
func (InPersona) node() {}
func (InStage) node()   {}
