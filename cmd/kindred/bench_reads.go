package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// latency is of one read: when it was due after the start, and how long after that it
// was answered.
type latency struct{ due, took time.Duration }

// slowWindow is within which slow reads count as held up together.
const slowWindow = 50 * time.Millisecond

// slow tells pauses from queues: in how many windows the slowest hundredth of the reads
// was due, of how many, and how many of these in the ten worst, which come first.
func (l *readLoad) slow() (in, of, worst, n int, which []time.Duration) {
	_ = l.quantile(1) // Sorts.
	slowest := l.latencies[len(l.latencies)*99/100:]
	byWindow := map[time.Duration]int{}
	var last time.Duration
	for _, one := range l.latencies {
		last = max(last, one.due/slowWindow)
	}
	for _, one := range slowest {
		byWindow[one.due/slowWindow]++
	}
	which = slices.SortedFunc(maps.Keys(byWindow), func(a, b time.Duration) int {
		return cmp.Or(cmp.Compare(byWindow[b], byWindow[a]), cmp.Compare(a, b))
	})
	which = which[:min(10, len(which))]
	for _, w := range which {
		worst += byWindow[w]
	}
	return len(byWindow), int(last) + 1, worst, len(slowest), which
}

// usage is the processor time in hundredths of a second that the machine has given so far
// to whom.
type usage struct{ own, engine, idle, stolen float64 }

// watchUsage looks at the use of the processors once in each slowWindow until ctx ends.
func watchUsage(ctx context.Context) (windows []usage) {
	self, engine := "/proc/self/stat", ""
	for _, pid := range children() {
		engine = "/proc/" + pid + "/stat"
	}
	tick := time.NewTicker(slowWindow)
	defer tick.Stop()
	for {
		u := usage{own: ticksOf(self), engine: ticksOf(engine)}
		raw, err := os.ReadFile("/proc/stat")
		if line, _, _ := strings.Cut(string(raw), "\n"); err == nil {
			if f := strings.Fields(line); len(f) > 8 {
				u.idle, u.stolen = parsed(f[4])+parsed(f[5]), parsed(f[8])
			}
		}
		windows = append(windows, u)
		select {
		case <-ctx.Done():
			return windows
		case <-tick.C:
		}
	}
}

func parsed(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64) // What is no number counts nothing.
	return f
}

// ticksOf returns the processor time of a process in hundredths of a second.
func ticksOf(stat string) float64 {
	raw, err := os.ReadFile(stat)
	_, rest, _ := strings.Cut(string(raw), ") ") // The name may hold spaces.
	f := strings.Fields(rest)
	if err != nil || len(f) < 13 {
		return 0
	}
	return parsed(f[11]) + parsed(f[12])
}

// children returns the processes that this one has started: whichever thread began them.
func children() (pids []string) {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, path := range lists {
		if raw, err := os.ReadFile(path); err == nil {
			pids = append(pids, strings.Fields(string(raw))...)
		}
	}
	return pids
}

// shares says who had the processors in the worst windows and the one after each.
func shares(worst []time.Duration, windows []usage) string {
	if len(windows) < 2 {
		return "not known"
	}
	sum, of, at := usage{}, 0, []string{}
	for _, w := range worst {
		at = append(at, fmt.Sprintf("%.1f", (w*slowWindow).Seconds()))
		if i := int(w); i+1 < len(windows) {
			a, b := windows[i], windows[i+1]
			sum.own, sum.engine = sum.own+b.own-a.own, sum.engine+b.engine-a.engine
			sum.idle, sum.stolen = sum.idle+b.idle-a.idle, sum.stolen+b.stolen-a.stolen
			of++
		}
	}
	whole := float64(max(1, of)) * slowWindow.Seconds() * 100
	return fmt.Sprintf("kindred %.1f processors, the engine %.1f, idle %.1f, stolen %.1f; they began at %s s",
		sum.own/whole, sum.engine/whole, sum.idle/whole, sum.stolen/whole, strings.Join(at, ", "))
}
