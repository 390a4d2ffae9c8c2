package live

import "github.com/kindred-cdp/kindred/segments"

// mostNames is of how many names of events it is kept what they move.
const mostNames = 10_000

// moved are the segments that an event of a name may move.
func (w *Worker) moved(s *space, name string) []*target {
	if list, ok := s.moves[name]; ok {
		return list
	}
	var list []*target
	for _, t := range s.targets {
		if segments.MayMove(t.resolved, name, w.cfg.Rules) {
			list = append(list, t)
		}
	}
	if s.moves == nil || len(s.moves) >= mostNames {
		s.moves = map[string][]*target{}
	}
	s.moves[name] = list
	return list
}
