package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"

	"github.com/spf13/cobra"
)

// benchSettings are those of a fresh Kindred of some roles in a folder, on free ports;
// without a folder in one of its own, which clean removes.
func benchSettings(cmd *cobra.Command, dir string, set roleSet) (s *settings, clean func(), err error) {
	if s, err = loadSettings(cmd); err != nil {
		return nil, nil, err
	}
	s.roles = set
	s.data, clean = dir, func() {}
	if dir == "" {
		if s.data, err = os.MkdirTemp("", "kindred-bench-"); err != nil {
			return nil, nil, fmt.Errorf("make a folder: %w", err)
		}
		clean = func() { _ = os.RemoveAll(s.data) }
	}
	if s.clickhousePort, s.clickhouseHTTPPort, s.kafkaPort, err = threePorts(); err == nil {
		s.apiAddress = "127.0.0.1:0"
		_, err = developmentKeys(s)
	}
	if err != nil {
		clean()
		return nil, nil, err
	}
	return s, clean, nil
}

// threePorts finds ports that are free now. They lie below those that systems
// hand out by themselves, so that no connection or listener of another process
// takes one before it is used.
func threePorts() (a, b, c int, err error) {
	const first, count = 20_000, 10_000
	var ports []int
	for range count {
		port := first + rand.IntN(count)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue // somebody has it
		}
		defer func() { _ = l.Close() }()
		if ports = append(ports, port); len(ports) == 3 {
			return ports[0], ports[1], ports[2], nil
		}
	}
	return 0, 0, 0, errors.New("find a free port: all that were tried are taken")
}
