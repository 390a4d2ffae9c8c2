package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestArgumentsAreTold: a command that is given too few or too many arguments says how it is
// used, and the name of the group that scripts have for segments is taken as well.
func TestArgumentsAreTold(t *testing.T) {
	told := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, below := range c.Commands() {
			walk(below)
		}
		if !strings.Contains(c.Use, " ") || c.Args == nil {
			return
		}
		for _, args := range [][]string{nil, slices.Repeat([]string{"x"}, 50)} {
			if err := c.Args(c, args); err != nil {
				told++
				if !strings.Contains(err.Error(), c.CommandPath()) {
					t.Errorf("%s with %d arguments: %v", c.CommandPath(), len(args), err)
				}
			}
		}
	}
	walk(root())
	if told < 50 {
		t.Errorf("only %d refusals", told)
	}
	if c, _, err := root().Find([]string{"segment", "eval"}); err != nil || c.CommandPath() != "kindred segments eval" {
		t.Errorf("segment eval is %v, %v", c.CommandPath(), err)
	}
}
