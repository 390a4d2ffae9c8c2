package linkage

// Result is what Link found.
type Result struct {
	// Clusters holds for each record the least record of its cluster.
	Clusters []int32
}

// resolve weighs the candidates and clusters them.
func (l *linker) resolve() (*Result, error) {
	if devHook != nil {
		devHook(l)
	}
	l.debug("first")
	person := l.cluster(6)
	l.fit(person)
	l.debug("second")
	return &Result{Clusters: l.cluster(0)}, nil
}

// cluster joins records whose average weight is at least threshold.
func (l *linker) cluster(threshold float64) []int32 {
	return l.clusterWith(threshold-leniency, threshold)
}

var devHook func(*linker)

func (l *linker) clusterWith(threshold, average float64) []int32 {
	w := newWeigher(l.corpus, l.learnt.model, l.chance)
	var edges []edge
	for _, part := range l.candidates {
		for i := range part {
			c := &part[i]
			if weight := w.weight(c.a, c.b, c.pattern); weight >= threshold {
				edges = append(edges, edge{c.a, c.b, weight})
			}
		}
	}
	cluster := newUnionFind(l.corpus.rows)
	cmp := l.comparers[0]
	for _, set := range components(l.corpus.rows, edges) {
		joined := agglomerate(len(set), func(i, j int) float64 {
			a, b := set[i], set[j]
			return w.weight(a, b, cmp.compare(int(a), int(b)))
		}, average)
		for i, first := range joined {
			cluster.union(set[first], set[i])
		}
	}
	for i := range cluster {
		cluster[i] = cluster.find(int32(i))
	}
	return cluster
}
