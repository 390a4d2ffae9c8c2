package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The README shows the example queries as they are; TestExamples of
// profiles/warehouse runs them as the analyst.
func TestReadmeShowsTheExampleQueries(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("../../profiles/warehouse/examples/*.sql")
	if err != nil || len(names) < 5 {
		t.Fatalf("%d example queries, %v", len(names), err)
	}
	for _, name := range names {
		query, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(readme), "```sql\n"+strings.TrimSpace(string(query))+"\n```") {
			t.Errorf("README.md does not show %s as it is", filepath.Base(name))
		}
	}
}

// Every flag and command that the README names exists.
func TestReadmeNamesRealCommandsAndFlags(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	flags, commands := map[string]bool{"--fetch": true}, map[string]bool{}
	all := append(root().Commands(), root())
	for _, c := range root().Commands() {
		all = append(all, c.Commands()...)
	}
	for _, c := range all {
		commands[c.Name()] = true
		for _, word := range strings.Fields(c.Flags().FlagUsages() + c.PersistentFlags().FlagUsages() + " --help") {
			flags[strings.Trim(word, ",")] = true
		}
	}
	for _, m := range regexp.MustCompile("`(?:bin/)?kindred ([a-z]+)").FindAllStringSubmatch(string(readme), -1) {
		if !commands[m[1]] {
			t.Errorf("README.md names the command %q", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(string(readme), -1) {
		if !flags[m] {
			t.Errorf("README.md names the flag %q", m)
		}
	}
	for _, m := range regexp.MustCompile(`KINDRED_[A-Z_]+[A-Z]`).FindAllString(string(readme), -1) {
		known := slices.Contains(notSettings, m)
		for _, s := range settingList() {
			known = known || variable(s.name) == m
		}
		if !known {
			t.Errorf("README.md names the variable %q", m)
		}
	}
}
