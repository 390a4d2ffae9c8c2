package rulefile

// Unserved returns a *Fault, joined, for each thing that a file declares and this
// release does not do by it yet: what would be accepted and change nothing must
// be refused. How raw values are read is fixed when they come in, and renaming
// alias events make an alias like any other.
func Unserved(f File) error {
	var fs faults
	refuse := func(key string, declared bool) {
		if declared {
			fs.add(key, "is not served by this release: leave it out")
		}
	}
	refuse("normalise.region", f.Normalise.Region != "")
	refuse("normalise.strip_plus_tags", f.Normalise.StripPlusTags)
	refuse("normalise.provider_rules", f.Normalise.ProviderRules)
	refuse("rename", len(f.Rename) > 0)
	return fs.join()
}
