package ingest

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// plan is the range of offsets, from inclusive to exclusive, that the owner of
// a partition is about to store, with the revision of the tracking plans that it
// holds its events against and the form in which it normalises identifiers: a
// successor that does the range again under the same token must come to the same
// verdicts and the same anchors, whatever plans and settings have become. It
// travels as the metadata of an offset commit.
type plan struct {
	from, to int64
	revision uint64 // 0 for no tracking plans
	// form names how identifiers are normalised; empty for without options.
	form string
	// born is when the broker took the first record of the range, Unix ms. It
	// tells the range from one of the same offsets in a log that was there
	// before, on a broker that has lost its disk: under one token the store would
	// ignore the later one.
	born int64
}

// String returns "plan from-to", with "@revision" when there are tracking plans,
// " by form" when there are options of normalisation, and " of born".
func (p plan) String() string {
	s := fmt.Sprintf("plan %d-%d", p.from, p.to)
	if p.revision > 0 {
		s += "@" + strconv.FormatUint(p.revision, 10)
	}
	if p.form != "" {
		s += " by " + p.form
	}
	if p.born != 0 {
		s += " of " + strconv.FormatInt(p.born, 10)
	}
	return s
}

// token is the insert token of the range: equal for every table and every
// owner that ever inserts it.
func (p plan) token(topic string, partition int) string {
	token := fmt.Sprintf("%s/%d/%d-%d", topic, partition, p.from, p.to)
	if p.born != 0 {
		token += "/" + strconv.FormatInt(p.born, 10)
	}
	return token
}

// parsePlan reads the metadata of an offset commit. Empty metadata is no plan;
// metadata that is not ours is an error, because going on without the plan
// could store a range twice.
func parsePlan(metadata string) (plan, bool, error) {
	if metadata == "" {
		return plan{}, false, nil
	}
	body, ok := strings.CutPrefix(metadata, "plan ")
	body, of, dated := strings.Cut(body, " of ")
	body, form, formed := strings.Cut(body, " by ")
	body, at, judged := strings.Cut(body, "@")
	from, to, ok2 := strings.Cut(body, "-")
	a, err1 := strconv.ParseInt(from, 10, 64)
	b, err2 := strconv.ParseInt(to, 10, 64)
	var revision uint64
	var err3 error
	if judged {
		revision, err3 = strconv.ParseUint(at, 10, 64)
	}
	var born int64
	var err4 error
	if dated {
		born, err4 = strconv.ParseInt(of, 10, 64)
	}
	if err := errors.Join(err1, err2, err3, err4); !ok || !ok2 || err != nil || a < 0 || b <= a || formed && !formName(form) {
		return plan{}, false, fmt.Errorf("offset metadata %.40q is not a plan", metadata)
	}
	return plan{from: a, to: b, revision: revision, form: form, born: born}, true, nil
}

// formName reports whether the name of a form fits into a plan.
func formName(s string) bool { return s != "" && !strings.ContainsAny(s, " @\n") }

// hash tells ranges of one partition apart, and is never 0.
func (p plan) hash() uint32 {
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%d-%d", p.from, p.to)
	return max(1, h.Sum32())
}
