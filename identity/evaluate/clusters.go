package evaluate

import "slices"

// Score is a precision, a recall, and their harmonic mean. A precision or a
// recall over nothing is 1.
type Score struct {
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
}

func score(precision, recall float64) Score {
	s := Score{Precision: precision, Recall: recall}
	if precision+recall > 0 {
		s.F1 = 2 * precision * recall / (precision + recall)
	}
	return s
}

// Agreement says how well clusters agree with the truth.
type Agreement struct {
	// Pairs are of records in one cluster.
	Pairs       Score `json:"pairs"`
	TruePairs   int64 `json:"true_pairs"`
	FoundPairs  int64 `json:"found_pairs"`
	CommonPairs int64 `json:"common_pairs"`
	// BCubed averages over records: which share of its cluster is right, which
	// share of its true cluster was found.
	BCubed Score `json:"b_cubed"`
	// Exact counts clusters that are a true cluster to the record; Groups does
	// so among those of several records, which are the harder ones.
	Exact         Score `json:"exact_clusters"`
	TrueClusters  int64 `json:"true_clusters"`
	FoundClusters int64 `json:"found_clusters"`
	ExactClusters int64 `json:"common_clusters"`
	Groups        Score `json:"exact_groups"`
	TrueGroups    int64 `json:"true_groups"`
	FoundGroups   int64 `json:"found_groups"`
	ExactGroups   int64 `json:"common_groups"`
	// Records have a truth, and Clustered of them a cluster.
	Records   int64 `json:"records"`
	Clustered int64 `json:"clustered"`
}

// Missing is the cluster of a record that is in none.
const Missing int32 = -1

// cell is what a found and a true cluster have in common.
type cell struct {
	found, truth int32
	records      int64
}

// Compare scores clusters against the truth. Both give the cluster of each
// record, by any numbers from 0; negative ones are no cluster (see the package
// comment). It panics when they are not of the same length. Pairs are counted,
// never listed: the time is that of sorting the records.
func Compare(found, truth []int32) Agreement {
	if len(found) != len(truth) {
		panic("evaluate: clusters of another number of records than the truth")
	}
	cells, ofFound, ofTruth := tabulate(found, truth)
	var a Agreement
	var precision, recall float64
	for _, size := range ofTruth {
		a.Records += size
		a.TruePairs += size * (size - 1) / 2
		a.TrueGroups += several(size)
	}
	for _, size := range ofFound {
		a.Clustered += size
		a.FoundPairs += size * (size - 1) / 2
		a.FoundGroups += several(size)
	}
	for _, c := range cells {
		whole := float64(ofTruth[c.truth])
		if c.found < 0 {
			recall += float64(c.records) / whole // Each as if it stood alone.
			continue
		}
		a.CommonPairs += c.records * (c.records - 1) / 2
		both := float64(c.records) * float64(c.records)
		precision += both / float64(ofFound[c.found])
		recall += both / whole
		if c.records == ofFound[c.found] && c.records == ofTruth[c.truth] {
			a.ExactClusters++
			a.ExactGroups += several(c.records)
		}
	}
	a.TrueClusters, a.FoundClusters = int64(len(ofTruth)), int64(len(ofFound))
	a.Pairs = score(share(a.CommonPairs, a.FoundPairs), share(a.CommonPairs, a.TruePairs))
	a.BCubed = score(mean(precision, a.Clustered), mean(recall, a.Records))
	a.Exact = score(share(a.ExactClusters, a.FoundClusters), share(a.ExactClusters, a.TrueClusters))
	a.Groups = score(share(a.ExactGroups, a.FoundGroups), share(a.ExactGroups, a.TrueGroups))
	return a
}

// tabulate returns the cells in a fixed order, so that sums of fractions are the
// same every time, and the sizes of clusters, of records that have a truth.
func tabulate(found, truth []int32) (cells []cell, ofFound, ofTruth map[int32]int64) {
	ofFound, ofTruth = map[int32]int64{}, map[int32]int64{}
	keys := make([]int64, 0, len(truth))
	for i, t := range truth {
		if t < 0 {
			continue
		}
		f := max(found[i], Missing)
		ofTruth[t]++
		if f >= 0 {
			ofFound[f]++
		}
		keys = append(keys, int64(t)<<32|(int64(f)+1))
	}
	slices.Sort(keys)
	for i, k := range keys {
		if i == 0 || k != keys[i-1] {
			cells = append(cells, cell{found: int32(k&0xffffffff - 1), truth: int32(k >> 32)})
		}
		cells[len(cells)-1].records++
	}
	return cells, ofFound, ofTruth
}

func several(size int64) int64 {
	if size > 1 {
		return 1
	}
	return 0
}

func mean(sum float64, n int64) float64 {
	if n == 0 {
		return 1
	}
	return sum / float64(n)
}
