package personas

import "errors"

// Config says how groups are found.
type Config struct {
	// Seed of the sample and of everything random. Default 1.
	Seed uint64
	// MinPersonas and MaxPersonas bound the number of groups. Default 2 and 10;
	// at most 10.
	MinPersonas, MaxPersonas int
	// MinRows is the least number of usable rows. Default 200.
	MinRows int
	// SampleRows is the number of rows that groups are found on; all rows are
	// assigned. Default 10 000.
	SampleRows int
	// Restarts of k-means, of which the tightest counts. Default 4.
	Restarts int
	// Bootstraps is the number of samples that stability is measured by. Default 20.
	Bootstraps int
	// Clip is how many spreads from the median a value may lie. Default 3.
	Clip float64
	// MinSilhouette is the least mean silhouette. Default 0.15.
	MinSilhouette float64
	// MinGain is by how much the silhouette must beat that of rows without
	// groups. Default 0.03.
	MinGain float64
	// MinStability is the least mean adjusted Rand index. Default 0.8.
	MinStability float64
	// MinShare is the least share of the rows in a group. Default 0.01.
	MinShare float64
	// MaxDrift is how far the centre of a persona may move between two models, in
	// radii of the group. Default 1.
	MaxDrift float64
}

// DefaultConfig returns the defaults that the fields name.
func DefaultConfig() Config {
	return Config{
		Seed: 1, MinPersonas: 2, MaxPersonas: 10, MinRows: 200, SampleRows: 10_000, Restarts: 4, Bootstraps: 20, Clip: 3,
		MinSilhouette: .15, MinGain: .03, MinStability: .8, MinShare: .01, MaxDrift: 1,
	}
}

// Validate reports every fault of the configuration.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, fault string) {
		if !ok {
			errs = append(errs, errors.New("personas: "+fault))
		}
	}
	check(c.MinPersonas >= 2 && c.MinPersonas <= c.MaxPersonas && c.MaxPersonas <= maxPersonas, "the number of personas must be 2 to 10")
	check(c.MinRows >= 10*c.MaxPersonas, "at least 10 rows for each persona are needed")
	check(c.SampleRows >= c.MinRows, "the sample must hold the least number of rows")
	check(c.Restarts >= 1 && c.Bootstraps >= 2, "restarts must be positive, and bootstraps 2 or more")
	check(c.Clip > 0 && c.MaxDrift > 0, "clip and drift must be positive")
	check(c.MinSilhouette >= 0 && c.MinSilhouette < 1 && c.MinGain >= 0 && c.MinGain < 1, "silhouette and gain must be in [0, 1)")
	check(c.MinStability > 0 && c.MinStability <= 1, "stability must be in (0, 1]")
	check(c.MinShare >= 0 && c.MinShare*float64(c.MaxPersonas) < 1, "the least share must leave room for all personas")
	return errors.Join(errs...)
}

// maxPersonas bounds the exact matching, which tries all subsets.
const maxPersonas = 10
