package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// checkOutputs refuses outputs that are one of the inputs, or the same file
// twice, before any work is done. Empty paths are outputs that nobody wants.
func checkOutputs(inputs, outputs []string) error {
	taken := map[string]string{}
	for _, in := range inputs {
		taken[realPath(in)] = "is an input: it would be overwritten"
	}
	for _, out := range outputs {
		if out == "" {
			continue
		}
		real := realPath(out)
		if why, ok := taken[real]; ok {
			return fmt.Errorf("output %s %s; name another file", out, why)
		}
		taken[real] = "is named for two outputs"
		if info, err := os.Stat(filepath.Dir(real)); err != nil || !info.IsDir() {
			return fmt.Errorf("output %s: there is no folder %s", out, filepath.Dir(out))
		}
		if info, err := os.Stat(real); err == nil && info.IsDir() {
			return fmt.Errorf("output %s is a folder", out)
		}
	}
	return nil
}

// realPath is the absolute path of a file behind all links, as far as it
// exists.
func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(folder, filepath.Base(path))
	}
	return path
}

// writeOutput writes a file whole or not at all: under another name beside it,
// which is then its own. A name that ends in .gz is compressed.
func writeOutput(path string, write func(io.Writer) error) error {
	path = realPath(path)
	f, err := os.OpenFile(fmt.Sprintf("%s.%d.part", path, os.Getpid()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	if err := errors.Join(fillOutput(f, strings.HasSuffix(path, ".gz"), write), f.Close()); err != nil {
		return fmt.Errorf("write output %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write output: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

func fillOutput(f *os.File, compressed bool, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, 1<<18)
	if !compressed {
		return errors.Join(write(b), b.Flush(), f.Sync())
	}
	z := gzip.NewWriter(b)
	return errors.Join(write(z), z.Close(), b.Flush(), f.Sync())
}
