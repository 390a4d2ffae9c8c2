package api

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/profiles"
)

// A cursor is where a page ended: opaque to callers, and signed with the hash key
// of the workspace together with the question that it belongs to. So one that was
// made up, comes from another workspace or is taken to another question is
// refused, and never read. It grants nothing: what it leads to is asked for again
// with the key of the request.

// cursorScope is what a cursor belongs to: the operation and its filters.
type cursorScope []string

func (s *Server) cursorSum(c *gin.Context, scope cursorScope, payload []byte) []byte {
	lo, _ := s.deps.Keyer(workspaceOf(c)).Message(append(append([]string{"cursor"}, scope...), string(payload))...)
	return binary.BigEndian.AppendUint64(nil, lo)
}

// writeCursor returns the cursor of a place, which is any JSON value.
func (s *Server) writeCursor(c *gin.Context, scope cursorScope, place any) string {
	payload, err := json.Marshal(place)
	if err != nil {
		return "" // Impossible: places are texts and times.
	}
	return base64.RawURLEncoding.EncodeToString(append(s.cursorSum(c, scope, payload), payload...))
}

// readCursor reads the query parameter of a name into place, and reports whether
// there is one.
func (s *Server) readCursor(c *gin.Context, name string, scope cursorScope, place any) (bool, error) {
	text := c.Query(name)
	if text == "" {
		return false, nil
	}
	wrong := badRequest("the query parameter \"" + name + "\" is no cursor of this question: take it from the page before, and leave the other parameters as they were")
	all, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(all) < 8 {
		return false, wrong
	}
	sum, payload := all[:8], all[8:]
	if string(sum) != string(s.cursorSum(c, scope, payload)) || json.Unmarshal(payload, place) != nil {
		return false, wrong
	}
	return true, nil
}

// placeInTime is a profiles.Position in a cursor.
type placeInTime struct {
	Time time.Time `json:"t"`
	Key  string    `json:"k"`
}

// pageQuery reads limit and cursor of a list by time.
func (s *Server) pageQuery(c *gin.Context, scope cursorScope, most, otherwise uint64) (profiles.PageQuery, error) {
	limit, err := numberQuery(c, "limit", 1, most, otherwise)
	if err != nil {
		return profiles.PageQuery{}, err
	}
	var place placeInTime
	_, err = s.readCursor(c, "cursor", scope, &place)
	return profiles.PageQuery{Limit: int(limit), After: profiles.Position{Time: place.Time, Key: place.Key}}, err
}

// next returns the cursor after the last of a full page; there may be nothing
// behind it.
func (s *Server) next(c *gin.Context, scope cursorScope, q profiles.PageQuery, n int, last func() profiles.Position) string {
	if n < q.Limit {
		return ""
	}
	p := last()
	return s.writeCursor(c, scope, placeInTime{p.Time, p.Key})
}
