package rulefile

import (
	"maps"
	"slices"
)

// movedTable held how raw values are normalised. It is no rule of the ledger: an
// identifier is normalised once, where its event comes in, and evidence never
// changes, so another option in a new version of the rules could not be applied
// to the history by which that version is evaluated. The settings have it.
const movedTable = "normalise"

// movedKeys are the keys of the table, with the settings that took their place.
var movedKeys = map[string]string{
	"region": "phone-region", "strip_plus_tags": "strip-plus-tags", "provider_rules": "mail-provider-rules",
}

// moved reads the table. Rules that earlier releases stored say that nothing is
// to be done, and may go on doing so.
func (r *reader) moved(top table) {
	path := []string{movedTable}
	t := r.table(top[movedTable], path)
	for _, key := range slices.Sorted(maps.Keys(t)) {
		at := append(slices.Clone(path), key)
		setting, ok := movedKeys[key]
		switch v := t[key].value; {
		case !ok:
			r.fault(t[key], at, "is not a key of the rules"+suggest(key, slices.Sorted(maps.Keys(movedKeys))))
		case v != "" && v != false:
			r.fault(t[key], at, "is no rule: values are normalised when their events come in. Leave it out, and set "+
				setting+" in the settings of Kindred (kindred --help)")
		}
	}
}
