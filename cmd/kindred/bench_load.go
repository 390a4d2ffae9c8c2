package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// Busy people have busyEvents events each; they are numbered before the others.
const (
	busyPeople = 100
	busyEvents = 10_000
)

// stock is what a benchmark finds stored: events of people, and those of a few who
// have many.
type stock struct {
	Events uint64    `json:"events"`
	People uint64    `json:"people"`
	Busy   uint64    `json:"busy"` // events of the busy people
	Begin  time.Time `json:"begin"`
}

// newStock is of events that began a day ago.
func newStock(events, people, busy uint64) stock {
	return stock{Events: events, People: people, Busy: busy, Begin: now().Add(-24 * time.Hour).UTC()}
}

func (o stock) traffic() traffic { return traffic{people: o.People, begin: o.Begin, source: "bench"} }

// stockFile stands in a data folder that bench load has filled.
const stockFile = "bench.json"

var errStock = errors.New("no folder that bench load has filled to its end")

func readStock(dir string) (o stock, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, stockFile)) //nolint:gosec // The caller names its folder.
	if err == nil {
		err = json.Unmarshal(raw, &o)
	}
	if err != nil {
		return o, fmt.Errorf("%s: %w: %w", dir, errStock, err)
	}
	return o, nil
}

func benchLoadCommand() *cobra.Command {
	var events, people uint64
	var views bool
	cmd := &cobra.Command{
		Use:   "load DIR",
		Short: "Fill a new folder with what profiles and segments measure, for their --loaded",
		Long: `Fill a new folder with the events of a benchmark, resolved and with the views of all
their people, so that bench profiles and bench segments need not do it each time. What
they measure they also change: give each run a copy (cp -a).`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.Mkdir(args[0], 0o700); err != nil {
				return fmt.Errorf("make a folder: %w", err)
			}
			o := newStock(events, people, min(busyPeople*busyEvents, events))
			if err := runBenchIn(cmd, args[0], nil, o.produce, func(ctx context.Context, b *bench) error {
				if !views {
					_, err := b.drain(ctx, o.Events+o.Busy)
					return err
				}
				return o.wait(ctx, b)
			}); err != nil {
				return err
			}
			raw, err := json.Marshal(o)
			if err == nil {
				err = os.WriteFile(filepath.Join(args[0], stockFile), raw, 0o600)
			}
			if err != nil {
				return fmt.Errorf("write %s: %w", stockFile, err)
			}
			return nil
		},
	}
	cmd.Flags().Uint64Var(&events, "events", 10_000_000, "events to store")
	cmd.Flags().Uint64Var(&people, "people", 1_000_000, "people who caused them")
	cmd.Flags().BoolVar(&views, "views", true, "wait for the views, which whoever measures waits for otherwise")
	return cmd
}

// produce puts the events on their topic.
func (o stock) produce(ctx context.Context, b *bench) error {
	if err := b.preproduce(ctx, o.traffic(), o.Events); err != nil {
		return err
	}
	return b.preproduce(ctx, traffic{people: busyPeople, begin: o.Begin, source: "busy"}, o.Busy)
}

// wait waits until they are stored and resolved, and the views of their people made.
func (o stock) wait(ctx context.Context, b *bench) error {
	if _, err := b.drain(ctx, o.Events+o.Busy); err != nil {
		return err
	}
	return b.projected(ctx)
}

// loadedFlag adds --loaded to a command.
func loadedFlag(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "loaded", "", "measure on a `folder` that bench load has filled, and change it; --events and --people are its own")
}

// runOn measures on what a folder holds, or without one on a stock that is made before in
// a folder that is removed in the end. Settings are changed by prepare.
func runOn(cmd *cobra.Command, dir string, o stock, prepare func(*bench, stock), measure func(context.Context, *bench, stock) error) error {
	if dir != "" {
		var err error
		if o, err = readStock(dir); err != nil {
			return err
		}
	}
	return runBenchIn(cmd, dir, nil, func(ctx context.Context, b *bench) error {
		prepare(b, o)
		if dir != "" {
			b.out("loaded: %d events of %d people, the first of %s", o.Events+o.Busy, o.People, o.Begin.Format(time.RFC3339))
			return nil
		}
		return o.produce(ctx, b)
	}, func(ctx context.Context, b *bench) error {
		if dir == "" {
			if err := o.wait(ctx, b); err != nil {
				return err
			}
		} else if err := b.projected(ctx); err != nil {
			return err
		}
		if err := b.settled(ctx); err != nil {
			return err
		}
		return measure(ctx, b, o)
	})
}
