package warehouse

// Values of the server's setting priority. A query pauses, at most a second for each block
// that it reads, while one of a lower value runs. Those without the setting neither wait
// nor are waited for.
const (
	// PriorityUrgent is of live segments for those who changed: an audience is to move
	// within a second.
	PriorityUrgent = 1
	// PriorityPatient is of the making of views: who needs one that is not there yet reads
	// the rows that it is made of.
	PriorityPatient = 2
)
