package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kindred-cdp/kindred/identity/evaluate"
	"github.com/kindred-cdp/kindred/identity/linkage"
	"github.com/kindred-cdp/kindred/identity/linkage/synthetic"
)

// linkageBench says what is measured.
type linkageBench struct {
	records, pairs, added int
	seed                  uint64
	json                  bool
}

func benchLinkageCommand() *cobra.Command {
	var o linkageBench
	cmd := &cobra.Command{
		Use:   "linkage",
		Short: "A million records of invented people: blocked, learnt from, compared, clustered; then one by one",
		Long: `Make records of people with known truth, link them as "kindred link" does, and
print how long each step took and how right the clusters are. Then put the
records into an index and add more, one at a time, each scored against all that
are stored. No engine is started.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return benchLinkage(cmd, o) },
	}
	cmd.Flags().IntVar(&o.records, "records", 1_000_000, "records that are linked")
	cmd.Flags().IntVar(&o.pairs, "pairs", 18, "pairs per record that blocking may propose, repeated ones counted")
	cmd.Flags().IntVar(&o.added, "added", 50_000, "records that are added one by one")
	cmd.Flags().Uint64Var(&o.seed, "seed", 1, "seed of the records")
	cmd.Flags().BoolVar(&o.json, "json", false, "print the figures as JSON on standard output")
	return cmd
}

// linkageFigures are what a run measured; times are in seconds where they say no
// other unit.
type linkageFigures struct {
	Records    int                `json:"records"`
	Candidates int64              `json:"candidate_pairs"`
	All        float64            `json:"seconds"`
	Steps      map[string]float64 `json:"steps_seconds"`
	// Busy is the time that all cores together worked for each step: on a shared
	// machine it says more than Steps.
	Busy map[string]float64 `json:"steps_processor_seconds"`
	// Processor is the time that all cores together worked for All.
	Processor float64 `json:"processor_seconds"`
	// Compared are the pairs that were compared, those from which rules are chosen
	// included; Levels is how many of them in a second, Scored is pairs compared
	// and weighed in a second.
	Compared  int64   `json:"compared_pairs"`
	Levels    float64 `json:"compared_pairs_per_second"`
	Scored    float64 `json:"pairs_per_second"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	// Peak is the memory of the process, the records that were made included.
	Peak     uint64  `json:"peak_resident_bytes"`
	Index    float64 `json:"index_records_per_second"`
	Stored   int     `json:"index_stored"`
	Added    float64 `json:"added_records_per_second"`
	AddedP50 float64 `json:"added_p50_ms"`
	AddedP99 float64 `json:"added_p99_ms"`
	AddedMax float64 `json:"added_max_ms"`
	// AddedBusy is what a processor works for an added record.
	AddedBusy float64 `json:"added_processor_ms"`
}

func benchLinkage(cmd *cobra.Command, o linkageBench) error {
	out := func(format string, args ...any) { _, _ = fmt.Fprintf(os.Stderr, format+"\n", args...) }
	watched, stop := context.WithCancel(cmd.Context())
	defer stop()
	b := &bench{}
	go b.watchMemory(watched)
	out("calibration: a core checks %.0f MB/s of JSON", calibrate())
	table, truth, err := synthetic.Generate(people(o.records+o.added, o.seed))
	if err != nil {
		return err
	}
	first := firstRecords(table, o.records)
	f := linkageFigures{Records: o.records}
	result, err := f.link(cmd, first, o)
	if err != nil {
		return err
	}
	q := evaluate.Compare(result.Clusters, truth[:o.records]).Pairs
	f.Precision, f.Recall, f.F1 = q.Precision, q.Recall, q.F1
	f.Peak = b.peak.Load()
	model := result.Model
	result = nil //nolint:ineffassign,wastedassign // its memory is free for the index
	debug.FreeOSMemory()
	if err := f.addOneByOne(model, table, o); err != nil {
		return err
	}
	f.print(out)
	if o.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(f)
	}
	return nil
}

// link measures linkage.
func (f *linkageFigures) link(cmd *cobra.Command, t *linkage.Table, o linkageBench) (*linkage.Result, error) {
	stopProfile, err := startProfile(cmd.Flag("profile").Value.String())
	if err != nil {
		return nil, err
	}
	defer stopProfile()
	begin, worked, busy := now(), processorTime(), busySteps{}
	r, err := linkage.Link(cmd.Context(), t, linkage.Options{Seed: 1, Budget: o.pairs * o.records, Clock: now, Progress: busy.begin})
	if err != nil {
		return nil, err
	}
	busy.begin("")
	f.All, f.Processor = now().Sub(begin).Seconds(), (processorTime() - worked).Seconds()
	f.Candidates, f.Compared, f.Steps, f.Busy = r.Model.Candidates, r.Compared, r.Seconds, busy.seconds
	f.Levels = float64(f.Compared) / f.Steps["compare"]
	f.Scored = 1 / (1/f.Levels + f.Steps["weigh"]/float64(f.Candidates))
	return r, nil
}

