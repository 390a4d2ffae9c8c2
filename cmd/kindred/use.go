package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// misuse is an error about the arguments of a command that says how it is used.
type misuse struct{ error }

// tellUse has all commands below cmd that take arguments say which, when there are too few
// or too many: what cobra says is their number.
func tellUse(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		tellUse(c)
		check := c.Args
		name, arguments, _ := strings.Cut(c.Use, " ")
		if check == nil || arguments == "" {
			continue
		}
		c.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if said := (misuse{}); err == nil || errors.As(err, &said) {
				return err
			}
			return misuse{fmt.Errorf("%s is used as: %s %s; arguments given: %d", name, cmd.CommandPath(), arguments, len(args))}
		}
	}
}

// needs is cobra's check of the number of arguments, in words that say what they
// are; with most 0 there may be any number from least on.
func needs(least, most int, what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && (most == 0 || len(args) <= most) {
			return nil
		}
		return misuse{fmt.Errorf("%s needs %s, and was given %d, as in: kindred identity %s", cmd.Name(), what, len(args), example)}
	}
}
