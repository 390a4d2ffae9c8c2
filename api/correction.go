package api

import (
	"encoding/json"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/kindred-cdp/kindred/profiles"
)

// maxCorrected bounds the traits of one correction.
const maxCorrected = 100

// correctionRequest says what is right of a person.
type correctionRequest struct {
	Traits map[string]json.RawMessage `json:"traits"` // null removes one
}

// postCorrection states traits of a person anew, as of now. What was said before stays
// in the history, and counts no more where the newest statement does.
func (s *Server) postCorrection(c *gin.Context) error {
	if s.deps.Events == nil {
		return ErrNotServed
	}
	var r correctionRequest
	if err := decode(c, &r); err != nil {
		return err
	}
	if n := len(r.Traits); n == 0 || n > maxCorrected {
		return badRequest("the correction breaks rules", fault{"/traits", "must have 1 to 100 traits"})
	}
	text, err := url.PathUnescape(c.Param("id"))
	if err != nil {
		return badRequest("the identifier must be percent-encoded UTF-8")
	}
	who, err := s.nameOf(c, text)
	if err != nil {
		return err
	}
	// Nobody is made by a correction.
	if _, err := profiles.Find(c.Request.Context(), s.deps.Profiles, workspaceOf(c), s.deps.Keyer(workspaceOf(c)).Key(who)); err != nil {
		return err
	}
	return s.tell(c, who, "/v1/profiles/"+url.PathEscape(who.String()), map[string]any{
		"name": "Data Corrected", "type": "identify", "time": s.deps.Now().UTC(), "traits": r.Traits,
	})
}