func people(records int, seed uint64) synthetic.Config {
	c := synthetic.Million()
	c.People = int(float64(c.People) * float64(records) / float64(c.Records))
	c.Records, c.Seed = records, seed
	return c
}

// firstRecords is a table of the first n records of another.
func firstRecords(t *linkage.Table, n int) *linkage.Table {
	part := &linkage.Table{Rows: n}
	for _, c := range t.Columns {
		c.Codes = c.Codes[:n]
		part.Columns = append(part.Columns, c)
	}
	return part
}

// addOneByOne fills an index with the linked records and adds the others.
func (f *linkageFigures) addOneByOne(model *linkage.Model, t *linkage.Table, o linkageBench) error {
	index, err := linkage.NewIndex(model)
	if err != nil {
		return err
	}
	var columns []*linkage.Column
	for _, name := range index.Columns() {
		at := slices.IndexFunc(t.Columns, func(c linkage.Column) bool { return c.Name == name })
		columns = append(columns, &t.Columns[at])
	}
	values := make([]string, len(columns))
	add := func(row int) error {
		for i, c := range columns {
			values[i] = c.Value(row)
		}
		_, _, err := index.Add(values)
		return err
	}
	begin := now()
	for row := range o.records {
		if err := add(row); err != nil {
			return err
		}
	}
	f.Index, f.Stored = float64(o.records)/now().Sub(begin).Seconds(), o.records
	took := make([]time.Duration, 0, o.added)
	begin, worked := now(), processorTime()
	for row := o.records; row < t.Rows; row++ {
		start := now()
		if err := add(row); err != nil {
			return err
		}
		took = append(took, now().Sub(start))
	}
	if len(took) == 0 {
		return nil
	}
	f.Added = float64(len(took)) / now().Sub(begin).Seconds()
	f.AddedBusy = (processorTime() - worked).Seconds() * 1000 / float64(len(took))
	f.addedTook(took)
	return nil
}

func (f *linkageFigures) addedTook(took []time.Duration) {
	slices.Sort(took)
	ms := func(share float64) float64 {
		return float64(took[min(int(share*float64(len(took))), len(took)-1)].Microseconds()) / 1000
	}
	f.AddedP50, f.AddedP99, f.AddedMax = ms(.5), ms(.99), ms(1)
}

// linkageWork are the steps of linkage by what they are for, in their order.
var linkageWork = []struct {
	name  string
	steps []string
}{
	{"reading", []string{"read values"}},
	{"blocking", []string{"choose rules", "block"}},
	{"comparing", []string{"compare"}},
	{"weighing", []string{"weigh"}},
	{"learning", []string{"sample", "learn", "learn again"}},
	{"clustering", []string{"persons", "cluster"}},
}

func (f *linkageFigures) print(out func(string, ...any)) {
	out("%d records, %d candidate pairs: %.1f s, %.1f s of processors; peak memory %d MiB, the records included", f.Records, f.Candidates, f.All, f.Processor, f.Peak>>20)
	for _, w := range linkageWork {
		sum, busy, parts := 0.0, 0.0, make([]string, len(w.steps))
		for i, step := range w.steps {
			sum, busy = sum+f.Steps[step], busy+f.Busy[step]
			parts[i] = fmt.Sprintf("%s %.2f", step, f.Steps[step])
		}
		out("  %-11s %6.2f s, %6.2f s of processors  (%s)", w.name, sum, busy, strings.Join(parts, ", "))
	}
	// The same as if a second were one of a processor, whatever else it does.
	levels := float64(f.Compared) / f.Busy["compare"]
	scored := 1 / (1/levels + f.Busy["weigh"]/float64(f.Candidates))
	out("%d pairs compared: %.2f M in a second, %.2f M in one of a processor; compared and weighed %.2f M and %.2f M",
		f.Compared, f.Levels/1e6, levels/1e6, f.Scored/1e6, scored/1e6)
	out("clusters: precision %.4f, recall %.4f, F1 %.4f", f.Precision, f.Recall, f.F1)
	out("index: filled at %.0f records a second; against %d stored %.0f a second, p50 %.2f ms, p99 %.2f ms, max %.0f ms, %.3f ms of a processor each",
		f.Index, f.Stored, f.Added, f.AddedP50, f.AddedP99, f.AddedMax, f.AddedBusy)
}

// busySteps notes how long all cores together work for each step.
type busySteps struct {
	seconds map[string]float64
	step    string
	at      time.Duration
}

// begin says what begins, and so what ends.
func (b *busySteps) begin(step string) {
	if b.seconds == nil {
		b.seconds = map[string]float64{}
	}
	at := processorTime()
	if b.step != "" {
		b.seconds[b.step] += (at - b.at).Seconds()
	}
	b.step, b.at = step, at
}

// processorTime is how long all cores together have worked for this process.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
