package rulefile

import "github.com/nyaruka/phonenumbers"

// knownRegion reports whether phone numbers of a region can be read.
func knownRegion(code string) bool { return phonenumbers.GetSupportedRegions()[code] }
