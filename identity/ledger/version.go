package ledger

import (
	"encoding/json"
	"fmt"
)

// version is a position in the rows that the owners of a ledger write, one
// after the other.
type version struct {
	Epoch    uint64 `json:"epoch"`
	Sequence uint64 `json:"sequence"`
}

func (v version) after(o version) bool {
	return v.Epoch > o.Epoch || v.Epoch == o.Epoch && v.Sequence > o.Sequence
}

// mark is what an owner leaves to its successor in the metadata of its commits.
// It does not grow with the number of workspaces: epochs and sequences count
// per partition, so one position serves all of them.
type mark struct {
	// Epoch is the last epoch handed out on the partition. Whoever commits a
	// greater one owns it, because commits are fenced by the generation.
	Epoch uint64 `json:"epoch"`
	// Noticed is the last change whose notice was published.
	Noticed version `json:"noticed"`
}

func (m mark) String() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // Two structs of integers always marshal.
	}
	return string(b)
}

// parseMark reads what mark.String wrote; the empty text is the zero mark.
func parseMark(s string) (mark, error) {
	var m mark
	if s == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		return mark{}, fmt.Errorf("metadata of the last commit is not the ledger's: %w", err)
	}
	return m, nil
}
