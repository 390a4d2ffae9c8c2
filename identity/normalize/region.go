package normalize

import "github.com/nyaruka/phonenumbers"

// KnownRegion reports whether phone numbers of a region, an ISO 3166 code in
// capitals, can be read.
func KnownRegion(code string) bool { return phonenumbers.GetSupportedRegions()[code] }
