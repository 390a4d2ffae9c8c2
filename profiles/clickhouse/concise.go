package clickhouse

import (
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Failure is an exception of the server without its message. The message
// repeats the query with the bound values in it, which may be personal.
type Failure struct {
	Code int32
	Name string // such as "TIMEOUT_EXCEEDED", "" for codes that only a wrong query meets
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Name == "" {
		return fmt.Sprintf("clickhouse code %d", f.Code)
	}
	return fmt.Sprintf("clickhouse code %d (%s)", f.Code, f.Name)
}

// Concise replaces an exception of the server by a *Failure, so that it can be
// logged. Other errors, of the network or the context, stay as they are.
func Concise(err error) error {
	var e *clickhouse.Exception
	if errors.As(err, &e) {
		return &Failure{Code: e.Code, Name: codeNames[e.Code]}
	}
	return err
}

// codeNames are the codes that a correct query can meet.
var codeNames = map[int32]string{
	60:  "UNKNOWN_TABLE",
	81:  "UNKNOWN_DATABASE",
	158: "TOO_MANY_ROWS",
	159: "TIMEOUT_EXCEEDED",
	160: "TOO_SLOW",
	202: "TOO_MANY_SIMULTANEOUS_QUERIES",
	210: "NETWORK_ERROR",
	241: "MEMORY_LIMIT_EXCEEDED",
	307: "TOO_MANY_BYTES",
	394: "QUERY_WAS_CANCELLED",
	497: "ACCESS_DENIED",
}
