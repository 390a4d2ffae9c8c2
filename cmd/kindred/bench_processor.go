package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// processor returns the processor seconds of this process and of its children,
// zeros where they are not known.
func processor() (own, engine float64) { return processorOf(children()) }

func processorOf(children []string) (own, engine float64) {
	for _, pid := range children {
		engine += secondsOf("/proc/" + pid + "/stat")
	}
	return secondsOf("/proc/self/stat"), engine
}

// settled waits until the engine has had little to do for three seconds, at most a
// minute: a start looks for work of all kinds at once.
func (b *bench) settled(ctx context.Context) error {
	const looks, atMost, little = 3, 60, .1 // seconds, and a share of a processor
	_, before := processor()
	quiet, looked := 0, 0
	return waitFor(ctx, time.Second, func() (bool, error) {
		_, engine := processor()
		if looked++; engine-before < little {
			quiet++
		} else {
			quiet = 0
		}
		before = engine
		return quiet > looks || looked > atMost, nil
	})
}

// usage is the processor time in seconds that the machine has given so far to whom.
type usage struct{ own, engine, idle, stolen float64 }

// watchUsage looks at the use of the processors once in each slowWindow until ctx ends.
func watchUsage(ctx context.Context) (windows []usage) {
	tick := time.NewTicker(slowWindow)
	defer tick.Stop()
	started := children() // To look for them takes longer than all else here.
	for {
		own, engine := processorOf(started)
		u := usage{own: own, engine: engine}
		raw, err := os.ReadFile("/proc/stat")
		if line, _, _ := strings.Cut(string(raw), "\n"); err == nil {
			if f := strings.Fields(line); len(f) > 8 {
				u.idle, u.stolen = (parsed(f[4])+parsed(f[5]))/perSecond, parsed(f[8])/perSecond
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

// perSecond is in what parts of a second Linux counts processor time.
const perSecond = 100

// secondsOf returns the processor time of a process.
func secondsOf(stat string) float64 {
	raw, err := os.ReadFile(stat)
	_, rest, _ := strings.Cut(string(raw), ") ") // The name may hold spaces.
	f := strings.Fields(rest)
	if err != nil || len(f) < 13 {
		return 0
	}
	return (parsed(f[11]) + parsed(f[12])) / perSecond
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

// shares says who had the processors in the worst windows.
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
	whole := float64(max(1, of)) * slowWindow.Seconds()
	return fmt.Sprintf("kindred %.1f processors, the engine %.1f, idle %.1f, stolen %.1f; they began at %s s",
		sum.own/whole, sum.engine/whole, sum.idle/whole, sum.stolen/whole, strings.Join(at, ", "))
}
