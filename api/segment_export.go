package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"

	"github.com/kindred-cdp/kindred/identity"
	"github.com/kindred-cdp/kindred/profiles"
	"github.com/kindred-cdp/kindred/segments"
	"github.com/kindred-cdp/kindred/segments/export"
)

const exportPattern = oneSegment + "/export"

// exportReads is how many profiles an export reads at a time: the store gathers them.
const exportReads = 32

// exportSegment answers with the members of a segment as a file.
func (s *Server) exportSegment(c *gin.Context) error {
	format := export.Format(c.DefaultQuery("format", string(export.CSV)))
	if format.Media() == "" {
		return badRequest("the query parameter \"format\" must be csv, ndjson or parquet")
	}
	columns, err := export.ParseColumns(c.Query("columns"))
	if err != nil {
		return badRequest("the query parameter \"columns\" " + err.Error())
	}
	at, err := timeQuery(c, "at", time.Time{})
	if err != nil {
		return err
	}
	g, err := s.segmentOf(c)
	if err != nil {
		return err
	}
	c.Header("Content-Type", format.Media())
	c.Header("Content-Disposition", `attachment; filename="`+string(g.ID)+"."+string(format)+`"`)
	if err = s.writeMembers(c, g.ID, at, format, columns); err != nil && c.Writer.Written() {
		s.log.Error("an export of a segment was cut off", "request_id", requestID(c), "error", err)
		panic(http.ErrAbortHandler) // Half an answer must not look whole.
	}
	return err
}

// writeMembers writes pages of members. The deadlines of the connection move on with
// each, so that a long export is cut off only where its reader does not read.
func (s *Server) writeMembers(c *gin.Context, id segments.ID, at time.Time, format export.Format, columns []export.Column) error {
	w, err := export.NewWriter(c.Writer, format, columns)
	if err != nil {
		return err
	}
	control := http.NewResponseController(c.Writer)
	var after identity.ProfileID
	for {
		// Writers of tests have no deadlines; those of net/http do.
		_ = control.SetWriteDeadline(s.deps.Now().Add(s.cfg.ReadTimeout + 2*s.cfg.RequestTimeout))
		ctx, cancel := context.WithTimeout(c.Request.Context(), s.cfg.RequestTimeout)
		list, people, err := s.exported(ctx, c, id, at, after, export.NeedProfiles(columns))
		cancel()
		if err != nil {
			return err
		}
		for i, m := range list {
			if people[i] == nil {
				continue // Gone or restricted since.
			}
			if err := w.Write(m, people[i]); err != nil {
				return err
			}
		}
		if after == 0 { // Of more, the record would keep none.
			for _, m := range list {
				concerns(c, identity.Key(m.Profile))
			}
		}
		if len(list) < maxMembers {
			return w.Close()
		}
		after = list[len(list)-1].Profile
	}
}

// exported returns a page of members, and their profiles as the key may see them; nil
// for who is nobody any more.
func (s *Server) exported(ctx context.Context, c *gin.Context, id segments.ID, at time.Time, after identity.ProfileID, whole bool) ([]segments.Member, []*profiles.Profile, error) {
	list, err := s.deps.Segments.Members(ctx, workspaceOf(c), id, at, after, maxMembers)
	people := make([]*profiles.Profile, len(list))
	if err != nil {
		return nil, nil, err
	}
	if !whole {
		ids := make([]identity.ProfileID, len(list))
		for i, m := range list {
			ids[i] = m.Profile
		}
		limited, err := s.limited(c, ids)
		for i, id := range ids {
			if !limited[id] {
				people[i] = &profiles.Profile{ID: id}
			}
		}
		return list, people, err
	}
	store := s.store(c)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(exportReads)
	for i, m := range list {
		group.Go(func() error {
			p, err := profiles.Find(ctx, store, workspaceOf(c), identity.Key(m.Profile))
			if isNotFound(err) || isRestricted(err) {
				return nil
			}
			people[i] = p
			return err
		})
	}
	return list, people, group.Wait()
}
