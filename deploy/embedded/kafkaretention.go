package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The broker's own retention (retention.ms, retention.bytes) is switched off. It drops messages that nobody has read,
// and once it has dropped a partition's last message the broker forgets the end offset: after the next start it
// counts from 0 again, below the committed offsets, and consumers skip what follows. So the log is shortened from
// here: only up to what every group has committed, and never in the last segment.

// partition names one partition of a topic.
type partition struct {
	topic  string
	number int32
}

// segment is one file of a partition's log.
type segment struct {
	base int64 // Offset of its first message.
	size int64
}

// retain shortens logs that are too long, until ctx ends.
func (k *Kafka) retain(ctx context.Context, brokers []string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return fmt.Errorf("kafka retention client: %w", err)
	}
	defer client.Close()
	tick := time.NewTicker(k.cfg.RetentionInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := k.shorten(ctx, client); err != nil && ctx.Err() == nil {
			k.log.Warn("kafka retention, next try follows", "after", k.cfg.RetentionInterval, "error", err)
		}
	}
}

// shorten looks at all partitions once.
func (k *Kafka) shorten(ctx context.Context, client *kgo.Client) error {
	logs, err := readLogs(filepath.Join(k.cfg.DataDir, "partitions"))
	if err != nil {
		return err
	}
	long := map[partition][]segment{}
	for p, segments := range logs {
		if totalSize(segments) > k.cfg.RetentionBytes {
			long[p] = segments
		}
	}
	if len(long) == 0 {
		return nil
	}
	committed, err := committedOffsets(ctx, client)
	if err != nil {
		return err
	}
	for p, segments := range long {
		offset, ok := committed[p]
		if !ok {
			continue // Nobody has read it yet.
		}
		if start := newStart(segments, offset, k.cfg.RetentionBytes); start > segments[0].base {
			if err := deleteBefore(ctx, client, p, start); err != nil {
				return err
			}
			k.log.Info("kafka log shortened", "topic", p.topic, "partition", p.number, "start_offset", start)
		}
	}
	return nil
}

// newStart is the first offset to keep: whole segments go, oldest first, while the rest is larger than keep, all that
// goes is committed, and one segment stays.
func newStart(segments []segment, committed, keep int64) int64 {
	rest := totalSize(segments)
	i := 0
	for i+1 < len(segments) && rest > keep && segments[i+1].base <= committed {
		rest -= segments[i].size
		i++
	}
	return segments[i].base
}

func totalSize(segments []segment) int64 {
	var sum int64
	for _, s := range segments {
		sum += s.size
	}
	return sum
}

// readLogs lists the segments of all partitions in the broker's folder, in order of offset. A partition's folder is
// called topic-number, the topic path-escaped; a segment's file is called after its first offset.
func readLogs(folder string) (map[partition][]segment, error) {
	folders, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list kafka partitions: %w", err)
	}
	logs := map[partition][]segment{}
	for _, f := range folders {
		dash := strings.LastIndexByte(f.Name(), '-')
		if dash < 0 {
			continue
		}
		topic, err := url.PathUnescape(f.Name()[:dash])
		number, err2 := strconv.ParseInt(f.Name()[dash+1:], 10, 32)
		if err != nil || err2 != nil {
			continue
		}
		files, err := os.ReadDir(filepath.Join(folder, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("list kafka segments: %w", err)
		}
		segments := readSegments(files)
		if len(segments) > 0 {
			logs[partition{topic, int32(number)}] = segments
		}
	}
	return logs, nil
}

func readSegments(files []os.DirEntry) []segment {
	var segments []segment
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".dat")
		base, err := strconv.ParseInt(name, 10, 64)
		if !ok || err != nil {
			continue
		}
		if info, err := f.Info(); err == nil { // A segment that has just gone does not count.
			segments = append(segments, segment{base: base, size: info.Size()})
		}
	}
	slices.SortFunc(segments, func(a, b segment) int { return int(a.base - b.base) })
	return segments
}

// committedOffsets is, for each partition, the least offset that any group has committed there.
func committedOffsets(ctx context.Context, client *kgo.Client) (map[partition]int64, error) {
	groups, err := kmsg.NewPtrListGroupsRequest().RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("list consumer groups: %w", err)
	}
	if err := kerr.ErrorForCode(groups.ErrorCode); err != nil {
		return nil, fmt.Errorf("list consumer groups: %w", err)
	}
	request := kmsg.NewPtrOffsetFetchRequest()
	for _, g := range groups.Groups {
		one := kmsg.NewOffsetFetchRequestGroup()
		one.Group = g.Group
		request.Groups = append(request.Groups, one)
	}
	least := map[partition]int64{}
	if len(request.Groups) == 0 {
		return least, nil
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("fetch committed offsets: %w", err)
	}
	for _, g := range response.Groups {
		if err := kerr.ErrorForCode(g.ErrorCode); err != nil {
			return nil, fmt.Errorf("fetch committed offsets of group %s: %w", g.Group, err)
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, fmt.Errorf("fetch committed offsets of %s: %w", t.Topic, err)
				}
				key := partition{t.Topic, p.Partition}
				if old, ok := least[key]; p.Offset >= 0 && (!ok || p.Offset < old) {
					least[key] = p.Offset
				}
			}
		}
	}
	return least, nil
}

// deleteBefore has the broker drop the messages of a partition before offset.
func deleteBefore(ctx context.Context, client *kgo.Client, p partition, offset int64) error {
	part := kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Partition, part.Offset = p.number, offset
	topic := kmsg.NewDeleteRecordsRequestTopic()
	topic.Topic, topic.Partitions = p.topic, append(topic.Partitions, part)
	request := kmsg.NewPtrDeleteRecordsRequest()
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("shorten %s-%d: %w", p.topic, p.number, err)
	}
	for _, t := range response.Topics {
		for _, got := range t.Partitions {
			if err := kerr.ErrorForCode(got.ErrorCode); err != nil {
				return fmt.Errorf("shorten %s-%d: %w", p.topic, p.number, err)
			}
		}
	}
	return nil
}
